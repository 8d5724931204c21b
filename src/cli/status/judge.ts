/** Whether an object works, from what was found out about it. Pure. */
import { verdictOf } from '../../api/requires/condition.ts'
import type { Job } from '../../api/types.ts'
import { type RolloutState, rolloutStateOf } from '../../rollout/index.ts'
import { age } from '../age.ts'
import { endpointsIn, stateOf } from '../tree/state.ts'
import { type Cause, rootCauses } from '../why/cause.ts'
import type { Facts } from './facts.ts'
import { isReady } from './pods.ts'
import type { Verdict } from './report.ts'

export interface Judgement {
  readonly verdict: Verdict
  readonly why: string
}

const works = (why: string): Judgement => ({ verdict: 'works', why })
const partly = (why: string): Judgement => ({ verdict: 'partly', why })
const broken = (why: string): Judgement => ({ verdict: 'broken', why })
const stopped = (why: string): Judgement => ({ verdict: 'stopped', why })

/** `cause`: what it waits for, undefined when nothing of it waits. */
export function judge(facts: Facts, cause: Cause | undefined, nowMs: number): Judgement {
  const { object } = facts
  if (object.metadata.deletionTimestamp !== undefined) return broken('it is being deleted')
  switch (object.kind) {
    case 'Pod':
      if (cause) return broken(rootOf(cause))
      return works(object.status?.phase === 'Succeeded' ? 'it has done what it was for' : 'it is ready')
    case 'Job':
      return judgeJob(facts, cause)
    case 'CronJob':
      return judgeCronJob(facts, cause, nowMs)
    case 'Service':
      return judgeService(facts, cause)
    case 'Node':
      return judgeNode(facts)
    case 'PersistentVolumeClaim':
      return cause ? broken(rootOf(cause)) : works(`it is bound to persistentvolume/${object.spec?.volumeName}`)
    default: {
      const rollout = rolloutStateOf(object)
      return rollout ? judgeWorkload(facts, rollout, cause) : judgeOther(facts, nowMs)
    }
  }
}

/** What is at the end of the chain; its name where that is not the object itself. */
function rootOf(cause: Cause): string {
  const [root = cause] = rootCauses([cause])
  return root.subject === cause.subject ? root.why : `${root.subject}: ${root.why}`
}

function judgeWorkload({ object, pods }: Facts, rollout: RolloutState, cause: Cause | undefined): Judgement {
  const { wanted, updated, available, state } = rollout
  const isDaemon = object.kind === 'DaemonSet'
  const ready = pods.filter(isReady).length
  if (wanted === 0 && state !== 'rolling') return stopped(isDaemon ? 'no node wants it' : 'it is scaled to zero')
  const counts = `${Math.min(ready, wanted)} of ${wanted} ready`
  const less = ready === 0 ? broken : partly
  if (cause) return less(rootOf(cause))
  if (state === 'stuck') return less(`its rollout is stuck: ${updated} of ${wanted} updated`)
  if (state === 'paused') return less(`its rollout is paused: ${updated} of ${wanted} updated`)
  if (state === 'held') return partly(`a canary runs: ${updated} of ${wanted} updated`)
  if (ready < wanted) return less(counts)
  if (state === 'rolling') return partly(`its rollout is under way: ${updated} of ${wanted} updated`)
  return available < wanted ? partly(`${available} of ${wanted} available`) : works(counts)
}

function judgeJob({ object, pods }: Facts, cause: Cause | undefined): Judgement {
  const { spec, status } = object
  const done = `${status?.succeeded ?? 0} of ${spec?.completions ?? 1} done`
  const ended = endOf(object as Job)
  if (ended?.type === 'Complete') return works('it is complete')
  if (ended)
    return broken(`it failed: ${ended.message || ended.reason}${cause && cause.behind.length > 0 ? `; ${rootOf(cause)}` : ''}`)
  if (spec?.suspend) return stopped('it is suspended')
  const waits = cause && cause.behind.length > 0
  if (!waits && pods.some(isReady)) return works(`it runs: ${done}`)
  return pods.some(isReady) ? partly(rootOf(cause!)) : broken(waits ? rootOf(cause) : `none of its pods runs: ${done}`)
}

function endOf({ status }: Job) {
  return status?.conditions?.find(({ type, status: holds }) => (type === 'Complete' || type === 'Failed') && holds === 'True')
}

function judgeCronJob({ object, jobs }: Facts, cause: Cause | undefined, nowMs: number): Judgement {
  const { spec, status } = object
  if (spec?.suspend) return stopped('it is suspended')
  const last = jobs.find((job) => endOf(job) !== undefined)
  const end = last && endOf(last)
  if (end?.type === 'Failed') return broken(`its last job, job/${last?.metadata.name}, failed: ${end.message || end.reason}`)
  if (cause) return partly(rootOf(cause))
  const lastTime = status?.lastSuccessfulTime
    ? `, last successful ${age(status.lastSuccessfulTime, nowMs)} ago`
    : ', has not run to its end yet'
  return works(`schedule ${JSON.stringify(spec?.schedule)}${lastTime}`)
}

function judgeService({ object, services }: Facts, cause: Cause | undefined): Judgement {
  const { spec, status } = object
  if (spec?.type === 'ExternalName') return works(`it leads to ${spec.externalName}`)
  const { ready, all } = endpointsIn(services.flatMap(({ slices }) => slices))
  const counts = `${ready} of ${all} endpoints ready`
  if (ready === 0) return broken(cause ? rootOf(cause) : 'it has no ready endpoint')
  if (cause || ready < all) return partly(cause ? rootOf(cause) : counts)
  const isUnreached = spec?.type === 'LoadBalancer' && !status?.loadBalancer?.ingress?.length
  return isUnreached ? partly('no load balancer has given it an address') : works(counts)
}

interface Condition {
  type: string
  status: string
  reason?: string
  message?: string
}

function judgeNode({ object }: Facts): Judgement {
  const conditions = (object.status?.conditions ?? []) as Condition[]
  const ready = conditions.find(({ type }) => type === 'Ready')
  if (ready?.status !== 'True') return broken(`it is not ready${ready?.message ? `: ${ready.message}` : ''}`)
  const pressure = conditions.find(({ type, status }) => type !== 'Ready' && status === 'True')
  if (pressure) return partly(`${pressure.type}${pressure.message ? `: ${pressure.message}` : ''}`)
  return object.spec?.unschedulable ? partly('it is cordoned: no new pods are placed on it') : works('it is ready')
}

function judgeOther({ object }: Facts, nowMs: number): Judgement {
  const { met, why } = verdictOf(object, undefined)
  if (!met) return broken(why)
  const { text, health } = stateOf(object, [], nowMs)
  if (health === 'bad') return broken(text)
  if (health === 'busy') return partly(text)
  return works(text || 'it is there, and does not say more')
}
