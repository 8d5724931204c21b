/**
 * Whether a Deployment goes back, and to what. A template is watched until it has proved itself: its rollout is complete and
 * nothing crashed for a while. One that fails before is left, once; who asks for it again gets it. Pure.
 */
import { isDeepStrictEqual } from 'node:util'
import { CANARY } from '../../api/extensions/canary.ts'
import type { ContainerStatus, Deployment, Pod, PodTemplateSpec, ReplicaSet } from '../../api/types.ts'
import { AUTO_ROLLBACK, readTriggers, type Trigger } from './settings.ts'
import { type BadTemplate, badTemplates, imagesOf, LAST_GOOD } from './verdicts.ts'

/** A template whose rollout has been complete for this long without a crash loop has proved itself. */
export const PROVING_MS = 120_000
/** A container in back-off that was restarted as often as this is in a crash loop. */
const CRASH_LOOP_RESTARTS = 2

const HASH_LABEL = 'pod-template-hash'
const REVISION = 'deployment.kubernetes.io/revision'

export interface RollbackObserved {
  deployment: Deployment
  /** Those it controls. */
  replicaSets: readonly ReplicaSet[]
  podsOf(set: ReplicaSet): readonly Pod[]
  nowMs: number
  /** The same, RFC 3339. */
  now: string
}

export type Verdict =
  /** Nothing can be said of it now: it is paused, its canary is for others to judge, it is going away, or its controller has not looked yet. */
  | { kind: 'Unknown' }
  | { kind: 'Watching'; set: ReplicaSet; againMs: number | undefined; returned: BadTemplate | undefined }
  | { kind: 'Proved'; set: ReplicaSet; isNews: boolean; returned: BadTemplate | undefined }
  | { kind: 'GoBack'; from: ReplicaSet; to: ReplicaSet; bad: BadTemplate }
  /** Failed, and stays: it was asked for again after it had been left, or there is nothing to return to. */
  | { kind: 'Stuck'; set: ReplicaSet; why: 'AskedForAgain' | 'NoGoodRevision'; message: string }

export function planRollback(observed: RollbackObserved): Verdict {
  const { deployment, replicaSets } = observed
  const { metadata, spec, status } = deployment
  const isSeen = (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0)
  const set = replicaSets.find((candidate) => sameTemplate(candidate.spec?.template, spec?.template))
  const isCanary = metadata.annotations?.[CANARY] !== undefined
  if (metadata.deletionTimestamp || spec?.paused || isCanary || !isSeen || !set) return { kind: 'Unknown' }
  const known = badTemplates(deployment)
  const hash = hashOf(set)
  if (metadata.annotations?.[LAST_GOOD] === hash && !known.some((bad) => bad.hash === hash))
    return { kind: 'Proved', set, isNews: false, returned: known.find((bad) => bad.returnedTo === hash) }
  const failure = failureOf(observed, set)
  if (!failure) return proving(observed, set, known)
  const title = `revision ${revisionOf(set)} (${shownImages(set)}) failed: ${failure.message}`
  if (known.some((bad) => bad.hash === hash)) {
    const message = `${title}; it was left once already and asked for again, so it stays`
    return { kind: 'Stuck', set, why: 'AskedForAgain', message }
  }
  const to = goodSet(observed, set, known)
  if (!to) return { kind: 'Stuck', set, why: 'NoGoodRevision', message: `${title}; there is no earlier revision to return to` }
  const [images, after] = [imagesOf(set.spec?.template), imagesOf(to.spec?.template)]
  const changed = Object.keys(images).filter((name) => images[name] !== after[name])
  const bad = {
    ...{ hash, revision: revisionOf(set), images, changed, reason: failure.reason, message: failure.message },
    ...{ at: observed.now, returnedTo: hashOf(to) },
  }
  return { kind: 'GoBack', from: set, to, bad }
}

function proving({ deployment, podsOf, nowMs }: RollbackObserved, set: ReplicaSet, known: readonly BadTemplate[]): Verdict {
  const returned = known.find((bad) => bad.returnedTo === hashOf(set))
  const completeMs = completeSinceMs(deployment)
  if (completeMs === undefined) return { kind: 'Watching', set, againMs: undefined, returned }
  const leftMs = completeMs + PROVING_MS - nowMs
  if (leftMs > 0) return { kind: 'Watching', set, againMs: leftMs, returned }
  // The next change of such a pod is the next look.
  if (podsOf(set).some((pod) => statusesOf(pod).some(isBackingOff)))
    return { kind: 'Watching', set, againMs: undefined, returned }
  return { kind: 'Proved', set, isNews: true, returned }
}

