/** What belongs to an object without being owned by it: who selects its pods, what they use, where it leads to. Pure. */
import type { KubeObject } from '../../api/object.ts'
import { type LabelSelector, type Labels, labelSelector, setSelector } from '../../api/selectors.ts'
import type { Ingress, Pod, PodSpec, StatefulSet } from '../../api/types.ts'
import { type Candidate, handleOf } from '../names/candidate.ts'
import { isWorkload } from '../names/needs.ts'
import { templateAt, templatePathsOf } from '../pod-template.ts'
import { type Use, usesOf } from './uses.ts'
import { keyOf, type ResourceKey, resourceKey, type World } from './world.ts'

/** As it is said before the name of the other object. */
export type Relation =
  | 'selected by'
  | 'reached by'
  | 'scaled by'
  | 'uses'
  | 'used by'
  | 'bound to'
  | 'bound by'
  | 'selects'
  | 'leads to'
  | 'scales'
  | 'runs'
  | 'contains'

export interface Related {
  readonly relation: Relation
  readonly to: Candidate | Missing
  /** What is shown below it: what it owns, or also what it leads to itself. */
  readonly below: 'nothing' | 'owned' | 'leading'
}

/** Something that is named and not there, or not to be seen. */
export interface Missing {
  readonly missing: ResourceKey
  readonly name: string
  readonly namespace: string | undefined
  readonly why: 'not found' | 'optional, not found' | 'no permission to see it'
}

const SERVICES = '/services'
const SELECTING: readonly ResourceKey[] = [SERVICES, 'networking.k8s.io/networkpolicies', 'policy/poddisruptionbudgets']
const INGRESSES = 'networking.k8s.io/ingresses'
const AUTOSCALERS = 'autoscaling/horizontalpodautoscalers'
const CLAIMS = '/persistentvolumeclaims'
const WORKLOADS: readonly ResourceKey[] = [
  ...(['apps/deployments', 'apps/statefulsets', 'apps/daemonsets', 'apps/replicasets'] as const),
  ...(['/replicationcontrollers', 'batch/cronjobs', 'batch/jobs', '/pods'] as const),
]

/** `from`: how the object itself was reached, undefined for one that was asked for. */
export function relationsOf(candidate: Candidate, from: Relation | undefined, world: World): Related[] {
  if (isWorkload(candidate.resource)) return aroundWorkload(candidate, world)
  const { name } = candidate
  switch (resourceKey(candidate.resource)) {
    case SERVICES:
      return [
        ...(from === 'leads to' ? [] : reachedBy(candidate, world)),
        ...(from === 'selected by' ? [] : selects(candidate, world)),
      ]
    case 'networking.k8s.io/networkpolicies':
    case 'policy/poddisruptionbudgets':
      return from === 'selected by' ? [] : selects(candidate, world)
    case INGRESSES:
      return fromIngress(candidate, world)
    case AUTOSCALERS:
      return scales(candidate, world)
    case CLAIMS:
      return [...boundTo(candidate, world), ...(from === 'uses' ? [] : usedBy(candidate, world))]
    case '/configmaps':
    case '/secrets':
    case '/serviceaccounts':
      return from === 'uses' ? [] : usedBy(candidate, world)
    case '/persistentvolumes':
      return boundBy(candidate, world)
    case '/nodes':
      return world.podsOn(name).map((to) => ({ relation: 'runs', to, below: 'nothing' }))
    case '/namespaces':
      return contains(name, world)
    default:
      return []
  }
}

function aroundWorkload(candidate: Candidate, world: World): Related[] {
  const pods = podsBelow(candidate, world)
  const object = world.object(candidate)
  const templates = object ? templatePathsOf(object, candidate.resource.group).map((path) => templateAt(object, path)) : []
  const labels = [...templates, ...pods].flatMap((one) => (one?.metadata?.labels ? [one.metadata.labels] : []))
  const specs: PodSpec[] = [...templates, ...pods.map((pod) => world.object(pod) as Pod | undefined)].flatMap(
    (one) => one?.spec ?? [],
  )
  const selecting = SELECTING.flatMap((key) =>
    world.all(key, candidate.namespace).filter((one) => {
      const selector = selectorIn(world.object(one))
      return selector !== undefined && labels.some((each) => selector.matches(each))
    }),
  )
  return [
    ...selecting.map((to): Related => ({ relation: 'selected by', to, below: 'leading' })),
    ...scaledBy(candidate, world),
    ...usesOf(specs).map((use) => usedAs(use, candidate.namespace, world)),
  ]
}

