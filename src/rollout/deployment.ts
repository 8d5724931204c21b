/** Rolls a Deployment: changes its template and watches the server's own rollout. */
import { equal, listChanges } from '../api/equal.ts'
import type { Deployment, PodTemplateSpec, ReplicaSet } from '../api/types.ts'
import { deployments, replicaSets } from '../client/resources.ts'
import type { Cache } from '../watch/informer.ts'
import { createFollower } from './follow.ts'
import { createPatience } from './patience.ts'
import {
  type Phase,
  type Progress,
  type RollbackOptions,
  RollError,
  type RollOptions,
  type RollPreview,
  type RollResult,
} from './progress.ts'
import { changedImages } from './template.ts'

const REVISION = 'deployment.kubernetes.io/revision'
const HASH_LABEL = 'pod-template-hash'

export async function* rollDeployment(options: RollOptions): AsyncGenerator<Progress, RollResult> {
  const { client, namespace, target } = options
  refuse(options)
  const before = await client.get(deployments, target.name, { namespace })
  const patch = patchFor(options, before)
  const after = await client.patch(deployments, target.name, 'strategic', patch, { namespace })
  return yield* watchRollout(options, after, after.metadata.generation !== before.metadata.generation)
}

/** What the patch would change, from a dry run on the server. */
export async function previewDeployment(options: RollOptions): Promise<RollPreview> {
  const { client, namespace, target } = options
  refuse(options)
  const before = await client.get(deployments, target.name, { namespace })
  const after = await client.patch(deployments, target.name, 'strategic', patchFor(options, before), { namespace, dryRun: true })
  const changes = !equal(before.spec, after.spec)
  const message = changes
    ? `would change ${listChanges('spec', before.spec, after.spec).trim()}`
    : `deployment/${target.name} already runs this template`
  return { changes, isConflict: false, message }
}

function refuse(options: RollOptions): void {
  if (options.toName !== undefined) throw new RollError('a deployment keeps its name: rolling it to another one is not possible')
  refusePeriod(options)
}

function refusePeriod(options: RollbackOptions): void {
  if (options.updatePeriodMs !== undefined) throw new RollError('a deployment is rolled by the server: it takes no update period')
}

/** Containers are merged by name; a whole template replaces the old one. */
function patchFor(options: RollOptions, before: Deployment): object {
  if (!options.images && !options.template) throw new RollError('nothing to roll to: images or a template is needed')
  const { maxSurge, maxUnavailable, minReadySeconds } = options
  const given = options.template ?? before.spec?.template
  const { containers, initContainers } = options.images
    ? changedImages(given, options.images)
    : { containers: [], initContainers: [] }
  const spec = { ...(containers.length > 0 && { containers }), ...(initContainers.length > 0 && { initContainers }) }
  const template = options.template ? replacing(options.template, containers, initContainers) : { spec }
  const rollingUpdate = { ...(maxSurge !== undefined && { maxSurge }), ...(maxUnavailable !== undefined && { maxUnavailable }) }
  return {
    spec: {
      template,
      ...(Object.keys(rollingUpdate).length > 0 && { strategy: { rollingUpdate } }),
      ...(minReadySeconds !== undefined && { minReadySeconds }),
    },
  }
}

type Images = readonly { name: string; image: string }[]

function replacing(template: PodTemplateSpec, containers: Images, initContainers: Images): object {
  const merge = <C extends { name: string }>(list: readonly C[] | undefined, images: Images) =>
    list?.map((container) => ({ ...container, ...images.find(({ name }) => name === container.name) }))
  const spec = {
    ...template.spec,
    containers: merge(template.spec?.containers, containers),
    ...(template.spec?.initContainers && { initContainers: merge(template.spec.initContainers, initContainers) }),
  }
  return { ...template, spec, $patch: 'replace' }
}

/** To the template of the revision before the current one, as the server numbers them. */
export async function* rollBackDeployment(options: RollbackOptions): AsyncGenerator<Progress, RollResult> {
  const { client, namespace, target } = options
  refusePeriod(options)
  const before = await client.get(deployments, target.name, { namespace })
  const current = Number(before.metadata.annotations?.[REVISION] ?? 0)
  const { items } = await client.list(replicaSets, { namespace })
  const previous = ownedBy(before, items)
    .filter((set) => revisionOf(set) < current)
    .sort((a, b) => revisionOf(b) - revisionOf(a))[0]
  if (!previous?.spec?.template) throw new RollError(`deployment/${target.name} has no earlier revision to go back to`)
  const { [HASH_LABEL]: _, ...labels } = previous.spec.template.metadata?.labels ?? {}
  const value = { ...previous.spec.template, metadata: { ...previous.spec.template.metadata, labels } }
  const patch = [
    { op: 'test', path: '/metadata/resourceVersion', value: before.metadata.resourceVersion },
    { op: 'replace', path: '/spec/template', value },
    ...(['maxSurge', 'maxUnavailable'] as const).flatMap((limit) =>
      options[limit] === undefined ? [] : [{ op: 'add', path: `/spec/strategy/rollingUpdate/${limit}`, value: options[limit] }],
    ),
    ...(options.minReadySeconds === undefined
      ? []
      : [{ op: 'add', path: '/spec/minReadySeconds', value: options.minReadySeconds }]),
  ]
  const after = await client.patch(deployments, target.name, 'json', patch, { namespace })
  return yield* watchRollout(options, after, true)
}

