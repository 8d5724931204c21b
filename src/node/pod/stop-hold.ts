/**
 * The order of stopping: a pod that is deleted goes on running while pods that require it and end as well are still running. By
 * level: each look at the pod asks again who that is. A pod whose dependents stay is not held, nor is one deleted in a hurry.
 */
import type { KubeObject, OwnerReference } from '../../api/object.ts'
import { StatusError } from '../../api/status.ts'
import type { Pod } from '../../api/types.ts'
import { keyOf } from '../../watch/index.ts'
import type { PodState } from './pod-state.ts'

/** However many dependents there are and however long they take: then the pod stops all the same. */
export const MAX_HELD_MS = 120_000
/** What is deleted together is not deleted at the same moment: this long a pod that leaves waits to see who goes with it. */
const SETTLE_MS = 1_000
const LOOK_AGAIN_MS = 100
/** Deleted with less grace, nobody has the time. */
const HURRY_SECONDS = 1
/** Dependents that are looked at for whether they are about to go. */
const MAX_ASKED = 5
const MAX_OWNERS = 5

export class StopHold {
  readonly #state: PodState
  readonly #wake: () => void
  #over = false
  #said = false
  #asking = false
  #seenMs: number | undefined
  /** What is known of the company it leaves in; undefined before the first answer. */
  #leaving: 'alone' | 'perhaps not alone' | 'with dependents' | undefined
  #unfollow = () => {}
  #cancel = () => {}

  constructor(state: PodState, wake: () => void) {
    this.#state = state
    this.#wake = wake
  }

  /** Until when its containers go on at most; undefined when they need not. */
  untilMs(): number | undefined {
    const { pod, memory, context } = this.#state
    const { deletionTimestamp, deletionGracePeriodSeconds: grace = 0 } = pod.metadata
    if (this.#over || deletionTimestamp === undefined) return undefined
    if (memory.gone || grace <= HURRY_SECONDS || memory.endingSinceMs !== undefined) return this.#end()
    // The server's own word for when it was deleted: an agent that starts anew counts from the same moment.
    const untilMs = Date.parse(deletionTimestamp) - grace * 1000 + MAX_HELD_MS
    const dependents = context.dependents.of(pod)
    if (dependents.length === 0) return this.#end()
    const nowMs = context.clock.now()
    if (nowMs >= untilMs) {
      const message = `Stops although pods that require it still run: ${named(dependents)}`
      context.event(pod, { type: 'Warning', reason: 'StopOrderTimeout', message })
      return this.#end()
    }
    const going = dependents.filter(({ metadata }) => metadata.deletionTimestamp !== undefined)
    if (going.length > 0) this.#follow(going)
    else if (!this.#mayHaveCompany(dependents, nowMs)) return this.#end()
    return untilMs
  }

  close(): void {
    this.#unfollow()
    this.#cancel()
    this.#over = true
  }

  #end(): undefined {
    this.close()
    return undefined
  }

  #follow(going: readonly Pod[]): void {
    this.#unfollow()
    this.#unfollow = this.#state.context.dependents.follow(going, this.#wake)
    if (this.#said) return
    this.#said = true
    const message = `Stops after ${named(going)}, which ${going.length === 1 ? 'requires' : 'require'} it`
    this.#state.context.event(this.#state.pod, { type: 'Normal', reason: 'StopOrder', message })
  }

  /** None of its dependents has been deleted yet. */
  #mayHaveCompany(dependents: readonly Pod[], nowMs: number): boolean {
    this.#seenMs ??= nowMs
    if (this.#leaving === 'alone') return false
    if (this.#leaving === 'perhaps not alone' && nowMs - this.#seenMs >= SETTLE_MS) return false
    if (!this.#asking) {
      this.#asking = true
      void this.#ask(dependents.slice(0, MAX_ASKED))
    }
    return true
  }

  async #ask(dependents: readonly Pod[]): Promise<void> {
    const { pod, context } = this.#state
    const before = this.#leaving
    try {
      const isLeaving = await this.#isLeaving(pod)
      const doomed = isLeaving ? await Promise.all(dependents.map((one) => this.#isLeaving(one, true))) : []
      this.#leaving = doomed.includes(true) ? 'with dependents' : isLeaving ? 'perhaps not alone' : 'alone'
    } catch (error) {
      if (context.signal.aborted) return
      context.log.warn('who goes with a pod is not known', { pod: keyOf(pod), error: (error as Error).message })
      this.#leaving = 'alone'
    }
    this.#cancel = context.clock.after(
      before === undefined && this.#leaving === 'alone' ? 0 : LOOK_AGAIN_MS,
      () => {
        this.#asking = false
        this.#wake()
      },
      { unref: true },
    )
  }

  /**
   * Whether more goes than the pod: its namespace, what owns it, the pods of its node. A node that is cordoned may be drained,
   * and a pod that nobody owns may be one of several that somebody deletes: that is enough, unless it is asked for certain.
   */
  async #isLeaving(pod: Pod, forCertain = false): Promise<boolean> {
    const { related, isCordoned } = this.#state.context
    const { namespace = '' } = pod.metadata
    if (!forCertain && isCordoned()) return true
    const around = await allowed(related.namespace(namespace))
    if (around?.metadata.deletionTimestamp !== undefined) return true
    let owner = controllerOf(pod)
    if (!owner) return !forCertain
    for (let depth = 0; owner && depth < MAX_OWNERS; depth++) {
      const object: KubeObject | undefined | null = await allowed(related.owner(owner, namespace), null)
      if (object === null) return false
      if (!object || object.metadata.deletionTimestamp !== undefined || object.spec?.replicas === 0) return true
      owner = controllerOf(object)
    }
    return false
  }
}

function controllerOf({ metadata }: Pick<KubeObject, 'metadata'>): OwnerReference | undefined {
  return metadata.ownerReferences?.find(({ controller }) => controller) as OwnerReference | undefined
}

/** What the agent may not read tells it nothing. */
async function allowed<T, U = undefined>(read: Promise<T>, otherwise?: U): Promise<T | U> {
  try {
    return await read
  } catch (error) {
    if (error instanceof StatusError && error.code === 403) return otherwise as U
    throw error
  }
}

function named(pods: readonly Pod[]): string {
  const [first, second] = pods.map(({ metadata }) => `pod ${metadata.name}`)
  if (pods.length > 2) return `${first} and ${pods.length - 1} more`
  return second === undefined ? (first ?? '') : `${first} and ${second}`
}
