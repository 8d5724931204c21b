/** Pods waiting for a node, by priority and then age; those that fit nowhere rest until something changes. */
import type { Pod } from '../api/types.ts'
import { priorityOf } from './preemption.ts'

export class PendingPods {
  readonly #ready = new Map<string, Pod>()
  readonly #resting = new Map<string, Pod>()
  #sorted: Pod[] | undefined

  /** A pod that is new or was changed. Without `changed` a pod that rests goes on resting. */
  set(pod: Pod, changed: boolean): void {
    const uid = pod.metadata.uid ?? ''
    if (!changed && this.#resting.has(uid)) {
      this.#resting.set(uid, pod)
      return
    }
    this.#resting.delete(uid)
    this.#ready.set(uid, pod)
    this.#sorted = undefined
  }

  delete(uid: string): void {
    if (this.#ready.delete(uid)) this.#sorted = undefined
    this.#resting.delete(uid)
  }

  /** The most important pod that waits, taken out. */
  take(): Pod | undefined {
    this.#sorted ??= [...this.#ready.values()].sort(moreImportantLast)
    const pod = this.#sorted.pop()
    if (pod) this.#ready.delete(pod.metadata.uid ?? '')
    return pod
  }

  rest(pod: Pod): void {
    this.#resting.set(pod.metadata.uid ?? '', pod)
  }

  /** Something changed that may make room: everybody tries again. */
  wakeAll(): void {
    if (this.#resting.size === 0) return
    for (const [uid, pod] of this.#resting) this.#ready.set(uid, pod)
    this.#resting.clear()
    this.#sorted = undefined
  }

  get hasReady(): boolean {
    return this.#ready.size > 0
  }

  get hasResting(): boolean {
    return this.#resting.size > 0
  }
}

function moreImportantLast(a: Pod, b: Pod): number {
  const byPriority = priorityOf(a) - priorityOf(b)
  if (byPriority !== 0) return byPriority
  return (b.metadata.creationTimestamp ?? '').localeCompare(a.metadata.creationTimestamp ?? '')
}
