/** Which pods and claims a ResourceQuota is about, by its scopes. Pure. */
import type { KubeObject } from '../object.ts'
import type { Pod, ResourceQuota } from '../types.ts'
import type { ResourceId } from './usage.ts'

interface Requirement {
  scopeName: string
  operator: string
  values?: string[] | undefined
}

/** A quota with scopes is about objects that meet them all; kinds that a scope knows nothing of never do. */
export function isInScope(quota: ResourceQuota, resource: ResourceId, object: KubeObject): boolean {
  const requirements: Requirement[] = [
    ...(quota.spec?.scopes ?? []).map((scopeName) => ({ scopeName, operator: 'Exists' })),
    ...((quota.spec?.scopeSelector?.matchExpressions ?? []) as Requirement[]),
  ]
  return requirements.every((requirement) => meets(requirement, resource, object))
}

function meets({ scopeName, operator, values }: Requirement, { group, plural }: ResourceId, object: KubeObject): boolean {
  if (group !== '') return false
  if (scopeName === 'VolumeAttributesClass') {
    return plural === 'persistentvolumeclaims' && selects(operator, values, object.spec?.volumeAttributesClassName)
  }
  if (plural !== 'pods') return false
  const { spec } = object as Pod
  switch (scopeName) {
    case 'Terminating':
      return spec?.activeDeadlineSeconds !== undefined && spec.activeDeadlineSeconds !== null
    case 'NotTerminating':
      return spec?.activeDeadlineSeconds === undefined || spec.activeDeadlineSeconds === null
    case 'BestEffort':
      return isBestEffort(object as Pod)
    case 'NotBestEffort':
      return !isBestEffort(object as Pod)
    case 'PriorityClass':
      return selects(operator, values, spec?.priorityClassName)
    case 'CrossNamespacePodAffinity':
      return reachesOtherNamespaces(object as Pod)
    default:
      return false
  }
}

function selects(operator: string, values: string[] | undefined, value: string | undefined): boolean {
  switch (operator) {
    case 'Exists':
      return Boolean(value)
    case 'DoesNotExist':
      return !value
    case 'In':
      return value !== undefined && (values ?? []).includes(value)
    case 'NotIn':
      return value === undefined || !(values ?? []).includes(value)
    default:
      return false
  }
}

function isBestEffort({ spec }: Pod): boolean {
  const states = (amounts: Record<string, string> | undefined) => amounts?.cpu !== undefined || amounts?.memory !== undefined
  return ![...(spec?.containers ?? []), ...(spec?.initContainers ?? []), { resources: spec?.resources }].some(
    ({ resources }) => states(resources?.requests) || states(resources?.limits),
  )
}

interface Term {
  namespaces?: string[] | undefined
  namespaceSelector?: object | undefined
}

function reachesOtherNamespaces({ spec }: Pod): boolean {
  const kinds = [spec?.affinity?.podAffinity, spec?.affinity?.podAntiAffinity]
  const terms: Term[] = kinds.flatMap((kind) => [
    ...(kind?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
    ...(kind?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((weighted) => weighted.podAffinityTerm),
  ])
  return terms.some((term) => (term.namespaces?.length ?? 0) > 0 || term.namespaceSelector !== undefined)
}
