/** What a verb needs of the object that a bare name means: which kinds can serve it, and which of them are meant first. */
import type { DiscoveredResource } from '../../client/discovery.ts'
import { isBuiltIn } from './candidate.ts'

export interface Needs {
  /** As messages say it. */
  readonly verb: string
  /** The lowest is meant; undefined: never meant by a bare name. */
  readonly rank: (resource: DiscoveredResource) => number | undefined
  /** Custom resources may or may not have a pod template: only the object tells. */
  readonly podTemplate?: boolean
  /** Whether something outside the namespace can be meant. What changes or deletes never reaches there by a bare name. */
  readonly clusterWide: boolean
  /** Whether it is only done to kinds that were named, each of them: never to a set that grows with the cluster. */
  readonly closedSets?: boolean
  /** Done to one object at a time: there is no `--all-matches`. */
  readonly single?: boolean
  /** What is looked for, in words. */
  readonly what: string
}

/** Have a pod template, or are a pod: `group/plural`. */
const WORKLOADS = new Set([
  'core/pods',
  'core/replicationcontrollers',
  'apps/deployments',
  'apps/replicasets',
  'apps/statefulsets',
  'apps/daemonsets',
  'batch/jobs',
  'batch/cronjobs',
])
const ROLLABLE = new Set([
  'core/replicationcontrollers',
  'apps/deployments',
  'apps/replicasets',
  'apps/statefulsets',
  'apps/daemonsets',
])
/** Written about or computed from other objects: nobody means them by a bare name. */
const SHADOWS = new Set(['core/events', 'events.k8s.io/events', 'core/componentstatuses'])

const keyOf = ({ group, plural }: Pick<DiscoveredResource, 'group' | 'plural'>) => `${group || 'core'}/${plural}`

export function isShadow(resource: Pick<DiscoveredResource, 'group' | 'plural'>): boolean {
  return SHADOWS.has(keyOf(resource)) || resource.group === 'metrics.k8s.io'
}

export function isWorkload(resource: Pick<DiscoveredResource, 'group' | 'plural'>): boolean {
  return WORKLOADS.has(keyOf(resource))
}

const anything = (resource: DiscoveredResource) => (isShadow(resource) ? undefined : 0)

/** Pods and their makers; custom resources as far as the object has a template; nothing else. */
function withPods(resource: DiscoveredResource): number | undefined {
  if (isWorkload(resource)) return 0
  return isBuiltIn(resource.group) ? undefined : 1
}

/** Drafts are pod templates that nothing runs yet. */
function templated(resource: DiscoveredResource): number | undefined {
  return keyOf(resource) === 'core/podtemplates' ? 0 : withPods(resource)
}

/** Services lead to pods too, but whoever has a workload of that name means the workload. */
function reachingPods(resource: DiscoveredResource): number | undefined {
  return keyOf(resource) === 'core/services' ? 2 : withPods(resource)
}

/** Who looks at a name of a workload means it, and sees with it what bears the same name beside it. */
function looking(resource: DiscoveredResource): number | undefined {
  return isShadow(resource) ? undefined : (reachingPods(resource) ?? 3)
}

function endable(resource: DiscoveredResource): number | undefined {
  return isWorkload(resource) || (resource.subresources.includes('scale') && !isShadow(resource)) ? 0 : undefined
}

const PODS = 'what runs pods'

export const NEEDS = {
  get: { verb: 'get', rank: anything, clusterWide: true, what: 'anything' },
  describe: { verb: 'describe', rank: anything, clusterWide: true, what: 'anything' },
  tree: { verb: 'tree', rank: looking, clusterWide: true, what: 'anything' },
  wait: { verb: 'wait', rank: anything, clusterWide: true, what: 'anything' },
  delete: { verb: 'delete', rank: anything, clusterWide: false, closedSets: true, what: 'anything' },
  stop: { verb: 'stop', rank: endable, clusterWide: false, closedSets: true, what: PODS },
  scale: {
    verb: 'scale',
    rank: (resource) => (resource.subresources.includes('scale') ? 0 : undefined),
    clusterWide: false,
    what: 'what can be scaled',
  },
  autoscale: {
    verb: 'autoscale',
    rank: (resource) => (resource.subresources.includes('scale') ? 0 : undefined),
    clusterWide: false,
    what: 'what can be scaled',
  },
  set: { verb: 'set', rank: templated, podTemplate: true, clusterWide: false, what: 'what has a pod template' },
  restart: { verb: 'restart', rank: withPods, podTemplate: true, clusterWide: false, what: 'what has a pod template' },
  roll: {
    verb: 'roll',
    rank: (resource) => (ROLLABLE.has(keyOf(resource)) ? 0 : undefined),
    clusterWide: false,
    single: true,
    what: 'deployments, statefulsets, daemonsets, replicasets and replicationcontrollers',
  },
  logs: { verb: 'logs', rank: reachingPods, clusterWide: false, what: PODS },
  top: { verb: 'top', rank: reachingPods, clusterWide: false, what: PODS },
  exec: { verb: 'exec', rank: reachingPods, clusterWide: false, single: true, what: PODS },
  why: { verb: 'why', rank: reachingPods, clusterWide: false, what: PODS },
  status: { verb: 'status', rank: looking, clusterWide: true, what: 'anything' },
  env: { verb: 'env', rank: withPods, podTemplate: true, clusterWide: false, single: true, what: PODS },
} as const satisfies Record<string, Needs>
