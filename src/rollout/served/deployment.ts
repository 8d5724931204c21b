/** Deployments, as the engine for server-side rolls sees them. */
import type { Deployment, ReplicaSet } from '../../api/types.ts'
import type { Client } from '../../client/client.ts'
import { deployments, replicaSets } from '../../client/resources.ts'
import type { Follower } from '../follow.ts'
import { type RollbackOptions, RollError, type SideProgress } from '../progress.ts'
import { beginCanary, canaryOn, endCanary, holdCanary, pauseCanary, resumeCanary } from './deployment-canary.ts'
import { isSeen, type Revision, type ServedKind } from './kind.ts'

const REVISION = 'deployment.kubernetes.io/revision'
const HASH_LABEL = 'pod-template-hash'
/** On a Deployment that an interruption paused, so that the next command knows it may go on. */
const PAUSED = 'skiff.dev/paused'

export const deploymentKind: ServedKind<Deployment> = {
  word: 'deployment',
  resource: deployments,
  stateOf(deployment) {
    const { status } = deployment
    if (!isSeen(deployment)) return 'rolling'
    const { wanted, updated, available, all } = this.countsOf(deployment)
    const isInterrupted = deployment.metadata.annotations?.[PAUSED] !== undefined
    if (canaryOn(deployment)) return !deployment.spec?.paused ? 'rolling' : isInterrupted ? 'paused' : 'held'
    // As `kubectl rollout status` has it.
    if (updated >= wanted && all <= updated && available >= updated) return 'complete'
    if (deployment.spec?.paused) return 'paused'
    const progressing = status?.conditions?.find(({ type }) => type === 'Progressing')
    return progressing?.reason === 'ProgressDeadlineExceeded' ? 'stuck' : 'rolling'
  },
  countsOf: ({ spec, status }) => ({
    wanted: spec?.replicas ?? 1,
    updated: status?.updatedReplicas ?? 0,
    available: status?.availableReplicas ?? 0,
    all: status?.replicas ?? 0,
  }),
  pace({ maxSurge, maxUnavailable, minReadySeconds }, deployment) {
    const { spec, metadata } = deployment
    if (spec?.paused && metadata.annotations?.[PAUSED] === undefined && !canaryOn(deployment))
      throw new RollError(`deployment/${metadata.name} is paused: skiff resume deployment/${metadata.name}`)
    const rollingUpdate = { ...(maxSurge !== undefined && { maxSurge }), ...(maxUnavailable !== undefined && { maxUnavailable }) }
    if (Object.keys(rollingUpdate).length > 0 && spec?.strategy?.type === 'Recreate')
      throw new RollError(`deployment/${metadata.name} recreates its pods: it takes no surge and no unavailability`)
    return {
      ...(Object.keys(rollingUpdate).length > 0 && { strategy: { rollingUpdate } }),
      ...(minReadySeconds !== undefined && { minReadySeconds }),
    }
  },
  release(deployment) {
    const canary = canaryOn(deployment)
    const ended = canary && endCanary(canary)
    if (ended) return { ...ended, annotations: { ...ended.annotations, [PAUSED]: null } }
    return deployment.spec?.paused ? { spec: { paused: false }, annotations: { [PAUSED]: null } } : {}
  },
  pause(deployment) {
    const canary = canaryOn(deployment)
    return { spec: { paused: true, ...(canary && pauseCanary(canary).spec) }, annotations: { [PAUSED]: 'true' } }
  },
  canary: beginCanary,
  hold: holdCanary,
  resume(deployment) {
    const going = resumeCanary(deployment)
    return going ? { ...going, annotations: { ...going.annotations, [PAUSED]: null } } : this.release(deployment)
  },
  revisions: async (client, deployment) => {
    const sets = await ownSets(client, deployment)
    return sets.sort((a, b) => revisionOf(b) - revisionOf(a)).map(revisionFrom)
  },
  follow: followSets,
}

async function ownSets(client: Client, deployment: Deployment): Promise<ReplicaSet[]> {
  const { items } = await client.list(replicaSets, { namespace: deployment.metadata.namespace })
  return items.filter((set) => isOwned(set, deployment))
}

function revisionFrom(set: ReplicaSet): Revision {
  const template = set.spec?.template
  const { [HASH_LABEL]: _, ...labels } = template?.metadata?.labels ?? {}
  return {
    number: revisionOf(set),
    name: set.metadata.name ?? '',
    template: template && { ...template, metadata: { ...template.metadata, labels } },
    annotations: set.metadata.annotations ?? {},
    createdAt: set.metadata.creationTimestamp,
    replicas: set.spec?.replicas,
  }
}

function revisionOf(set: ReplicaSet): number {
  return Number(set.metadata.annotations?.[REVISION] ?? 0)
}

function isOwned(set: ReplicaSet, deployment: Deployment): boolean {
  return set.metadata.ownerReferences?.some(({ uid }) => uid === deployment.metadata.uid) === true
}

/** The new ReplicaSet on one side, all others on the other. */
async function followSets(follower: Follower, { namespace }: RollbackOptions) {
  const { store } = await follower.add(replicaSets)
  return (deployment: Deployment): { old: SideProgress; new: SideProgress } => {
    const name = deployment.metadata.name ?? ''
    const own = store.list(namespace).filter((set) => isOwned(set, deployment))
    // The watch of sets may lag behind that of the deployment: what is latest to it need not be the template of now.
    const revision = deployment.metadata.annotations?.[REVISION]
    const latest = own.find((set) => set.metadata.annotations?.[REVISION] === revision)
    const others = own.filter((set) => set !== latest).sort((a, b) => revisionOf(b) - revisionOf(a))
    const busy = others.filter((set) => (set.spec?.replicas ?? 0) > 0 || (set.status?.replicas ?? 0) > 0)
    return {
      old: sum(busy, (busy[0] ?? others[0])?.metadata.name ?? name),
      new: sum(latest ? [latest] : [], latest?.metadata.name ?? name),
    }
  }
}

function sum(sets: readonly ReplicaSet[], name: string): SideProgress {
  const total = (count: (set: ReplicaSet) => number | undefined) => sets.reduce((all, set) => all + (count(set) ?? 0), 0)
  return { name, replicas: total((set) => set.spec?.replicas), ready: total((set) => set.status?.readyReplicas) }
}
