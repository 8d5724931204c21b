/**
 * One priority level: so many requests at once, and those that find no seat wait in queues that are served in turn. A flow is
 * dealt a hand of the queues by its name (shuffle sharding), so that a busy one fills few of them and the others get by.
 */
import { createHash } from 'node:crypto'
import type { LimitResponse } from '../../api/types.ts'

export interface Seats {
  /** How many the level has of its own. */
  nominal: number
  /** How many of those others may use while it does not. */
  lendable: number
  /** How many of others it may use. */
  borrowable: number
}

interface Waiting {
  start(): void
}

export class Level {
  seats: Seats
  response: LimitResponse
  executing = 0
  #queues = new Map<number, Waiting[]>()
  #hands = new Map<string, readonly number[]>()

  constructor(seats: Seats, response: LimitResponse) {
    this.seats = seats
    this.response = response
  }

  /** New limits apply from the next request on; those that wait go on waiting. */
  configure(seats: Seats, response: LimitResponse): void {
    this.seats = seats
    if (JSON.stringify(response) !== JSON.stringify(this.response)) this.#hands.clear()
    this.response = response
  }

  get waiting(): boolean {
    return this.#queues.size > 0
  }

  /** How many seats others have of this level's, at most. */
  get idle(): number {
    return Math.min(this.seats.lendable, Math.max(0, this.seats.nominal - this.executing))
  }

  get borrowed(): number {
    return Math.max(0, this.executing - this.seats.nominal)
  }

  /** Puts a request at the end of its flow's shortest queue; false when that is full. The returned function takes it out. */
  wait(flow: string, waiting: Waiting): (() => void) | undefined {
    const queuing = this.response.queuing
    if (this.response.type !== 'Queue' || !queuing) return undefined
    let shortest = -1
    let length = Number.POSITIVE_INFINITY
    for (const index of this.#handOf(flow, queuing.queues ?? 1, queuing.handSize ?? 1)) {
      const count = this.#queues.get(index)?.length ?? 0
      if (count >= length) continue
      shortest = index
      length = count
    }
    if (length >= (queuing.queueLengthLimit ?? 0)) return undefined
    const queue = this.#queues.get(shortest) ?? []
    if (queue.length === 0) this.#queues.set(shortest, queue)
    queue.push(waiting)
    return () => this.#leave(shortest, waiting)
  }

  /** Starts the first request of the queue whose turn it is. */
  startNext(): void {
    const [index, queue] = this.#queues.entries().next().value ?? []
    if (index === undefined || !queue) return
    const next = queue.shift()
    // The queue goes behind the others, or away.
    this.#queues.delete(index)
    if (queue.length > 0) this.#queues.set(index, queue)
    next?.start()
  }

  #leave(index: number, waiting: Waiting): void {
    const queue = this.#queues.get(index)
    const at = queue?.indexOf(waiting) ?? -1
    if (!queue || at < 0) return
    queue.splice(at, 1)
    if (queue.length === 0) this.#queues.delete(index)
  }

  #handOf(flow: string, queues: number, handSize: number): readonly number[] {
    let hand = this.#hands.get(flow)
    if (!hand) {
      hand = deal(flow, queues, Math.min(handSize, queues))
      if (this.#hands.size >= MAX_HANDS) this.#hands.clear()
      this.#hands.set(flow, hand)
    }
    return hand
  }
}

/** Hands that are remembered; more flows are dealt theirs again. */
const MAX_HANDS = 4096

/** Distinct cards of a deck, by the flow's hash. */
function deal(flow: string, deck: number, size: number): number[] {
  let hash = createHash('sha256').update(flow).digest().readBigUInt64BE()
  const cards = Array.from({ length: size }, (_, index) => {
    const rest = BigInt(deck - index)
    const card = Number(hash % rest)
    hash /= rest
    return card
  })
  // Each number counts among the cards that are left.
  const taken: number[] = []
  for (let card of cards) {
    for (const other of taken) if (card >= other) card += 1
    taken.push(card)
    taken.sort((a, b) => a - b)
  }
  return taken
}
