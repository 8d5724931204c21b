/**
 * Keeps two processes out of one data directory. Each process that wants it first leaves a file of its own there, then
 * looks for others: whoever finds a living owner takes its file back and gives up. Two that come at the same moment may
 * both give up; never do both go on. A file whose process is gone (also by `kill -9`, also as a zombie) is removed.
 * Processes that cannot see each other's ids (containers that share the directory) are not told apart from dead ones.
 */
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { StoreUnavailable } from './errors.ts'

export interface Claim {
  release(): void
}

const CLAIM_FILE = /^owner-(\d+)-([\w.]+)-(\d+)\.lock$/

/** Tells two claims of this process apart. */
let claims = 0

/** Throws StoreUnavailable while another process, or another store of this one, has the directory. */
export function claimDirectory(directory: string): Claim {
  claims += 1
  const name = `owner-${process.pid}-${startOf(process.pid) ?? 'unknown'}-${claims}.lock`
  const path = join(directory, name)
  const release = () => rmSync(path, { force: true })
  writeFileSync(path, `process ${process.pid} uses this directory\n`, { flag: 'wx', mode: 0o600 })
  try {
    for (const other of readdirSync(directory)) {
      const match = CLAIM_FILE.exec(other)
      if (!match || other === name) continue
      const pid = Number(match[1])
      if (isRunning(pid, match[2]!)) throw inUse(directory, pid)
      rmSync(join(directory, other), { force: true })
    }
  } catch (error) {
    release()
    throw error
  }
  return { release }
}

function inUse(directory: string, pid: number): StoreUnavailable {
  const [owner, remedy] =
    pid === process.pid ? ['this process', 'Close that store first'] : [`process ${pid}`, `Stop it (kill ${pid})`]
  return new StoreUnavailable(`data directory ${directory} is in use by ${owner}. ${remedy}, or choose another directory`)
}

function isRunning(pid: number, start: string): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    // EPERM: it runs, as somebody else.
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  return startOf(pid) === start
}

/**
 * When the process started, in a form that no later process of the same id has; undefined when it is gone.
 * Linux: boot and clock ticks since, from `/proc` (a zombie counts as gone). Elsewhere: what `ps` says.
 */
function startOf(pid: number): string | undefined {
  if (process.platform === 'linux') {
    try {
      const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').slice(0, 8)
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
      // The command's name, in parentheses, may hold anything; the fields after it are the state, then the start as the 20th.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      return fields[0] === 'Z' || fields[0] === 'X' ? undefined : `${boot}.${fields[19]}`
    } catch {
      return undefined
    }
  }
  const answer = spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' } })
  return answer.stdout?.replace(/\W+/g, '') || undefined
}
