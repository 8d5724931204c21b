/** What is remembered of each autoscaler between two looks. After a restart it begins anew, from the number of replicas there are. */
import type { HorizontalPodAutoscalerSpec } from '../../api/types.ts'
import { type History, type Recommendation, remembersMs, type ScaleEvent } from './pace.ts'

interface Remembered {
  recommendations: Recommendation[]
  ups: ScaleEvent[]
  downs: ScaleEvent[]
}

export class AutoscalerMemory {
  readonly #known = new Map<string, Remembered>()
  /** By pod uid: the autoscalers whose target has the pod. */
  readonly #claims = new Map<string, Set<string>>()
  readonly #claimed = new Map<string, readonly string[]>()

  /** A target begins with what it has: that is its first recommendation. */
  history(key: string, currentReplicas: number, nowMs: number): History {
    return this.#of(key, currentReplicas, nowMs)
  }

  /** `replicas` is what the metrics asked for, before any bound. */
  recommend(key: string, spec: HorizontalPodAutoscalerSpec, replicas: number, nowMs: number): void {
    const known = this.#of(key, replicas, nowMs)
    const since = nowMs - remembersMs(spec).recommendations
    known.recommendations = [...known.recommendations.filter(({ atMs }) => atMs > since), { replicas, atMs: nowMs }]
  }

  scaled(key: string, spec: HorizontalPodAutoscalerSpec, from: number, to: number, nowMs: number): void {
    const known = this.#of(key, from, nowMs)
    const since = nowMs - remembersMs(spec).events
    const recent = (events: readonly ScaleEvent[]) => events.filter(({ atMs }) => atMs > since)
    known.ups = recent(known.ups)
    known.downs = recent(known.downs)
    const event = { replicas: Math.abs(to - from), atMs: nowMs }
    if (to > from) known.ups.push(event)
    else known.downs.push(event)
  }

  /** Says that these pods are the target's; answers the other autoscalers that say so of one of them. */
  claim(key: string, podUids: readonly string[]): string[] {
    this.#release(key)
    const others = new Set<string>()
    for (const uid of podUids) {
      const claims = this.#claims.get(uid)
      if (!claims) this.#claims.set(uid, new Set([key]))
      else {
        for (const other of claims) others.add(other)
        claims.add(key)
      }
    }
    this.#claimed.set(key, podUids)
    return [...others].sort()
  }

  forget(key: string): void {
    this.#known.delete(key)
    this.#release(key)
  }

  #of(key: string, replicas: number, nowMs: number): Remembered {
    let known = this.#known.get(key)
    if (!known) {
      known = { recommendations: [{ replicas, atMs: nowMs }], ups: [], downs: [] }
      this.#known.set(key, known)
    }
    return known
  }

  #release(key: string): void {
    for (const uid of this.#claimed.get(key) ?? []) {
      const claims = this.#claims.get(uid)
      claims?.delete(key)
      if (claims?.size === 0) this.#claims.delete(uid)
    }
    this.#claimed.delete(key)
  }
}