interface Failure {
  reason: 'ProgressDeadlineExceeded' | 'CrashLoop'
  message: string
}

function failureOf({ deployment, podsOf }: RollbackObserved, set: ReplicaSet): Failure | undefined {
  const triggers = triggersOf(deployment)
  const progressing = deployment.status?.conditions?.find(({ type }) => type === 'Progressing')
  if (triggers.has('progress-deadline') && progressing?.reason === 'ProgressDeadlineExceeded') {
    const seconds = deployment.spec?.progressDeadlineSeconds
    return { reason: 'ProgressDeadlineExceeded', message: `no progress within ${seconds} s` }
  }
  if (!triggers.has('crash-loop')) return undefined
  for (const pod of podsOf(set)) {
    const crashed = statusesOf(pod).find((status) => isBackingOff(status) && status.restartCount >= CRASH_LOOP_RESTARTS)
    if (!crashed) continue
    const { exitCode } = crashed.lastState?.terminated ?? {}
    const ended = exitCode === undefined ? '' : `, last with exit code ${exitCode}`
    const message = `container ${crashed.name} of pod ${pod.metadata.name} crashes again and again${ended}`
    return { reason: 'CrashLoop', message }
  }
  return undefined
}

/** Admission has refused what cannot be read; what stands there all the same asks for nothing. */
function triggersOf({ metadata }: Deployment): ReadonlySet<Trigger> {
  try {
    return readTriggers(metadata.annotations?.[AUTO_ROLLBACK] ?? '')
  } catch {
    return new Set()
  }
}

function completeSinceMs({ spec, status }: Deployment): number | undefined {
  const wanted = spec?.replicas ?? 1
  const { updatedReplicas = 0, replicas = 0, availableReplicas = 0, conditions = [] } = status ?? {}
  if (updatedReplicas !== wanted || replicas !== wanted || availableReplicas !== wanted) return undefined
  const progressing = conditions.find(({ type }) => type === 'Progressing')
  if (progressing) {
    if (progressing.reason !== 'NewReplicaSetAvailable') return undefined
    return Date.parse(progressing.lastUpdateTime ?? progressing.lastTransitionTime ?? '') || undefined
  }
  // Without a deadline there is no such condition: then since it was available.
  const available = conditions.find(({ type, status: value }) => type === 'Available' && value === 'True')
  return Date.parse(available?.lastTransitionTime ?? '') || undefined
}

/** The last one that proved itself, or else the latest one that did not fail. */
function goodSet({ deployment, replicaSets }: RollbackObserved, failed: ReplicaSet, known: readonly BadTemplate[]) {
  const hashes = new Set(known.map(({ hash }) => hash))
  const candidates = replicaSets.filter((set) => set !== failed && !hashes.has(hashOf(set)) && !set.metadata.deletionTimestamp)
  const proved = deployment.metadata.annotations?.[LAST_GOOD]
  return (
    candidates.find((set) => hashOf(set) === proved) ??
    candidates.sort((a, b) => Number(revisionOf(b)) - Number(revisionOf(a)))[0]
  )
}

function statusesOf({ status }: Pod): ContainerStatus[] {
  return [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])]
}

export function isBackingOff({ state }: ContainerStatus): boolean {
  return state?.waiting?.reason === 'CrashLoopBackOff'
}

/** Without the label that tells the pods of one ReplicaSet from another's. */
export function plainTemplate(template: PodTemplateSpec | undefined): PodTemplateSpec {
  const { [HASH_LABEL]: _hash, ...labels } = template?.metadata?.labels ?? {}
  return { ...template, metadata: { ...template?.metadata, labels } }
}

function sameTemplate(a: PodTemplateSpec | undefined, b: PodTemplateSpec | undefined): boolean {
  return isDeepStrictEqual(plainTemplate(a), plainTemplate(b))
}

export function hashOf({ metadata }: ReplicaSet): string {
  return metadata.labels?.[HASH_LABEL] ?? metadata.name ?? ''
}

export function revisionOf({ metadata }: ReplicaSet): string {
  return metadata.annotations?.[REVISION] ?? '?'
}

export function shownImages({ spec }: ReplicaSet): string {
  return (spec?.template?.spec?.containers ?? []).map(({ image = '' }) => image.split('@')[0]).join(', ')
}
