/**
 * Lifts the gate of a pod when everything it requires is there, says what it waits for until then, and looks after pods that
 * run when one of their requirements is lost. By level: it reads what is, and knows no history but what stands on the pod.
 */
import { REQUIREMENTS_MET, REQUIRES_GATE, RESOLVED } from '../../api/requires/names.ts'
import type { Requirement } from '../../api/requires/requirement.ts'
import { isNotFound } from '../../api/status.ts'
import type { Pod } from '../../api/types.ts'
import { timestamp } from '../../base/clock.ts'
import { pods } from '../../client/resources.ts'
import type { ReconcileContext, ReconcileResult, Reconciler } from '../../reconcile/reconciler.ts'
import { splitKey } from '../../watch/informer.ts'
import type { Connect } from './attempt.ts'
import { Observer } from './observer.ts'
import { isGated, isUnsettled, MET_STATE, type Plan, planPod, type State } from './plan.ts'
import { Resolved } from './resolved.ts'

const SOURCE = 'requires'
/** Pods at work at once: what many wait for comes at once for all of them. */
const PARALLEL_PODS = 64

interface Lifted {
  uid: string | undefined
  /** What the condition is to say. */
  state: State
  told: boolean
}

export function requiresReconciler({ connect }: { connect: Connect }): Reconciler {
  let observer: Observer | undefined
  const resolved = new Resolved()
  /** Pods whose gate was lifted, until the cache has heard of it and of their condition. */
  const lifted = new Map<string, Lifted>()

  async function reconcilePod(key: string, context: ReconcileContext): Promise<ReconcileResult | undefined> {
    const pod = context.informer(pods).store.get(key)
    const requirements = pod ? followed(pod, resolved) : []
    if (lifted.get(key)?.uid !== pod?.metadata.uid) lifted.delete(key)
    if (pod && isUnsettled(pod)) await settle(key, pod, context)
    else if (pod && !isGated(pod)) lifted.delete(key)
    if (!pod || requirements.length === 0) {
      observer!.release(key)
      return undefined
    }
    if (isGated(pod) && lifted.has(key)) return undefined
    const { judged, againMs } = await observer!.judge(key, splitKey(key).namespace, requirements)
    const plan = planPod(pod, judged, context.clock.now(), observer!.circles.of(key))
    await perform(plan, pod, context)
    if (plan.lift) lifted.set(key, { uid: pod.metadata.uid, state: plan.condition ?? MET_STATE, told: false })
    const requeueAfterMs = Math.min(plan.lookAgainMs ?? Number.POSITIVE_INFINITY, againMs ?? Number.POSITIVE_INFINITY)
    return Number.isFinite(requeueAfterMs) ? { requeueAfterMs } : undefined
  }

  /** Its gate is gone, and its condition does not say so yet. Who lifted it may have been an earlier process. */
  async function settle(key: string, pod: Pod, context: ReconcileContext): Promise<void> {
    const known = lifted.get(key) ?? { uid: pod.metadata.uid, state: MET_STATE, told: false }
    if (known.told) return
    lifted.set(key, known)
    await perform({ condition: known.state }, pod, context)
    known.told = true
  }

  return {
    name: 'requires',
    concurrency: PARALLEL_PODS,
    setup(context, enqueue) {
      // Most clusters require nothing: what has to be followed is followed from the first pod on.
      context.informer(pods).subscribe(({ key, object, old }) => {
        if (!concerns(object, resolved) && !concerns(old, resolved)) return
        observer ??= new Observer(context, connect, enqueue)
        enqueue(key)
      })
    },
    reconcile: (key, context) => (observer ? reconcilePod(key, context) : Promise.resolve(undefined)),
  }
}

function concerns(pod: Pod | undefined, resolved: Resolved): boolean {
  return pod?.metadata.annotations?.[RESOLVED] !== undefined && (followed(pod, resolved).length > 0 || isUnsettled(pod))
}

/** While the pod waits everything counts; once it runs, what it cannot lose. */
function followed(pod: Pod, resolved: Resolved): readonly Requirement[] {
  const { phase } = pod.status ?? {}
  if (pod.metadata.deletionTimestamp !== undefined || phase === 'Succeeded' || phase === 'Failed') return []
  return isGated(pod) ? resolved.of(pod) : resolved.vitalOf(pod)
}

async function perform(plan: Plan, pod: Pod, context: ReconcileContext): Promise<void> {
  const { client } = context
  const { name = '', namespace, uid } = pod.metadata
  try {
    // The condition follows as soon as the cache has the pod without its gate: of many pods the gates come first.
    if (plan.lift) {
      const spec = { schedulingGates: [{ name: REQUIRES_GATE, $patch: 'delete' }] }
      await client.patch(pods, name, 'strategic', { metadata: { uid }, spec }, { namespace })
    } else if (plan.condition) await writeCondition(plan.condition, plan.fail, pod, context)
    if (plan.event) context.event(pod, { ...plan.event, source: SOURCE })
    if (plan.remove) await client.delete(pods, name, { namespace, preconditions: { ...(uid && { uid }) } })
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}

async function writeCondition(state: State, fail: Plan['fail'], pod: Pod, { client, clock }: ReconcileContext): Promise<void> {
  const { name = '', namespace, uid } = pod.metadata
  const before = pod.status?.conditions?.find(({ type }) => type === REQUIREMENTS_MET)
  const since = before?.status === state.status ? before.lastTransitionTime : timestamp(clock)
  const status = {
    conditions: [{ type: REQUIREMENTS_MET, ...state, lastTransitionTime: since }],
    ...(fail && { phase: 'Failed', reason: fail.reason, message: fail.message }),
  }
  await client.patch(pods, name, 'strategic', { metadata: { uid }, status }, { namespace, subresource: 'status' })
}
