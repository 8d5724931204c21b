/** POST to a pod's `eviction`: a delete that asks the disruption budgets first. */
import type { KubeObject } from '../../api/object.ts'
import { labelSelector } from '../../api/selectors.ts'
import { badRequest, custom, forbidden, internalError, type StatusError } from '../../api/status.ts'
import type { PodDisruptionBudget } from '../../api/types.ts'
import type { Core } from '../core.ts'
import { objectOf } from '../objects/codec.ts'
import { copyJson } from '../objects/json.ts'
import type { Resource } from '../registry.ts'
import { readObject } from '../request/body.ts'
import type { DeleteOptions } from '../request/delete-options.ts'
import { type Answer, type ApiRequest, jsonAnswer } from '../request/request.ts'
import type { ResourceTarget } from '../request/target.ts'
import { deleteObject } from '../verbs/delete.ts'
import { readEntry } from '../verbs/get.ts'
import { Admission } from '../write/admit.ts'
import { type WriteCall, writeCall } from '../write/call.ts'
import { updateObject } from '../write/update.ts'
import { expectedPart, partKind } from './part-kinds.ts'

const EVICTION = partKind('policy', 'v1', 'Eviction')
/** Evictions a budget remembers; more at once are refused. */
const MAX_DISRUPTED_PODS = 2000
const RETRY_SECONDS = 10

/** Throws 404, 400 for another pod's eviction, 429 when a budget forbids it. */
export async function evict(core: Core, request: ApiRequest, resource: Resource, target: ResourceTarget): Promise<Answer> {
  const eviction = await readObject(request, expectedPart(EVICTION), core.registry)
  const { name } = target
  if (eviction.metadata.name && eviction.metadata.name !== name)
    throw badRequest('name in URL does not match name in Eviction object')
  const options = (eviction.deleteOptions ?? {}) as DeleteOptions
  const given = writeCall(core, request, resource, { ...target, subresource: 'eviction' }, 'CreateOptions')
  const call: WriteCall = { ...given, dryRun: given.dryRun || (options.dryRun ?? []).length > 0 }
  const pod = objectOf(readEntry(core, resource, target.namespace, name), resource)
  const admission = new Admission(call, { operation: 'CREATE', name, object: eviction, kind: EVICTION })
  await admission.mutate()
  await admission.validate()
  const budget = ignoresBudgets(pod) ? undefined : budgetOf(core, pod)
  if (budget && !mayGoUnready(pod, budget)) await takeDisruption(core, call, budget, name)
  if (budget && !call.dryRun) await markDisrupted(call)
  await deleteObject(call, options)
  return jsonAnswer(201, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 })
}

/** Pods that do not run disrupt nothing. */
function ignoresBudgets(pod: KubeObject): boolean {
  const phase = pod.status?.phase
  return phase === 'Succeeded' || phase === 'Failed' || phase === 'Pending' || pod.metadata.deletionTimestamp !== undefined
}

function budgetOf(core: Core, pod: KubeObject): PodDisruptionBudget | undefined {
  const { namespace = '', labels } = pod.metadata
  const budgets = core.reader.list('policy', 'poddisruptionbudgets', namespace) as unknown as PodDisruptionBudget[]
  const matching = budgets.filter((budget) => labelSelector(budget.spec?.selector).matches(labels))
  if (matching.length > 1) {
    throw internalError('This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.')
  }
  return matching[0]
}

/** A pod that is not ready may go when its budget is healthy without it, or does not care about such pods. */
function mayGoUnready(pod: KubeObject, { spec, status }: PodDisruptionBudget): boolean {
  const conditions: { type: string; status: string }[] = pod.status?.conditions ?? []
  if (conditions.some((condition) => condition.type === 'Ready' && condition.status === 'True')) return false
  if (spec?.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true
  const { currentHealthy = 0, desiredHealthy = 0 } = status ?? {}
  return currentHealthy >= desiredHealthy && desiredHealthy > 0
}

/** Takes one disruption from the budget. Throws a 429 when there is none to be had. */
async function takeDisruption(core: Core, call: WriteCall, budget: PodDisruptionBudget, podName: string): Promise<void> {
  const budgets = core.registry.lookup('policy', 'v1', 'poddisruptionbudgets')!
  const { name = '', namespace = '' } = budget.metadata as { name?: string; namespace?: string }
  const next = (old: KubeObject) => disrupted(copyJson(old), podName, call.now)
  const onBudget = { ...call, resource: budgets, name, namespace, subresource: 'status' }
  await updateObject(onBudget, { next, rules: {}, managed: true, admitted: true })
}

function disrupted(budget: KubeObject, podName: string, now: string): KubeObject {
  const { name = '', generation = 0 } = budget.metadata
  const { status } = budget
  if ((status.observedGeneration ?? 0) < generation) {
    throw refusal(`The disruption budget ${name} is still being processed by the server.`, RETRY_SECONDS)
  }
  if (status.disruptionsAllowed < 0) {
    throw forbidden({ group: 'policy', plural: 'poddisruptionbudgets' }, name, 'pdb disruptions allowed is negative')
  }
  if (Object.keys(status.disruptedPods ?? {}).length > MAX_DISRUPTED_PODS) {
    throw forbidden(
      { group: 'policy', plural: 'poddisruptionbudgets' },
      name,
      'DisruptedPods map too big - too many evictions not confirmed by PDB controller',
    )
  }
  if (status.disruptionsAllowed === 0) {
    throw refusal(
      `The disruption budget ${name} needs ${status.desiredHealthy} healthy pods and has ${status.currentHealthy} currently`,
    )
  }
  status.disruptionsAllowed -= 1
  if (status.disruptionsAllowed === 0) setInsufficient(budget, now)
  status.disruptedPods = { ...status.disruptedPods, [podName]: now }
  return budget
}

function setInsufficient(budget: KubeObject, now: string): void {
  const conditions: { type: string }[] = budget.status.conditions ?? []
  const condition = {
    type: 'DisruptionAllowed',
    status: 'False',
    observedGeneration: budget.status.observedGeneration,
    lastTransitionTime: now,
    reason: 'InsufficientPods',
    message: '',
  }
  budget.status.conditions = [...conditions.filter(({ type }) => type !== condition.type), condition]
}

function refusal(why: string, retryAfterSeconds?: number): StatusError {
  const details = {
    causes: [{ reason: 'DisruptionBudget', message: why }],
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  }
  return custom(429, 'TooManyRequests', "Cannot evict pod as it would violate the pod's disruption budget.", details)
}

/** Says on the pod why it goes. */
async function markDisrupted(call: WriteCall): Promise<void> {
  const condition = {
    type: 'DisruptionTarget',
    status: 'True',
    lastProbeTime: null,
    lastTransitionTime: call.now,
    reason: 'EvictionByEvictionAPI',
    message: 'Eviction API: evicting',
  }
  const next = (old: KubeObject) => {
    const pod = copyJson(old)
    const conditions: { type: string }[] = pod.status?.conditions ?? []
    pod.status = { ...pod.status, conditions: [...conditions.filter(({ type }) => type !== condition.type), condition] }
    return pod
  }
  await updateObject({ ...call, subresource: 'status' }, { next, rules: {}, managed: true, admitted: true })
}
