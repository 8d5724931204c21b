/** `skiff up`: a cluster in this process until it is interrupted, or in a process of its own with --detach. */
import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import { createLog, type LogLevel } from '../base/log.ts'
import type { UpOptions, UpReport } from '../cli/host.ts'
import { CommandError, type Io } from '../cli/io.ts'
import { kubeconfigPaths } from '../client/kubeconfig.ts'
import { addContext, removeContext } from '../client/kubeconfig-write.ts'
import { type Cluster, startCluster } from '../cluster.ts'
import { dataDirectoryOf } from './data-directory.ts'
import { removeInstance, runningInstance, writeInstance } from './instance.ts'
import { packageVersion } from './package-root.ts'

const CONTEXT = 'skiff'
/** Where other Kubernetes listen too; a free port is taken when it is in use and none was asked for. */
const USUAL_PORT = 6443
const LOG_TAIL_LINES = 5

export async function up(options: UpOptions, io: Io, ready: (report: UpReport) => void): Promise<number> {
  const dataDirectory = dataDirectoryOf(options, io.env)
  const other = runningInstance(dataDirectory)
  if (other) {
    throw new CommandError(
      `a cluster runs on ${dataDirectory} already (pid ${other.pid}): "skiff down" stops it, --data-dir starts another`,
    )
  }
  mkdirSync(dataDirectory, { recursive: true, mode: 0o700 })
  if (options.detach) return detached(dataDirectory, io, ready)
  const cluster = await start(options, dataDirectory, io)
  try {
    const report = await publish(cluster, options, dataDirectory, io)
    ready(report)
    process.send?.(report)
    await Promise.all([rehearsed(io), interrupted(io.signal)])
  } finally {
    await cluster.stop()
    removeInstance(dataDirectory)
    if (!options.kubeconfig) await removeContext(userKubeconfig(io), CONTEXT)
  }
  return 0
}

async function start(options: UpOptions, dataDirectory: string, io: Io): Promise<Cluster> {
  const log = createLog({ write: (line) => io.stderr.write(line), level: (io.env.SKIFF_LOG as LogLevel | undefined) ?? 'warn' })
  const { inMemory, runtime, nodes, controllers, extensions, pinImages } = options
  const apiServer = options.apiServer ?? {}
  const settings = { dataDirectory, inMemory, runtime, nodes, controllers, extensions, pinImages, log, apiServer }
  const withPort = (port: number) => startCluster({ ...settings, port })
  try {
    return await withPort(options.port ?? USUAL_PORT)
  } catch (error) {
    if (options.port === undefined && isPortInUse(error)) return withPort(0)
    throw new CommandError((error as Error).message.trim().replaceAll(/\s*\n\s*/g, '; '), 1, { cause: error })
  }
}

/** A cluster that could not rehearse is slower at first, and nothing else. */
async function rehearsed(io: Io): Promise<void> {
  const { rehearse } = await import('./rehearsal.ts')
  try {
    await rehearse(io.signal)
  } catch (error) {
    io.stderr.write(`warning: the rehearsal failed, the first writes will be slower: ${(error as Error).message}\n`)
  }
}

function isPortInUse(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EADDRINUSE' || /in use/.test(cause.message)) return true
  }
  return false
}

async function publish(cluster: Cluster, options: UpOptions, dataDirectory: string, io: Io): Promise<UpReport> {
  const kubeconfig = options.kubeconfig ? path.resolve(options.kubeconfig) : userKubeconfig(io)
  const { ca = '', clientCertificate = '', clientKey = '' } = cluster.access
  // A file of its own holds nothing else; an older one's contents would be another cluster's.
  if (options.kubeconfig) rmSync(kubeconfig, { force: true })
  await addContext(kubeconfig, { name: CONTEXT, server: cluster.url, ca, cert: clientCertificate, key: clientKey })
  const version = packageVersion()
  writeInstance(dataDirectory, {
    ...{ server: cluster.url, startedAt: new Date().toISOString(), contextName: CONTEXT, version, kubeconfig },
    sharedKubeconfig: !options.kubeconfig,
  })
  return {
    // performance.now() counts from the start of the process.
    ...{ readyMs: Math.round(performance.now()), server: cluster.url, contextName: CONTEXT, kubeconfig },
    ...(cluster.notice && { notes: [cluster.notice] }),
  }
}

function userKubeconfig(io: Io): string {
  return kubeconfigPaths(undefined, io.env)[0] as string
}

function interrupted(signal: AbortSignal): Promise<void> {
  // A pending promise alone does not keep a process alive; the listening socket does.
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

/** The same command in a process of its own; its log lies in the data directory. */
async function detached(dataDirectory: string, io: Io, ready: (report: UpReport) => void): Promise<number> {
  const logFile = path.join(dataDirectory, 'skiff.log')
  const log = openSync(logFile, 'w', 0o600)
  const words = process.argv.slice(1).filter((word) => word !== '--detach' && word !== '-d')
  const child = spawn(process.execPath, [...process.execArgv, ...words], {
    detached: true,
    stdio: ['ignore', log, log, 'ipc'],
    env: io.env,
  })
  closeSync(log)
  const report = await new Promise<UpReport>((resolve, reject) => {
    child.once('message', (message) => resolve(message as UpReport))
    child.once('error', reject)
    child.once('exit', (code) => {
      const tail = readFileSync(logFile, 'utf8').trim().split('\n').slice(-LOG_TAIL_LINES).join('; ')
      reject(new CommandError(tail.replace(/^error: /, '') || `the cluster ended at its start with exit code ${code}`))
    })
    io.signal.addEventListener('abort', () => child.kill('SIGTERM'), { once: true })
  })
  child.disconnect()
  child.unref()
  ready({ ...report, detachedPid: child.pid })
  return 0
}
