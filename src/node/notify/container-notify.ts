/** What one run of a container says by sd_notify, the time it is allowed to be silent, and who is woken by what. */
import type { Clock } from '../../base/clock.ts'
import { parseNotification } from './message.ts'
import { changesCourse, type NotifyState, noted } from './state.ts'

/** Words alone wake nobody more often than this: a status is written to the API at this pace at most. */
const WORDS_EVERY_MS = 500

export interface ContainerNotifyOptions {
  attempt: number
  watchdogMs: number | undefined
  clock: Clock
  /** There is news: `state` is another now. */
  onNews: (state: NotifyState) => void
}

export class ContainerNotify {
  readonly #options: ContainerNotifyOptions
  #state: NotifyState
  #cancelWords: (() => void) | undefined
  #cancelWatchdog: (() => void) | undefined
  #closed = false

  constructor(options: ContainerNotifyOptions) {
    this.#options = options
    const { attempt, watchdogMs } = options
    this.#state = { attempt, ...(watchdogMs !== undefined && { watchdogMs }) }
  }

  get state(): NotifyState {
    return this.#state
  }

  take(text: string): void {
    if (this.#closed) return
    const before = this.#state
    this.#state = noted(before, parseNotification(text), this.#options.clock.now())
    if (this.#state.watchdogDueMs !== undefined) this.#watch()
    if (changesCourse(before, this.#state)) this.#tell()
    else if (before.status !== this.#state.status || before.errno !== this.#state.errno)
      this.#cancelWords ??= this.#options.clock.after(WORDS_EVERY_MS, () => this.#tell(), { unref: true })
  }

  close(): void {
    this.#closed = true
    this.#cancelWords?.()
    this.#cancelWatchdog?.()
  }

  #tell(): void {
    this.#cancelWords?.()
    this.#cancelWords = undefined
    this.#options.onNews(this.#state)
  }

  /** One timer however many signs of life there are: it looks again when it finds that there were some. */
  #watch(): void {
    if (this.#cancelWatchdog) return
    const { clock } = this.#options
    const delay = Math.max(0, (this.#state.watchdogDueMs ?? 0) - clock.now())
    this.#cancelWatchdog = clock.after(delay, () => this.#bite(), { unref: true })
  }

  #bite(): void {
    this.#cancelWatchdog = undefined
    const due = this.#state.watchdogDueMs
    if (due === undefined || this.#state.dead) return
    if (this.#options.clock.now() < due) {
      this.#watch()
      return
    }
    this.#state = { ...this.#state, dead: true }
    this.#tell()
  }
}