/** Through all that it owns. */
function podsBelow(candidate: Candidate, world: World, seen = new Set<string>()): Candidate[] {
  if (seen.has(keyOf(candidate))) return []
  seen.add(keyOf(candidate))
  if (resourceKey(candidate.resource) === '/pods') return [candidate]
  return world.owned(candidate).flatMap((one) => podsBelow(one, world, seen))
}

const selectors = new WeakMap<KubeObject, LabelSelector | null>()

/** Of a Service, which selects nothing without one, or of what has a `metav1.LabelSelector`. Made once for each object. */
function selectorIn(object: KubeObject | undefined): LabelSelector | undefined {
  if (!object) return undefined
  const known = selectors.get(object)
  if (known !== undefined) return known ?? undefined
  const made = selectorFrom(object)
  selectors.set(object, made ?? null)
  return made
}

function selectorFrom({ kind, spec }: KubeObject): LabelSelector | undefined {
  if (kind === 'NetworkPolicy') return labelSelector(spec?.podSelector ?? {})
  if (kind !== 'Service') return labelSelector(spec?.selector)
  const labels = spec?.selector as Labels | undefined
  return labels && Object.keys(labels).length > 0 ? setSelector(labels) : undefined
}

function usedAs({ key, name, isOptional }: Use, namespace: string | undefined, world: World): Related {
  return { relation: 'uses', to: theOne(key, namespace, name, world, isOptional), below: 'leading' }
}

function theOne(key: ResourceKey, namespace: string | undefined, name: string, world: World, isOptional = false) {
  const found = world.named(key, namespace, name)
  const why = world.isHidden(key, namespace) ? 'no permission to see it' : isOptional ? 'optional, not found' : 'not found'
  return found ?? ({ missing: key, name, namespace, why } as const)
}

function scaledBy({ resource, name, namespace }: Candidate, world: World): Related[] {
  return world
    .all(AUTOSCALERS, namespace)
    .filter((one) => {
      const target = world.object(one)?.spec?.scaleTargetRef
      return target?.kind === resource.kind && target.name === name
    })
    .map((to) => ({ relation: 'scaled by', to, below: 'nothing' }))
}

function scales(candidate: Candidate, world: World): Related[] {
  const target = world.object(candidate)?.spec?.scaleTargetRef as { apiVersion?: string; kind: string; name: string } | undefined
  if (!target) return []
  const resource = world.resourceOf(target.apiVersion ?? 'v1', target.kind)
  if (!resource) return []
  return [{ relation: 'scales', to: theOne(resourceKey(resource), candidate.namespace, target.name, world), below: 'owned' }]
}

/** What runs the pods that it selects, as far up as that runs pods. */
function selects(candidate: Candidate, world: World): Related[] {
  const selector = selectorIn(world.object(candidate))
  if (!selector) return []
  const roots = new Map<string, Candidate>()
  for (const pod of world.all('/pods', candidate.namespace)) {
    if (!selector.matches(pod.metadata.labels)) continue
    const root = runnerOf(pod, world)
    roots.set(keyOf(root), root)
  }
  return [...roots.values()].map((to) => ({ relation: 'selects', to, below: 'owned' }))
}

function runnerOf(candidate: Candidate, world: World): Candidate {
  let runner = candidate
  const seen = new Set<string>()
  for (let one: Candidate | undefined = candidate; one && !seen.has(keyOf(one)); one = controllerOf(one, world)) {
    seen.add(keyOf(one))
    if (isWorkload(one.resource)) runner = one
  }
  return runner
}

/** Its controller, else the first of its owners. */
export function controllerOf({ metadata, namespace }: Candidate, world: World): Candidate | undefined {
  const references = metadata.ownerReferences ?? []
  const reference = references.find(({ controller }) => controller) ?? references[0]
  return reference && world.owner(reference, namespace)
}

function servicesOf(ingress: Ingress | undefined): string[] {
  const { defaultBackend, rules = [] } = ingress?.spec ?? {}
  const backends = [defaultBackend, ...rules.flatMap(({ http }) => (http?.paths ?? []).map(({ backend }) => backend))]
  return [...new Set(backends.flatMap((backend) => backend?.service?.name ?? []))]
}

