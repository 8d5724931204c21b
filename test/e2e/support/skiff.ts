/** Starts the built `skiff` and other programs as real processes, and says what they left on the machine. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../../..')
export const SKIFF = join(ROOT, 'bin/skiff')

export interface Result {
  /** The exit code, or -1 when a signal ended it. */
  code: number
  out: string
  err: string
}

export interface Running {
  child: ChildProcess
  /** What it has printed so far. */
  output: () => string
  result: Promise<Result>
}

export type Environment = Record<string, string>

export function start(command: string, args: readonly string[], env: Environment = {}, input = ''): Running {
  const child = spawn(command, args, { cwd: ROOT, env: { ...process.env, ...env } })
  let [out, err] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    out += chunk
  })
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    err += chunk
  })
  // A program that ends before it has read its input says so by its exit code.
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  const result = new Promise<Result>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code: code ?? -1, out, err }))
  })
  return { child, output: () => out + err, result }
}

export const run = (command: string, args: readonly string[], env: Environment = {}, input = ''): Promise<Result> =>
  start(command, args, env, input).result

export const skiff = (args: readonly string[], env: Environment = {}): Promise<Result> => run('node', [SKIFF, ...args], env)

/** Asks until the answer is not undefined or false, and returns it. Errors count as "not yet"; the last one is told at the deadline. */
export async function until<T>(
  what: string,
  ask: () => T | Promise<T>,
  timeoutMs = 30_000,
): Promise<Exclude<T, undefined | false>> {
  const deadline = Date.now() + timeoutMs
  let last: unknown
  while (Date.now() < deadline) {
    try {
      const answer = await ask()
      if (answer !== undefined && answer !== false) return answer as Exclude<T, undefined | false>
    } catch (error) {
      last = error
    }
    await delay(50)
  }
  throw new Error(`not within ${timeoutMs} ms: ${what}`, { cause: last })
}

/** Whether a program can be started with these arguments and ends well. */
export const works = (command: string, ...args: string[]): boolean => spawnSync(command, args, { stdio: 'ignore' }).status === 0

export interface Traces {
  processes: string[]
  mounts: string[]
  links: string[]
  routes: string[]
}

/** The processes and mounts that have to do with a directory, and all links and routes of the machine. */
export function traces(directory: string): Traces {
  return {
    processes: readdirSync('/proc').filter((name) => /^\d+$/.test(name) && concerns(name, directory)),
    mounts: lines(readFileSync('/proc/mounts', 'utf8')).filter((line) => line.includes(directory)),
    links: ip('-o', 'link').map((line) => line.split(': ')[1] ?? line),
    routes: ip('route', 'show', 'table', 'all'),
  }
}

const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '')

const ip = (...args: string[]): string[] => lines(spawnSync('ip', args, { encoding: 'utf8' }).stdout ?? '').sort()

function concerns(pid: string, directory: string): boolean {
  if (Number(pid) === process.pid) return false
  const files = ['environ', 'cmdline', 'mountinfo'].map((file) => attempt(() => readFileSync(`/proc/${pid}/${file}`, 'utf8')))
  return [...files, attempt(() => readlinkSync(`/proc/${pid}/cwd`))].some((text) => text.includes(directory))
}

/** A process may end while it is looked at, and then concerns nobody. */
function attempt(read: () => string): string {
  try {
    return read()
  } catch {
    return ''
  }
}
