/**
 * Books what writes are about to use into the quotas' status, so that two writes never pass a limit together. Requests that come
 * while one is being written wait and share the next write, however many they are.
 */

import type { KubeObject } from '../../../api/object.ts'
import {
  compareQuantities,
  formatQuantity,
  parseQuantity,
  type Quantity,
  tryParseQuantity,
  zeroQuantity,
} from '../../../api/quantity.ts'
import type { Amounts } from '../../../api/quota/pod-totals.ts'
import { plus } from '../../../api/quota/usage.ts'
import type { ResourceQuota } from '../../../api/types.ts'
import { KeyNotFound, RevisionMismatch } from '../../../store/errors.ts'
import type { Store } from '../../../store/store.ts'
import { decoded, encoderOf } from '../../objects/codec.ts'
import { copyJson } from '../../objects/json.ts'

interface Booking {
  delta: Amounts
  /** Resolves with why it was refused, or undefined when it is booked. */
  settle: (refusal: string | undefined) => void
  fail: (error: unknown) => void
}

/** How often a booking starts over because somebody else wrote the quota. */
const MAX_ATTEMPTS = 20

export class QuotaLedger {
  private readonly store: Store
  private readonly waiting = new Map<string, Booking[]>()

  constructor(store: Store) {
    this.store = store
  }

  /** `exceeded quota: …` when the quota has no room; undefined once it is booked and durable. */
  book(namespace: string, name: string, delta: Amounts): Promise<string | undefined> {
    const key = `core/resourcequotas/${namespace}/${name}`
    return new Promise((settle, fail) => {
      const queue = this.waiting.get(key)
      if (queue) {
        queue.push({ delta, settle, fail })
        return
      }
      this.waiting.set(key, [{ delta, settle, fail }])
      void this.work(key)
    })
  }

  /** Whether there would be room; books nothing. */
  check(quota: ResourceQuota, delta: Amounts): string | undefined {
    return findExcess(quota, delta)
  }

  private async work(key: string): Promise<void> {
    for (;;) {
      // Whoever is in the same tick shares the first write too.
      await undefined
      const bookings = this.waiting.get(key) ?? []
      if (bookings.length === 0) {
        this.waiting.delete(key)
        return
      }
      this.waiting.set(key, [])
      await this.write(key, bookings)
    }
  }

  private async write(key: string, bookings: readonly Booking[]): Promise<void> {
    try {
      for (let attempt = 1; ; attempt++) {
        const refusals = await this.attempt(key, bookings, attempt)
        if (!refusals) continue
        for (const [index, booking] of bookings.entries()) booking.settle(refusals[index])
        return
      }
    } catch (error) {
      for (const booking of bookings) booking.fail(error)
    }
  }

  /** What became of each booking, or undefined to start over. */
  private async attempt(key: string, bookings: readonly Booking[], attempt: number): Promise<(string | undefined)[] | undefined> {
    const entry = this.store.get(key)
    if (!entry) return bookings.map(() => undefined)
    const quota = copyJson(decoded(entry)) as ResourceQuota
    let changed = false
    const refusals = bookings.map(({ delta }) => {
      const excess = findExcess(quota, delta)
      if (excess === undefined) changed = add(quota, delta) || changed
      return excess
    })
    if (!changed) return refusals
    try {
      await this.store.update(key, entry.revision, encoderOf(quota as KubeObject))
      return refusals
    } catch (error) {
      if ((error instanceof RevisionMismatch || error instanceof KeyNotFound) && attempt < MAX_ATTEMPTS) return undefined
      throw error
    }
  }
}

/** Only what grows can exceed. */
function findExcess(quota: ResourceQuota, delta: Amounts): string | undefined {
  const { hard = {}, used = {} } = quota.status ?? {}
  const exceeded = [...delta.keys()].filter((name) => {
    const [grows, limit] = [delta.get(name) ?? zeroQuantity, hard[name]]
    if (limit === undefined || grows.nano <= 0n) return false
    return compareQuantities(plus(tryParseQuantity(used[name] ?? '0'), grows), parseQuantity(limit)) > 0
  })
  if (exceeded.length === 0) return undefined
  const list = (textOf: (name: string) => string) =>
    exceeded
      .sort()
      .map((name) => `${name}=${textOf(name)}`)
      .join(',')
  const requested = list((name) => formatQuantity(delta.get(name) ?? zeroQuantity))
  const [has, limited] = [list((name) => used[name] ?? '0'), list((name) => hard[name] ?? '0')]
  return `exceeded quota: ${quota.metadata.name}, requested: ${requested}, used: ${has}, limited: ${limited}`
}

/** Edits `status.used`; whether anything changed. */
function add(quota: ResourceQuota, delta: Amounts): boolean {
  const used: Record<string, string> = { ...quota.status?.used }
  let changed = false
  for (const [name, amount] of delta) {
    if (quota.status?.hard?.[name] === undefined || amount.nano === 0n) continue
    used[name] = formatQuantity(atLeastZero(plus(tryParseQuantity(used[name] ?? '0'), amount)))
    changed = true
  }
  if (changed) quota.status = { ...quota.status, used }
  return changed
}

function atLeastZero(amount: Quantity): Quantity {
  return amount.nano < 0n ? { ...amount, nano: 0n } : amount
}
