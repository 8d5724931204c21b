/** What to do about a pod, from what it requires and how that is now. Pure. */
import { stageTimeoutReason } from '../../api/extensions/stage-timeouts.ts'
import type { Verdict } from '../../api/requires/condition.ts'
import { REQUIREMENTS_MET, REQUIRES_GATE } from '../../api/requires/names.ts'
import { describe, type Requirement } from '../../api/requires/requirement.ts'
import type { Pod } from '../../api/types.ts'

export interface Judged {
  requirement: Requirement
  verdict: Verdict
}

/** What a pod's condition says. */
export interface State {
  status: 'True' | 'False'
  reason: string
  message: string
}

export const MET_STATE: State = { status: 'True', reason: 'Met', message: '' }

export interface Plan {
  /** Takes the gate away: the pod may start. */
  lift?: boolean
  /** What the pod's condition says from now on; absent when it says so already. */
  condition?: State
  /** The pod has failed for good. */
  fail?: { reason: string; message: string }
  /** Deletes the pod, with its grace; its controller makes another, which waits. */
  remove?: boolean
  event?: { type: 'Normal' | 'Warning'; reason: string; message: string }
  /** When a timeout runs out. */
  lookAgainMs?: number
}

/** Requirements that a message names; the rest is counted. */
const MAX_NAMED = 10
const TIMESTAMP_STEP_MS = 1_000
const LOST = 'Lost'
const CIRCLE = 'Circle'

/** `circle`: why the pod can never start, when it waits for itself. */
export function planPod(pod: Pod, judged: readonly Judged[], nowMs: number, circle?: string): Plan {
  return isGated(pod) ? planWaiting(pod, judged, nowMs, circle) : planRunning(pod, judged)
}

export function isGated({ spec }: Pod): boolean {
  return spec?.schedulingGates?.some(({ name }) => name === REQUIRES_GATE) ?? false
}

/** It may start, and its condition does not say so yet. */
export function isUnsettled(pod: Pod): boolean {
  const { phase } = pod.status ?? {}
  if (isGated(pod) || pod.metadata.deletionTimestamp !== undefined || phase === 'Succeeded' || phase === 'Failed') return false
  const condition = conditionOf(pod)
  return condition === undefined || (condition.status === 'False' && condition.reason !== LOST)
}

function planWaiting(pod: Pod, judged: readonly Judged[], nowMs: number, circle: string | undefined): Plan {
  // The wire has whole seconds: counted from the end of its second, a timeout is never too early.
  const waitedMs = nowMs - Date.parse(pod.metadata.creationTimestamp ?? '') - TIMESTAMP_STEP_MS
  const overdue = ({ requirement: { timeoutMs } }: Judged) => timeoutMs !== undefined && waitedMs >= timeoutMs
  const unmet = judged.filter(({ verdict }) => !verdict.met)
  const failed = unmet.find((one) => one.requirement.onTimeout === 'Fail' && overdue(one))
  if (failed) {
    const message = `${describe(failed.requirement)} did not hold within ${seconds(failed.requirement.timeoutMs ?? 0)}: ${failed.verdict.why}`
    const reason = failed.requirement.byStage ? stageTimeoutReason('requires') : 'RequirementTimeout'
    return { ...saying(pod, 'False', reason, message), fail: { reason, message }, event: { type: 'Warning', reason, message } }
  }
  const waiting = unmet.filter((one) => !(one.requirement.onTimeout === 'Proceed' && overdue(one)))
  if (waiting.length === 0) {
    const skipped = unmet.map(({ requirement }) => describe(requirement))
    const message = skipped.length > 0 ? `goes on without ${skipped.join(', ')}` : ''
    const reason = skipped.length > 0 ? 'TimedOutAndProceeded' : 'Met'
    const told = message || `${judged.length === 1 ? 'what it requires is' : 'everything it requires is'} there`
    return {
      lift: true,
      ...saying(pod, 'True', reason, message),
      event: { type: 'Normal', reason: 'RequirementsMet', message: told },
    }
  }
  const message = `waiting for ${listed(waiting, overdue)}${circle === undefined ? '' : `; ${circle}`}`
  const nextMs = Math.min(
    ...waiting.flatMap(({ requirement: { timeoutMs } }) =>
      timeoutMs !== undefined && timeoutMs > waitedMs ? [timeoutMs - waitedMs] : [],
    ),
  )
  return {
    ...saying(pod, 'False', circle === undefined ? 'Waiting' : CIRCLE, message),
    ...waitingEvent(pod, message, circle),
    ...(Number.isFinite(nextMs) && { lookAgainMs: nextMs }),
  }
}

/** Once that it waits, and once that it does so for ever. */
function waitingEvent(pod: Pod, message: string, circle: string | undefined): Pick<Plan, 'event'> {
  const before = conditionOf(pod)
  if (circle !== undefined)
    return before?.reason === CIRCLE ? {} : { event: { type: 'Warning', reason: 'RequirementCircle', message: circle } }
  return before === undefined ? { event: { type: 'Normal', reason: 'WaitingForRequirements', message } } : {}
}

function planRunning(pod: Pod, judged: readonly Judged[]): Plan {
  const lost = judged.filter(({ verdict }) => !verdict.met)
  const before = conditionOf(pod)
  if (lost.length === 0) {
    // It was lost and is back: the pod starts anew with it.
    if (before?.status === 'False' && before.reason === LOST) {
      const message = 'what it had lost is back: it starts again'
      return {
        ...saying(pod, 'True', 'Met', ''),
        remove: true,
        event: { type: 'Normal', reason: 'RequirementRestored', message },
      }
    }
    return {}
  }
  const message = `lost ${listed(lost, () => false)}`
  const stops = lost.some(({ requirement }) => requirement.onLoss === 'stop')
  const said = saying(pod, 'False', LOST, message)
  if (!stops && !said.condition) return {}
  const event = { type: 'Warning' as const, reason: 'RequirementLost', message: `${message}${stops ? ': it stops' : ''}` }
  return { ...said, event, ...(stops && { remove: true }) }
}

function listed(waiting: readonly Judged[], overdue: (one: Judged) => boolean): string {
  const named = waiting.slice(0, MAX_NAMED).map((one) => {
    const late = overdue(one) ? `, for more than ${seconds(one.requirement.timeoutMs ?? 0)}` : ''
    return `${describe(one.requirement)} (${one.verdict.why}${late})`
  })
  const others = waiting.length - named.length
  return named.join(', ') + (others > 0 ? ` and ${others} more` : '')
}

function saying(pod: Pod, status: 'True' | 'False', reason: string, message: string): Pick<Plan, 'condition'> {
  const before = conditionOf(pod)
  const isSame = before?.status === status && before.reason === reason && (before.message ?? '') === message
  return isSame ? {} : { condition: { status, reason, message } }
}

function conditionOf({ status }: Pod) {
  return status?.conditions?.find(({ type }) => type === REQUIREMENTS_MET)
}

function seconds(ms: number): string {
  return ms % 1000 === 0 ? `${ms / 1000} s` : `${ms} ms`
}
