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
import { Observer, UNSERVED, UNSERVED_AGAIN_MS } from './observer.ts'
import { isGated, type Judged, type Plan, planPod } from './plan.ts'

const SOURCE = 'requires'

export function requiresReconciler({ connect }: { connect: Connect }): Reconciler {
  let observer: Observer | undefined
  return {
    name: 'requires',
    concurrency: 16,
    setup(context, enqueue) {
      // Most clusters require nothing: what has to be followed is followed from the first pod on.
      context.informer(pods).subscribe(({ key, object, old }) => {
        if ((object ?? old)?.metadata.annotations?.[RESOLVED] === undefined) return
        observer ??= new Observer(context, connect, enqueue)
        enqueue(key)
      })
    },
    async reconcile(key, context) {
      if (!observer) return undefined
      return reconcilePod(key, context, observer)
    },
  }
}

async function reconcilePod(key: string, context: ReconcileContext, observer: Observer): Promise<ReconcileResult | undefined> {
  const { namespace } = splitKey(key)
  const pod = context.informer(pods).store.get(key)
  const requirements = pod ? followed(pod) : []
  if (!pod || requirements.length === 0) {
    observer.needs.remove(key)
    return undefined
  }
  const needs = await Promise.all(requirements.map((requirement) => observer.needFor(requirement, namespace)))
  // First the subscription, then the look: what changes in between wakes the pod again.
  observer.needs.set(key, new Set(needs))
  const judged: Judged[] = await Promise.all(
    requirements.map(async (requirement, index) => ({
      requirement,
      verdict: await observer.judge(requirement, needs[index]!, namespace),
    })),
  )
  const plan = planPod(pod, judged, context.clock.now())
  await perform(plan, pod, context)
  const againMs = Math.min(
    plan.lookAgainMs ?? Number.POSITIVE_INFINITY,
    needs.includes(UNSERVED) ? UNSERVED_AGAIN_MS : Number.POSITIVE_INFINITY,
  )
  return Number.isFinite(againMs) ? { requeueAfterMs: againMs } : undefined
}

/** While the pod waits everything counts; once it runs, what it cannot lose. */
function followed(pod: Pod): Requirement[] {
  const { deletionTimestamp, annotations } = pod.metadata
  const phase = pod.status?.phase
  const text = annotations?.[RESOLVED]
  if (text === undefined || deletionTimestamp !== undefined || phase === 'Succeeded' || phase === 'Failed') return []
  const all = JSON.parse(text) as Requirement[]
  if (isGated(pod)) return all
  return all.filter(({ onLoss }) => onLoss === 'restart' || onLoss === 'stop')
}

async function perform(plan: Plan, pod: Pod, context: ReconcileContext): Promise<void> {
  const { client } = context
  const { name = '', namespace, uid, resourceVersion } = pod.metadata
  try {
    if (plan.lift) {
      const gates = pod.spec?.schedulingGates?.filter((gate) => gate.name !== REQUIRES_GATE) ?? []
      const spec = { schedulingGates: gates.length > 0 ? gates : null }
      await client.patch(pods, name, 'merge', { metadata: { uid, resourceVersion }, spec }, { namespace })
    }
    if (plan.condition) await writeCondition(plan, pod, context)
    if (plan.event) context.event(pod, { ...plan.event, source: SOURCE })
    if (plan.remove) await client.delete(pods, name, { namespace, preconditions: { ...(uid && { uid }) } })
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}

async function writeCondition({ condition, fail }: Plan, pod: Pod, { client, clock }: ReconcileContext): Promise<void> {
  const { name = '', namespace, uid } = pod.metadata
  const before = pod.status?.conditions?.find(({ type }) => type === REQUIREMENTS_MET)
  const since = before?.status === condition!.status ? before.lastTransitionTime : timestamp(clock)
  const status = {
    conditions: [{ type: REQUIREMENTS_MET, ...condition, lastTransitionTime: since }],
    ...(fail && { phase: 'Failed', reason: fail.reason, message: fail.message }),
  }
  await client.patch(pods, name, 'strategic', { metadata: { uid }, status }, { namespace, subresource: 'status' })
}
