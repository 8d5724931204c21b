/**
 * When the frames of watches go out: all watchers with something to send are served in one round, and rounds keep a distance.
 * The first frame after a quiet time goes at once; in a burst, what comes while a round is waited for goes out with it, so
 * that a watcher costs a few hundred writes a second at most, whatever happens to the objects.
 */
import type { Clock } from '../../base/clock.ts'

/** From one round to the next. */
const ROUND_DISTANCE_MS = 8

export class FlushRounds {
  readonly #clock: Clock
  #due: (() => void)[] = []
  #lastMs = Number.NEGATIVE_INFINITY

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Calls `flush` once, in the next round. */
  add(flush: () => void): void {
    if (this.#due.push(flush) > 1) return
    const waitMs = this.#lastMs + ROUND_DISTANCE_MS - this.#clock.monotonic()
    // Frames of the same turn, and answers to the writes that made them, go first.
    if (waitMs <= 0) setImmediate(() => this.#run())
    else this.#clock.after(waitMs, () => this.#run())
  }

  #run(): void {
    const due = this.#due
    this.#due = []
    for (const flush of due) flush()
    this.#lastMs = this.#clock.monotonic()
  }
}
