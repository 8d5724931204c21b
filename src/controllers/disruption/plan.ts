/** How many of a PodDisruptionBudget's pods may be disrupted now. Pure. */
import type { Pod, PodDisruptionBudget, PodDisruptionBudgetStatus } from '../../api/types.ts'
import { resolveIntOrPercent } from '../parts/int-or-percent.ts'
import { isReady, isTerminal, timeMs } from '../parts/pods.ts'

/** An eviction that was granted counts for this long, until its pod is seen to go. */
const GRANTED_MS = 2 * 60_000

interface DisruptionObserved {
  budget: PodDisruptionBudget
  /** Those it selects. */
  pods: readonly Pod[]
  /** The replicas their controllers are meant to have; needed for percentages and for maxUnavailable. */
  expectedScale: number
  nowMs: number
  now: string
}

interface DisruptionPlan {
  status: PodDisruptionBudgetStatus
  nextLookMs: number | undefined
}

export function planDisruption(observed: DisruptionObserved): DisruptionPlan {
  const { budget, pods, nowMs } = observed
  const { granted, nextLookMs } = stillGranted(budget, pods, nowMs)
  const healthy = pods.filter(
    (pod) =>
      isReady(pod) &&
      !isTerminal(pod) &&
      pod.metadata.deletionTimestamp === undefined &&
      granted[pod.metadata.name ?? ''] === undefined,
  ).length
  const { expected, desired } = wanted(observed)
  const allowed = expected > 0 ? Math.max(0, healthy - desired) : 0
  const status: PodDisruptionBudgetStatus = {
    ...(budget.metadata.generation !== undefined && { observedGeneration: budget.metadata.generation }),
    ...(Object.keys(granted).length > 0 && { disruptedPods: granted }),
    disruptionsAllowed: allowed,
    currentHealthy: healthy,
    desiredHealthy: desired,
    expectedPods: expected,
    conditions: conditionsAfter(observed, allowed > 0 ? 'SufficientPods' : 'InsufficientPods', allowed > 0, ''),
  }
  return { status, nextLookMs }
}

/** What is said when the expected count cannot be found: nothing may be disrupted. */
export function failedStatus(
  observed: Omit<DisruptionObserved, 'expectedScale' | 'pods'>,
  message: string,
): PodDisruptionBudgetStatus {
  return {
    ...{ currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 },
    ...observed.budget.status,
    disruptionsAllowed: 0,
    conditions: conditionsAfter(observed, 'SyncFailed', false, message),
  }
}

function stillGranted(budget: PodDisruptionBudget, pods: readonly Pod[], nowMs: number) {
  const granted: Record<string, string> = {}
  let nextLookMs: number | undefined
  for (const [name, time] of Object.entries(budget.status?.disruptedPods ?? {})) {
    const pod = pods.find(({ metadata }) => metadata.name === name)
    const leftMs = (timeMs(time) ?? 0) + GRANTED_MS - nowMs
    if (!pod || pod.metadata.deletionTimestamp !== undefined || leftMs <= 0) continue
    granted[name] = time
    nextLookMs = Math.min(nextLookMs ?? leftMs, leftMs)
  }
  return { granted, nextLookMs }
}

function wanted({ budget, pods, expectedScale }: DisruptionObserved): { expected: number; desired: number } {
  const { minAvailable, maxUnavailable } = budget.spec ?? {}
  if (maxUnavailable !== undefined) {
    const most = resolveIntOrPercent(maxUnavailable, expectedScale, 'up')
    return { expected: expectedScale, desired: Math.max(0, expectedScale - most) }
  }
  if (typeof minAvailable === 'number') return { expected: pods.length, desired: minAvailable }
  if (minAvailable !== undefined)
    return { expected: expectedScale, desired: resolveIntOrPercent(minAvailable, expectedScale, 'up') }
  return { expected: pods.length, desired: 1 }
}

function conditionsAfter(
  { budget, now }: Pick<DisruptionObserved, 'budget' | 'now'>,
  reason: string,
  allowed: boolean,
  message: string,
): NonNullable<PodDisruptionBudgetStatus['conditions']> {
  const before = budget.status?.conditions ?? []
  const known = before.find(({ type }) => type === 'DisruptionAllowed')
  const status = allowed ? 'True' : 'False'
  const changed = {
    type: 'DisruptionAllowed',
    status,
    ...(budget.metadata.generation !== undefined && { observedGeneration: budget.metadata.generation }),
    lastTransitionTime: known?.status === status ? known.lastTransitionTime : now,
    reason,
    message,
  }
  return [...before.filter((one) => one !== known), changed]
}

/** Whether the count needs the controllers' scale at all. */
export function needsScale({ spec }: PodDisruptionBudget): boolean {
  return spec?.maxUnavailable !== undefined || typeof spec?.minAvailable === 'string'
}
