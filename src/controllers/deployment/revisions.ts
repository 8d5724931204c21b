/** Which ReplicaSet has the current template, how revisions are counted, and which history is dropped. Pure. */
import type { Deployment, ReplicaSet } from '../../api/types.ts'
import { deployments, replicaSets as replicaSetResource } from '../../client/resources.ts'
import { copyOf } from '../parts/json.ts'
import { controllerReference } from '../parts/owners.ts'
import { sameTemplate, TEMPLATE_HASH_LABEL, templateHash } from '../parts/template-hash.ts'
import { byCreation, DESIRED_REPLICAS, MAX_REPLICAS, type PlannedSet, plannedSet, REVISION, REVISION_HISTORY } from './model.ts'

/** The Deployment's own annotations that a ReplicaSet does not inherit. */
const NOT_INHERITED = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  'deprecated.deployment.rollback.to',
  ...[REVISION, REVISION_HISTORY, DESIRED_REPLICAS, MAX_REPLICAS],
])
/** A set that was rolled back to keeps the revisions it had before, up to this many characters of them. */
const MAX_HISTORY_CHARACTERS = 2_000

/** The sets under plan, the one with the Deployment's template marked as new; without one, `current` is undefined. */
export function sortSets(
  deployment: Deployment,
  sets: readonly ReplicaSet[],
): { current: PlannedSet | undefined; old: PlannedSet[] } {
  const planned = sets.map((set) => plannedSet(set, false)).sort(byCreation)
  const found = planned.find(({ set }) => sameTemplate(set.spec?.template, deployment.spec?.template))
  return {
    current: found && plannedSet(found.set, true),
    old: planned.filter((one) => one !== found),
  }
}

/** The ReplicaSet that a new template needs, not yet of any size. */
export function newReplicaSet(deployment: Deployment): PlannedSet {
  const { name, namespace } = deployment.metadata
  const spec = deployment.spec
  const hash = templateHash(spec?.template, deployment.status?.collisionCount)
  const template = copyOf(spec?.template ?? {})
  template.metadata = { ...template.metadata, labels: { ...template.metadata?.labels, [TEMPLATE_HASH_LABEL]: hash } }
  const selector = copyOf(spec?.selector ?? {})
  selector.matchLabels = { ...selector.matchLabels, [TEMPLATE_HASH_LABEL]: hash }
  const set: ReplicaSet = {
    apiVersion: 'apps/v1',
    kind: replicaSetResource.kind,
    metadata: {
      name: `${name}-${hash}`,
      namespace,
      labels: { ...template.metadata.labels },
      ownerReferences: [controllerReference(deployment, deployments)],
    },
    spec: { selector, template, ...(spec?.minReadySeconds !== undefined && { minReadySeconds: spec.minReadySeconds }) },
  }
  return plannedSet(set, true, true)
}

/** Gives the current set the highest revision, the Deployment's annotations and its minReadySeconds. */
export function syncRevision(deployment: Deployment, current: PlannedSet, old: readonly PlannedSet[]): void {
  for (const [key, value] of Object.entries(deployment.metadata.annotations ?? {})) {
    if (!NOT_INHERITED.has(key)) current.annotations[key] = value
  }
  const next = Math.max(0, ...old.map(revisionOf)) + 1
  const before = revisionOf(current)
  if (before < next) {
    if (current.annotations[REVISION] !== undefined) current.annotations[REVISION_HISTORY] = historyWith(current, before)
    current.annotations[REVISION] = String(next)
  }
  current.minReadySeconds = deployment.spec?.minReadySeconds
}

function revisionOf({ annotations }: PlannedSet): number {
  const revision = Number(annotations[REVISION] ?? 0)
  return Number.isInteger(revision) ? revision : 0
}

function historyWith({ annotations }: PlannedSet, revision: number): string {
  const revisions = (annotations[REVISION_HISTORY] ?? '').split(',').filter(Boolean)
  revisions.push(String(revision))
  while (revisions.length > 1 && revisions.join(',').length > MAX_HISTORY_CHARACTERS) revisions.shift()
  return revisions.join(',')
}

/** The old sets beyond the history limit that nothing runs in any more, oldest revision first. */
export function historyToDrop(deployment: Deployment, old: readonly PlannedSet[]): ReplicaSet[] {
  const limit = deployment.spec?.revisionHistoryLimit
  if (limit === undefined || limit === 2 ** 31 - 1) return []
  const kept = old.filter(({ set }) => set.metadata.deletionTimestamp === undefined)
  const surplus = kept.length - limit
  if (surplus <= 0) return []
  const oldestFirst = kept.sort((a, b) => revisionOf(a) - revisionOf(b) || byCreation(a, b))
  return oldestFirst
    .slice(0, surplus)
    .filter(isIdle)
    .map(({ set }) => set)
}

function isIdle({ set, replicas }: PlannedSet): boolean {
  const observed = (set.metadata.generation ?? 0) <= (set.status?.observedGeneration ?? 0)
  return replicas === 0 && (set.status?.replicas ?? 0) === 0 && observed
}
