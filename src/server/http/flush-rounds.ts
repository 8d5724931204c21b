/**
 * When the frames of watches go out: all watchers with something to send are served in one round, and rounds keep a distance.
 * The first frame after a quiet time goes at once; in a burst, what comes while a round is waited for goes out with it, so
 * that a watcher costs a few hundred writes a second at most, whatever happens to the objects.
 */
import type { Clock } from '../../base/clock.ts'

/** From the end of one round to the next, at least and at most. */
const MIN_DISTANCE_MS = 8
const MAX_DISTANCE_MS = 40
/** Where rounds take long, because watchers are many, they are rarer: what is left between two is this many times as long. */
const REST = 3

export class FlushRounds {
  readonly #clock: Clock
  #due: (() => void)[] = []
  #nextMs = Number.NEGATIVE_INFINITY
  /** What the last watcher of this round was sent; most are sent the same. */
  #frames: readonly Buffer[] = []
  #joined: Buffer = Buffer.alloc(0)

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Calls `flush` once, in the next round. */
  add(flush: () => void): void {
    if (this.#due.push(flush) > 1) return
    const waitMs = this.#nextMs - this.#clock.monotonic()
    // Frames of the same turn, and answers to the writes that made them, go first.
    if (waitMs <= 0) setImmediate(() => this.#run())
    else this.#clock.after(waitMs, () => this.#run())
  }

  /** Frames as one buffer, which watchers of one round share when their frames are the same. Read-only. */
  join(frames: readonly Buffer[]): Buffer {
    if (frames.length === 1) return frames[0]!
    const known = this.#frames
    if (frames.length === known.length && frames.every((frame, i) => frame === known[i])) return this.#joined
    this.#frames = frames
    this.#joined = Buffer.concat(frames)
    return this.#joined
  }

  #run(): void {
    const due = this.#due
    this.#due = []
    const startMs = this.#clock.monotonic()
    for (const flush of due) flush()
    this.#frames = []
    const endMs = this.#clock.monotonic()
    this.#nextMs = endMs + Math.min(MAX_DISTANCE_MS, Math.max(MIN_DISTANCE_MS, (endMs - startMs) * REST))
  }
}
