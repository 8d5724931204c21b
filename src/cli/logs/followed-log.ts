/** The log of one container that is followed, over all its runs and over connections that break: each line once. */
import { isNotFound } from '../../api/status.ts'
import type { Session } from '../session.ts'
import { Budget } from './budget.ts'
import { compareTimes, type Line, type Time, timedLines } from './lines.ts'
import type { Printer } from './printer.ts'
import { type Extent, type Log, openLog, UnreadLines } from './read.ts'
import type { Run } from './runs.ts'

export interface Opening {
  readonly extent: Extent
  readonly session: Session
  readonly printer: Printer
}

export class FollowedLog {
  readonly log: Log
  readonly name: string
  /** Came after the beginning: all of it is new. */
  readonly #isLater: boolean
  readonly #budget: Budget
  #run: Run | undefined
  #openedRun: string | undefined
  #toldEnd: string | undefined
  #lines: UnreadLines | undefined
  #isOpen = false
  #isRefused = false
  #last: (Time & { count: number }) | undefined

  constructor(log: Log, isLater: boolean, { extent, printer }: Opening) {
    this.log = log
    this.name = `pod/${log.pod.metadata.name}/${log.container}`
    this.#isLater = isLater
    this.#budget = new Budget(extent.limitBytes, printer.look.timestamps)
  }

  /** What the pod's status says; its last word stays when it says nothing more. */
  sees(run: Run | undefined): void {
    this.#run = run ?? this.#run
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  get hasNewRun(): boolean {
    return this.#run !== undefined && this.#run.id !== this.#openedRun && !this.#budget.isUsedUp
  }

  /** The container runs on, as far as is known, and there would be more to read. */
  get breaksOff(): boolean {
    const isRunning = this.#run !== undefined && this.#run.ended === undefined
    return isRunning && !this.#isOpen && !this.#isRefused && !this.#budget.isUsedUp
  }

  /** Something of it was shown, and its end has not been told. */
  get isUnderWay(): boolean {
    return this.#openedRun !== undefined && !this.#isRefused && this.#toldEnd !== this.#openedRun
  }

  /** What is to be said of its end, the first time that is asked. */
  takeEnd(): string | undefined {
    if (!this.isUnderWay) return undefined
    const opened = [this.#run, this.#run?.before].find((one) => one?.id === this.#openedRun)
    if (opened && opened.ended === undefined) return undefined
    this.#toldEnd = this.#openedRun
    // Of a run that has been followed by another, the status may not know how it ended.
    return opened ? `${this.name} ended: ${opened.ended}` : `${this.name} ended`
  }

  /** What is to be said of the run that is about to be opened. */
  get beginning(): string | undefined {
    if (this.#run?.id === this.#openedRun) return undefined
    if (this.#openedRun !== undefined) return `${this.name} runs again`
    return this.#isLater ? `${this.name} begins` : undefined
  }

  /** Undefined when it cannot be read, which is said. */
  async open({ extent, session, printer }: Opening, signal: AbortSignal): Promise<UnreadLines | undefined> {
    const isFirst = this.#openedRun === undefined && !this.#isLater
    const isResumed = this.#openedRun !== undefined && this.#openedRun === this.#run?.id
    const { limitBytes: _, ...asked } = isFirst || (isResumed && !this.#last && !this.#isLater) ? extent : {}
    const since = isResumed && this.#last ? { sinceTime: new Date(this.#last.seconds * 1000).toISOString() } : {}
    this.#openedRun = this.#run?.id
    this.#isOpen = true
    try {
      const stream = await openLog(this.log, { ...asked, ...since, follow: true, timestamps: true }, session, signal)
      this.#isRefused = false
      this.#lines = new UnreadLines(this.#budget.limited(this.#unseen(stream, signal))[Symbol.asyncIterator]())
      return this.#lines
    } catch (error) {
      this.#isOpen = false
      // That a pod is gone is the watch's to say.
      this.#isRefused = !isNotFound(error)
      if (this.#isRefused && !signal.aborted) printer.fail(error)
      return undefined
    }
  }

  /** To the end of what was opened. */
  async copyTo(printer: Printer): Promise<void> {
    try {
      for (let lines = await this.#lines?.next(); lines; lines = await this.#lines?.next()) await printer.print(this.log, lines)
    } finally {
      this.#isOpen = false
    }
  }

  /** A server may begin a log anew, or send again what it wrote in the second from which on it was asked. */
  async *#unseen(stream: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<readonly Line[]> {
    const last = this.#last
    let repeated = last?.count ?? 0
    const isNew = (line: Line) => {
      if (!last) return true
      const order = compareTimes(line, last)
      if (order !== 0) return order > 0
      repeated -= 1
      return repeated < 0
    }
    try {
      for await (const lines of timedLines(stream)) {
        const unseen = lines.filter(isNew)
        for (const line of unseen) this.#note(line)
        if (unseen.length > 0) yield unseen
      }
    } catch (error) {
      // A connection that broke is opened again for as long as the container runs; the system's errors have codes.
      if (signal.aborted || !(error instanceof Error) || !('code' in error)) throw error
    }
  }

  #note(line: Line): void {
    const isSame = this.#last !== undefined && compareTimes(line, this.#last) === 0
    this.#last = { seconds: line.seconds, nanos: line.nanos, count: isSame ? this.#last!.count + 1 : 1 }
  }
}
