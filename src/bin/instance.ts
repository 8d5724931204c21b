/**
 * Which cluster runs on a data directory: a small record beside its data, true only while the process it names lives.
 * A process is known by its id and its start time, so that a reused id is not taken for it.
 */
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { delay, systemClock } from '../base/clock.ts'
import type { ClusterStatus } from '../cli/host.ts'
import { CommandError, type Io } from '../cli/io.ts'
import { removeContext } from '../client/kubeconfig-write.ts'

export interface Instance {
  pid: number
  /** The process's start time as the kernel counts it, where it does. */
  started: string
  server: string
  startedAt: string
  contextName: string
  version: string
  kubeconfig: string
  /** The kubeconfig is the user's own: only the context goes when the cluster does. */
  sharedKubeconfig: boolean
}

const STOP_TIMEOUT_MS = 60_000
const STOP_POLL_MS = 50

export function writeInstance(dataDirectory: string, instance: Omit<Instance, 'pid' | 'started'>): void {
  const file = fileOf(dataDirectory)
  const draft = `${file}.${process.pid}`
  writeFileSync(draft, JSON.stringify({ ...instance, pid: process.pid, started: startOf(process.pid) }), { mode: 0o600 })
  renameSync(draft, file)
}

export function removeInstance(dataDirectory: string): void {
  rmSync(fileOf(dataDirectory), { force: true })
}

/** The cluster that runs on the directory now, if one does. */
export function runningInstance(dataDirectory: string): Instance | undefined {
  const file = fileOf(dataDirectory)
  if (!existsSync(file)) return undefined
  let instance: Instance
  try {
    instance = JSON.parse(readFileSync(file, 'utf8')) as Instance
  } catch (error) {
    // Removed between the look and the read: it has just stopped.
    if (!existsSync(file)) return undefined
    throw new CommandError(`${file} cannot be read: ${(error as Error).message}`, 1, { cause: error })
  }
  return isAlive(instance) ? instance : undefined
}

function isAlive({ pid, started }: Instance): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
  return startOf(pid) === started
}

/** Field 22 of /proc/PID/stat; empty where there is no /proc. A process that has ended and was not yet waited for has none. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? 'ended' : (fields[19] ?? '')
  } catch {
    return ''
  }
}

export async function status(dataDirectory: string): Promise<ClusterStatus> {
  const instance = runningInstance(dataDirectory)
  return { dataDir: dataDirectory, ...(instance && { running: instance }) }
}

/** Asks the process to stop and waits until it has. */
export async function down(dataDirectory: string, io: Io): Promise<boolean> {
  const instance = runningInstance(dataDirectory)
  if (!instance) return false
  process.kill(instance.pid, 'SIGTERM')
  const giveUpAt = systemClock.monotonic() + STOP_TIMEOUT_MS
  while (isAlive(instance)) {
    if (systemClock.monotonic() > giveUpAt) {
      throw new CommandError(
        `the cluster (pid ${instance.pid}) has not stopped within ${STOP_TIMEOUT_MS / 1000} s; look at it, or kill it`,
      )
    }
    await delay(systemClock, STOP_POLL_MS, io.signal)
  }
  if (instance.sharedKubeconfig) await removeContext(instance.kubeconfig, instance.contextName)
  removeInstance(dataDirectory)
  return true
}

function fileOf(dataDirectory: string): string {
  return path.join(dataDirectory, 'cluster.json')
}
