/**
 * Gives out numbers of a range, each to one owner at a time. What is held is what committed objects say they hold, and what
 * was just promised to a write that is under way. Knows neither addresses nor Services.
 */
import type { Clock } from '../../../base/clock.ts'

export interface PoolOptions {
  /** How many numbers there are, from 0. */
  size: number
  /** Numbers below this are left to those who ask for one by name, until the rest is used up. */
  staticBand: number
  clock: Clock
  random: (bytes: number) => Buffer
}

/** A promise that nobody kept or took back is void after this: the write's process of events was lost. */
const PROMISE_MS = 60_000

export class Pool {
  private readonly options: PoolOptions
  /** By number: its committed owner. */
  private readonly held = new Map<number, string>()
  /** By owner: what it holds. */
  private readonly byOwner = new Map<string, readonly number[]>()
  private readonly promised = new Map<number, { owner: string; until: number }>()

  constructor(options: PoolOptions) {
    this.options = options
  }

  /** What `owner` holds now, by its committed state; its promises are kept with it. */
  commit(owner: string, numbers: readonly number[]): void {
    for (const number of this.byOwner.get(owner) ?? []) if (this.held.get(number) === owner) this.held.delete(number)
    if (numbers.length > 0) this.byOwner.set(owner, numbers)
    else this.byOwner.delete(owner)
    for (const number of numbers) {
      if (!this.held.has(number)) this.held.set(number, owner)
      if (this.promised.get(number)?.owner === owner) this.promised.delete(number)
    }
  }

  /** Whether somebody else has it. */
  isTaken(number: number, owner: string): boolean {
    const holder = this.held.get(number)
    if (holder !== undefined && holder !== owner) return true
    const promise = this.promised.get(number)
    return promise !== undefined && promise.owner !== owner && promise.until > this.options.clock.now()
  }

  /** Promises this number to `owner`; false when somebody else has it. */
  take(number: number, owner: string): boolean {
    if (this.isTaken(number, owner)) return false
    if (this.held.get(number) === owner) return true
    this.promised.set(number, { owner, until: this.options.clock.now() + PROMISE_MS })
    return true
  }

  /** Promises any free number; undefined when there is none. */
  takeAny(owner: string): number | undefined {
    const { size, staticBand } = this.options
    const found = this.search(staticBand, size) ?? this.search(0, staticBand)
    if (found !== undefined) this.take(found, owner)
    return found
  }

  /** Takes back a promise. */
  giveBack(number: number, owner: string): void {
    if (this.promised.get(number)?.owner === owner) this.promised.delete(number)
  }

  /** The first free number at or after a random one, around the end of the band. */
  private search(from: number, to: number): number | undefined {
    const count = to - from
    if (count <= 0) return undefined
    const start = this.options.random(4).readUInt32BE(0) % count
    for (let i = 0; i < count; i++) {
      const number = from + ((start + i) % count)
      if (!this.isTaken(number, '')) return number
    }
    return undefined
  }
}