async function* watchRollout(
  options: RollbackOptions,
  start: Deployment,
  changed: boolean,
): AsyncGenerator<Progress, RollResult> {
  const { namespace, target, clock, signal } = options
  const follower = createFollower(options)
  const patience = createPatience(clock, options)
  try {
    const sets = await follower.add(replicaSets)
    const own = await follower.add(deployments)
    let lastCounts = ''
    for (let isFirst = true; ; isFirst = false) {
      const now = own.store.get(`${namespace}/${target.name}`)
      if (!now) throw new RollError(`deployment/${target.name} was deleted during the roll`)
      const sides = sidesOf(now, sets.store, namespace)
      const is = stateOf(now, start.metadata.generation ?? 0)
      if (is === 'complete') {
        if (!changed && isFirst)
          return { outcome: 'unchanged', ...sides, changed, message: `deployment/${target.name} already runs this template` }
        yield { phase: 'Complete', ...sides, changed, message: 'all pods are replaced' }
        return { outcome: 'done', ...sides, changed, message: `rolled deployment/${target.name}` }
      }
      const gaveUp = is === 'stuck' ? 'no-progress' : patience.exhausted()
      if (gaveUp) {
        const message = `${gaveUp === 'no-progress' ? 'no progress' : gaveUp}: ${countsOf(now)}`
        return { outcome: gaveUp, ...sides, changed, message }
      }
      const counts = countsOf(now)
      if (counts !== lastCounts) {
        patience.progressed()
        lastCounts = counts
        const phase: Phase = now.spec?.paused ? 'Paused' : 'Rolling'
        yield { phase, ...sides, changed, message: counts }
      }
      await follower.changed(patience.leftMs(), signal)
    }
  } finally {
    follower.stop()
  }
}

/** As `kubectl rollout status` has it. */
function stateOf(deployment: Deployment, sinceGeneration: number): 'complete' | 'stuck' | 'rolling' {
  const { status, metadata } = deployment
  const observed = status?.observedGeneration ?? 0
  if (observed < Math.max(metadata.generation ?? 0, sinceGeneration)) return 'rolling'
  const replicas = deployment.spec?.replicas ?? 1
  const updated = status?.updatedReplicas ?? 0
  const isUpdated = updated >= replicas && (status?.replicas ?? 0) <= updated
  if (isUpdated && (status?.availableReplicas ?? 0) >= updated) return 'complete'
  const progressing = status?.conditions?.find(({ type }) => type === 'Progressing')
  return progressing?.reason === 'ProgressDeadlineExceeded' ? 'stuck' : 'rolling'
}

function countsOf(deployment: Deployment): string {
  const { status } = deployment
  const wanted = deployment.spec?.replicas ?? 1
  return `${status?.updatedReplicas ?? 0} of ${wanted} updated, ${status?.availableReplicas ?? 0} available, ${status?.replicas ?? 0} in all`
}

function sidesOf(deployment: Deployment, sets: Cache<ReplicaSet>, namespace: string): Pick<Progress, 'old' | 'new'> {
  const all = ownedBy(deployment, sets.list(namespace)).sort((a, b) => revisionOf(b) - revisionOf(a))
  const [latest, ...others] = all
  const busy = others.filter((set) => (set.spec?.replicas ?? 0) > 0 || (set.status?.replicas ?? 0) > 0)
  const sum = (list: readonly ReplicaSet[], count: (set: ReplicaSet) => number | undefined) =>
    list.reduce((total, set) => total + (count(set) ?? 0), 0)
  const side = (list: readonly ReplicaSet[], name: string) => ({
    name,
    replicas: sum(list, (set) => set.spec?.replicas),
    ready: sum(list, (set) => set.status?.readyReplicas),
  })
  const oldName = (busy[0] ?? others[0])?.metadata.name ?? deployment.metadata.name ?? ''
  return { old: side(busy, oldName), new: side(latest ? [latest] : [], latest?.metadata.name ?? deployment.metadata.name ?? '') }
}

function revisionOf(set: ReplicaSet): number {
  return Number(set.metadata.annotations?.[REVISION] ?? 0)
}

function ownedBy(deployment: Deployment, sets: readonly ReplicaSet[]): ReplicaSet[] {
  return sets.filter((set) => set.metadata.ownerReferences?.some(({ uid }) => uid === deployment.metadata.uid))
}
