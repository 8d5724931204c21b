/**
 * What one object counts for in a ResourceQuota, by the quota's own resource names. Pure; the rules are those of Kubernetes'
 * quota evaluators. `requests.cpu` and `cpu` are two names of one thing, as `count/pods` and `pods` nearly are.
 */
import type { KubeObject } from '../object.ts'
import { addQuantities, type Quantity, quantityOf, tryParseQuantity, zeroQuantity } from '../quantity.ts'
import type { PersistentVolumeClaim, Pod, PodSpec, Service } from '../types.ts'
import { type Amounts, podTotals } from './pod-totals.ts'

const ONE = quantityOf(1)
/** Core resources that may be counted without `count/`. */
const COUNTED_BY_NAME = new Set([
  ...['configmaps', 'persistentvolumeclaims', 'pods', 'replicationcontrollers', 'resourcequotas', 'secrets', 'services'],
])
const STANDARD = new Set(['cpu', 'memory', 'ephemeral-storage'])
const CLASS_SUFFIX = '.storageclass.storage.k8s.io'
const LEGACY_CLASS_ANNOTATION = 'volume.beta.kubernetes.io/storage-class'

export interface ResourceId {
  group: string
  plural: string
}

/** `count/deployments.apps`, `count/pods`. */
export function countName({ group, plural }: ResourceId): string {
  return group ? `count/${plural}.${group}` : `count/${plural}`
}

/** Which resource's objects a quota's resource name is about. */
export function resourceOf(name: string): ResourceId {
  if (name.startsWith('count/')) {
    const dot = name.indexOf('.')
    return dot < 0 ? { group: '', plural: name.slice(6) } : { group: name.slice(dot + 1), plural: name.slice(6, dot) }
  }
  const [first = ''] = name.split('.')
  if (COUNTED_BY_NAME.has(first)) return { group: '', plural: first }
  const isStorage = name === 'requests.storage' || name.includes(CLASS_SUFFIX)
  return { group: '', plural: isStorage ? 'persistentvolumeclaims' : 'pods' }
}

export function usageOf(resource: ResourceId, object: KubeObject): Amounts {
  const usage: Amounts = new Map([[countName(resource), ONE]])
  if (resource.group !== '') return usage
  if (resource.plural === 'pods') {
    addPodUsage(usage, object as Pod)
    return usage
  }
  if (COUNTED_BY_NAME.has(resource.plural)) usage.set(resource.plural, ONE)
  if (resource.plural === 'services') addServiceUsage(usage, object as Service)
  if (resource.plural === 'persistentvolumeclaims') addClaimUsage(usage, object as PersistentVolumeClaim)
  return usage
}

/** A pod that has ended is still an object, and uses nothing. */
function addPodUsage(usage: Amounts, pod: Pod): void {
  const phase = pod.status?.phase
  if (phase === 'Succeeded' || phase === 'Failed' || !pod.spec) return
  usage.set('pods', ONE)
  for (const [name, amount] of podTotals(pod.spec, 'requests')) {
    if (STANDARD.has(name) || name.startsWith('hugepages-')) usage.set(name, amount)
    usage.set(`requests.${name}`, amount)
  }
  for (const [name, amount] of podTotals(pod.spec, 'limits')) if (STANDARD.has(name)) usage.set(`limits.${name}`, amount)
}

function addServiceUsage(usage: Amounts, { spec }: Service): void {
  const ports = spec?.ports ?? []
  const balanced = spec?.type === 'LoadBalancer'
  const given = ports.filter((port) => port.nodePort).length
  const nodePorts =
    spec?.type === 'NodePort'
      ? ports.length
      : balanced
        ? spec.allocateLoadBalancerNodePorts === false
          ? given
          : ports.length
        : 0
  usage.set('services.nodeports', quantityOf(nodePorts))
  usage.set('services.loadbalancers', quantityOf(balanced ? 1 : 0))
}

function addClaimUsage(usage: Amounts, claim: PersistentVolumeClaim): void {
  const storage = tryParseQuantity(claim.spec?.resources?.requests?.storage ?? '')
  const className = claim.spec?.storageClassName ?? claim.metadata.annotations?.[LEGACY_CLASS_ANNOTATION]
  if (storage) usage.set('requests.storage', storage)
  if (!className) return
  usage.set(`${className}${CLASS_SUFFIX}/persistentvolumeclaims`, ONE)
  if (storage) usage.set(`${className}${CLASS_SUFFIX}/requests.storage`, storage)
}

/** What is used more (or less) after than before. Names without a difference are left out. */
export function difference(after: Amounts, before: Amounts): Amounts {
  const delta: Amounts = new Map()
  for (const name of new Set([...after.keys(), ...before.keys()])) {
    const [now, then] = [after.get(name) ?? zeroQuantity, before.get(name) ?? zeroQuantity]
    if (now.nano !== then.nano)
      delta.set(name, { nano: now.nano - then.nano, format: now.nano === 0n ? then.format : now.format })
  }
  return delta
}

export function plus(a: Quantity | undefined, b: Quantity): Quantity {
  return a ? addQuantities(a, b) : b
}

const MUST_BE_SAID = new Set(['cpu', 'memory', 'requests.cpu', 'requests.memory', 'limits.cpu', 'limits.memory'])

/** What a quota's limits oblige containers to state: `must specify requests.cpu for: a,b; …`, or undefined. */
export function unstated(spec: PodSpec, limited: readonly string[]): string | undefined {
  const missing = limited
    .filter((name) => MUST_BE_SAID.has(name))
    .sort()
    .flatMap((name) => {
      if (isStated(spec.resources, name)) return []
      const silent = [...(spec.containers ?? []), ...(spec.initContainers ?? [])].filter(
        (container) => !isStated(container.resources, name),
      )
      return silent.length > 0 ? [`${name} for: ${[...new Set(silent.map((container) => container.name))].sort().join(',')}`] : []
    })
  return missing.length > 0 ? `must specify ${missing.join('; ')}` : undefined
}

function isStated(resources: PodSpec['resources'], name: string): boolean {
  const [which, resource] = name.startsWith('limits.')
    ? (['limits', name.slice(7)] as const)
    : (['requests', name.replace('requests.', '')] as const)
  return resources?.[which]?.[resource] !== undefined
}