function reachedBy({ name, namespace }: Candidate, world: World): Related[] {
  return world
    .all(INGRESSES, namespace)
    .filter((one) => servicesOf(world.object(one) as Ingress | undefined).includes(name))
    .map((to) => ({ relation: 'reached by', to, below: 'nothing' }))
}

function fromIngress(candidate: Candidate, world: World): Related[] {
  const ingress = world.object(candidate) as Ingress | undefined
  const { namespace } = candidate
  const services = servicesOf(ingress).map((name) => theOne(SERVICES, namespace, name, world))
  const secrets = (ingress?.spec?.tls ?? []).flatMap(({ secretName }) =>
    secretName ? [theOne('/secrets', namespace, secretName, world)] : [],
  )
  return [
    ...services.map((to): Related => ({ relation: 'leads to', to, below: 'leading' })),
    ...secrets.map((to): Related => ({ relation: 'uses', to, below: 'nothing' })),
  ]
}

function usedBy(candidate: Candidate, world: World): Related[] {
  const { resource, name, namespace } = candidate
  const key = resourceKey(resource)
  const users = WORKLOADS.flatMap((workloads) => world.all(workloads, namespace)).filter((one) => {
    if (runnerOf(one, world) !== one) return false
    const object = world.object(one)
    if (object && templateUses(object, one.resource.group).has(useKey(key, name))) return true
    return key === CLAIMS && claimsFor(object).test(name)
  })
  const ingresses = key === '/secrets' ? world.all(INGRESSES, namespace) : []
  const serving = ingresses.filter((one) =>
    (world.object(one) as Ingress | undefined)?.spec?.tls?.some(({ secretName }) => secretName === name),
  )
  return [...users, ...serving].map((to) => ({ relation: 'used by', to, below: 'nothing' }))
}

const uses = new WeakMap<KubeObject, ReadonlySet<string>>()
const useKey = (key: ResourceKey, name: string) => `${key}/${name}`

/** Of a workload's own template. Made once for each object. */
function templateUses(object: KubeObject, group: string): ReadonlySet<string> {
  const known = uses.get(object)
  if (known) return known
  const specs = templatePathsOf(object, group).flatMap((path) => templateAt(object, path)?.spec ?? [])
  const made = new Set(usesOf(specs).map(({ key, name }) => useKey(key, name)))
  uses.set(object, made)
  return made
}

/** The names of claims that a StatefulSet makes for its pods. */
function claimsFor(object: KubeObject | undefined): RegExp {
  const templates = object?.kind === 'StatefulSet' ? ((object as StatefulSet).spec?.volumeClaimTemplates ?? []) : []
  const names = templates.map(({ metadata }) => `${metadata?.name}-${object?.metadata.name}`.replaceAll('.', '\\.'))
  return names.length > 0 ? new RegExp(`^(?:${names.join('|')})-\\d+$`) : /^$/
}

function boundTo(candidate: Candidate, world: World): Related[] {
  const name = world.object(candidate)?.spec?.volumeName as string | undefined
  if (!name) return []
  return [{ relation: 'bound to', to: theOne('/persistentvolumes', undefined, name, world), below: 'nothing' }]
}

function boundBy(candidate: Candidate, world: World): Related[] {
  const claim = world.object(candidate)?.spec?.claimRef as { name: string; namespace: string } | undefined
  if (!claim) return []
  return [{ relation: 'bound by', to: theOne(CLAIMS, claim.namespace, claim.name, world), below: 'nothing' }]
}

/** What nothing in it owns, and nothing but its name ties to a Service: those come and go with it. */
function contains(namespace: string, world: World): Related[] {
  const derived = new Set(world.all(SERVICES, namespace).flatMap((service) => world.slicesOf(service)))
  return world
    .inside(namespace)
    .filter((one) => !derived.has(one) && controllerOf(one, world) === undefined)
    .filter(({ resource, name }) => resourceKey(resource) !== '/endpoints' || !world.named(SERVICES, namespace, name))
    .sort((a, b) => handleOf(a).localeCompare(handleOf(b)))
    .map((to) => ({ relation: 'contains', to, below: 'owned' }))
}
