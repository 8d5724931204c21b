/**
 * One container's main process, from start to end: its output goes to the log and to whoever is attached, its end is
 * known once everything it wrote is in the log. Does not know how the process is isolated.
 */
import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { PassThrough, type Readable, type Writable } from 'node:stream'
import type { TerminalSize } from '../../../api/streams.ts'
import { LogWriter } from '../log-writer.ts'

export interface ProcessPlan {
  command: string
  args: readonly string[]
  env: Record<string, string>
  cwd?: string
  logPath: string
  stdin: boolean
  now: () => number
  /** How the process is told something, and how all of it is killed. */
  signal: (process: RunningProcess, signal: NodeJS.Signals) => void
  kill: (process: RunningProcess) => void
  /** Absent when it has no terminal. */
  resize?: (process: RunningProcess, size: TerminalSize) => Promise<void>
  /** Called once when it has ended, before that is told; whether the kernel killed it for its memory. */
  afterwards?: () => { oomKilled: boolean }
  /** What the kernel has accounted for it, as far as it does. */
  usage?: () => Partial<ProcessUsage>
}

export interface ProcessUsage {
  cpuNanoSeconds: number
  /** The working set. */
  memoryBytes: number
}

export interface ProcessEnd {
  code: number
  /** What went wrong before the container's process ran. */
  failure?: string
  oomKilled?: boolean
}

type StreamName = 'stdout' | 'stderr'

interface Watcher {
  stdout: Writable | undefined
  stderr: Writable | undefined
  /** The streams that cannot take more at the moment. */
  full: Set<StreamName>
}

/** What is kept of stderr for the message of a container that could not start. */
const MAX_ERROR_TEXT = 2048

export class RunningProcess {
  readonly ended: Promise<ProcessEnd>
  /** Resolves when the container's process was started, rejects when it could not be. */
  readonly started: Promise<void>
  readonly child: ChildProcess
  finished = false
  private readonly plan: ProcessPlan
  private readonly watchers = new Set<Watcher>()

  constructor(plan: ProcessPlan) {
    this.plan = plan
    const log = new LogWriter({ path: plan.logPath, now: plan.now })
    this.child = spawn(plan.command, plan.args, {
      env: plan.env,
      ...(plan.cwd === undefined ? {} : { cwd: plan.cwd }),
      detached: true,
      stdio: [plan.stdin ? 'pipe' : 'ignore', 'pipe', 'pipe', 'pipe'],
    })
    let report = ''
    let errors = ''
    let ready = () => {}
    let failed = (_error: Error) => {}
    this.started = new Promise((resolve, reject) => {
      ready = resolve
      failed = reject
    })
    this.started.catch(() => {})
    this.child.stdin?.on('error', () => {})
    const readReport = this.child.stdio[3] as Readable
    readReport.on('data', (chunk: Buffer) => {
      report += chunk
      if (report.includes('ready\n')) ready()
    })
    const take = (stream: StreamName) => (chunk: Buffer) => {
      if (stream === 'stderr' && errors.length < MAX_ERROR_TEXT) errors += chunk
      log.write(stream, chunk)
      for (const watcher of this.watchers) this.show(watcher, stream, chunk)
    }
    this.child.stdout?.on('data', take('stdout'))
    this.child.stderr?.on('data', take('stderr'))
    this.ended = new Promise((resolve) => {
      this.child.once('error', failed)
      this.child.once('close', (code, signal) => {
        log.close()
        const oomKilled = plan.afterwards?.().oomKilled ?? false
        this.finished = true
        failed(new Error(errors.trim() || `the container's root could not be made (${code ?? signal})`))
        const told = /exit (\d+)/.exec(report)?.[1]
        const exit = told === undefined ? 137 : Number(told)
        const unable = (exit === 127 || exit === 126) && /^(unshare|setpriv|sh|.*exec): /m.test(errors)
        resolve({ code: exit, oomKilled: oomKilled && exit === 137, ...(unable ? { failure: errors.trim() } : {}) })
      })
    })
  }

  /** SIGTERM (or what the image wants), then the end of everything after the grace. A later call may shorten the grace. */
  signal(signal: NodeJS.Signals): void {
    if (!this.finished) this.plan.signal(this, signal)
  }

  /** Nobody who reads slowly holds this up: they miss the rest. */
  kill(): void {
    if (this.finished) return
    this.plan.kill(this)
    this.watchers.clear()
    this.goOn()
  }

  /**
   * Copies output from now on; returns how to leave. Who reads slowly slows the process down: nothing is dropped, and
   * nothing piles up. Who goes away has left.
   */
  watch(stdout: Writable | undefined, stderr: Writable | undefined): () => void {
    const watcher: Watcher = { stdout, stderr, full: new Set() }
    const leave = () => {
      this.watchers.delete(watcher)
      watcher.full.clear()
      this.goOn()
    }
    for (const one of [stdout, stderr]) one?.once('error', leave).once('close', leave)
    this.watchers.add(watcher)
    return leave
  }

  /** Gives the process's terminal a size; does nothing without one. */
  async resize(size: TerminalSize): Promise<void> {
    if (!this.finished) await this.plan.resize?.(this, size)
  }

  /** What the kernel has accounted for it and all its descendants. */
  accounted(): Partial<ProcessUsage> {
    return this.plan.usage?.() ?? {}
  }

  private show(watcher: Watcher, stream: StreamName, chunk: Buffer): void {
    const to = watcher[stream]
    if (!to || to.write(chunk) || watcher.full.has(stream)) return
    watcher.full.add(stream)
    this.child[stream]?.pause()
    to.once('drain', () => {
      watcher.full.delete(stream)
      this.goOn()
    })
  }

  private goOn(): void {
    for (const stream of ['stdout', 'stderr'] as const)
      if (![...this.watchers].some(({ full }) => full.has(stream))) this.child[stream]?.resume()
  }

  get stdin(): Writable {
    return this.child.stdin ?? new PassThrough().resume()
  }
}

/** The pids of a process's children; none when it is gone. */
export function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
  } catch {
    return []
  }
}

/** Signals a process that may have ended in the meantime. */
export function signalQuietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
