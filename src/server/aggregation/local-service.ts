/** The APIServices of groups and versions that this server serves itself: what they say, and what of them is kept true. Pure. */
import type { KubeObject } from '../../api/object.ts'
import type { APIService, APIServiceCondition } from '../../api/types.ts'

/** Says on an APIService whether the server looks after it, and how. */
export const MANAGED = 'kube-aggregator.kubernetes.io/automanaged'
/** Groups of custom resources come behind all built-in ones. */
const CUSTOM = { group: 1000, version: 100 }
/** The order in which clients should look at groups, and at the versions within one: Kubernetes' own numbers. */
const GROUPS: Readonly<Record<string, number>> = {
  ...{ '': 18000, apps: 17800, 'events.k8s.io': 17750, 'authentication.k8s.io': 17700, 'authorization.k8s.io': 17600 },
  ...{ autoscaling: 17500, batch: 17400, 'certificates.k8s.io': 17300, 'networking.k8s.io': 17200, policy: 17100 },
  ...{ 'rbac.authorization.k8s.io': 17000, 'storage.k8s.io': 16800, 'apiextensions.k8s.io': 16700 },
  ...{ 'admissionregistration.k8s.io': 16700, 'scheduling.k8s.io': 16600, 'coordination.k8s.io': 16500 },
  ...{ 'node.k8s.io': 16300, 'discovery.k8s.io': 16200, 'flowcontrol.apiserver.k8s.io': 16100, 'resource.k8s.io': 15900 },
}
const VERSIONS: Readonly<Record<string, number>> = {
  ...{ 'v1.': 1, 'v2.autoscaling': 30, 'v1.flowcontrol.apiserver.k8s.io': 21 },
}
const VERSION = 15

export interface GroupVersion {
  readonly group: string
  readonly version: string
}

export const nameOf = ({ group, version }: GroupVersion): string => `${version}.${group}`

/**
 * Undefined for a group that is built in and has no place in that order: as in Kubernetes, it is served without being registered.
 * So is the group of metrics: its APIService is a metrics server's to make, which then answers instead.
 */
export function builtInService(place: GroupVersion): KubeObject | undefined {
  const group = GROUPS[place.group]
  return group === undefined ? undefined : service(place, 'onstart', { group, version: VERSIONS[nameOf(place)] ?? VERSION })
}

export function customService(place: GroupVersion): KubeObject {
  return service(place, 'true', CUSTOM)
}

function service({ group, version }: GroupVersion, managed: string, priority: typeof CUSTOM): KubeObject {
  return {
    kind: 'APIService',
    apiVersion: 'apiregistration.k8s.io/v1',
    metadata: { name: nameOf({ group, version }), labels: { [MANAGED]: managed } },
    spec: {
      ...(group && { group }),
      ...{ version, groupPriorityMinimum: priority.group, versionPriority: priority.version },
    },
  }
}

/** What the status of a local one says; the time is when it was found to be so. */
export function localCondition(now: string): APIServiceCondition {
  return {
    ...{ type: 'Available', status: 'True', lastTransitionTime: now },
    ...{ reason: 'Local', message: 'Local APIServices are always available' },
  }
}

/** Whether its status says already what it should. */
export function isKnownLocal({ status }: APIService): boolean {
  const { status: available, reason } = status?.conditions?.find(({ type }) => type === 'Available') ?? {}
  return available === 'True' && reason === 'Local'
}
