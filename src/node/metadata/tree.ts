/**
 * The metadata of one pod as a tree: itself, its containers, node, owners and the Services of its namespace, and the same
 * under the names that clients of GCE's metadata server look for. Pure; Secrets are not among what comes in.
 */
import type { KubeObject } from '../../api/object.ts'
import type { Container, EndpointSlice, Node, Pod, Service } from '../../api/types.ts'
import { nodeTree } from './node-tree.ts'
import { servicesTree } from './services-tree.ts'
import { type Fields, stringMap, type Value } from './value.ts'

/** What a pod is told of is gathered here, in the state it has now. */
export interface Facts {
  pod: Pod
  podIps: readonly string[]
  hostIps: readonly string[]
  clusterDomain: string
  /** What of it pods may see. */
  node(): Node | undefined
  services(): readonly Service[]
  slices(): readonly EndpointSlice[]
  /** The pod's owner first, then the owner's, as far as they can be read; those that cannot have only what a reference says. */
  owners(): readonly OwnerFacts[]
}

export interface OwnerFacts {
  apiVersion: string
  kind: string
  name: string
  uid: string
  object: KubeObject | undefined
}

/** The directories of the tree. Each is made when it is asked for. */
export const TREE: Readonly<Record<string, (facts: Facts) => Value | undefined>> = {
  instance,
  project: ({ pod }) => ({ projectId: pod.metadata.namespace ?? '', attributes: new Map() }),
  universe: ({ clusterDomain }) => ({ universeDomain: clusterDomain }),
  pod: podTree,
  containers: containersTree,
  node: (facts) => nodeTree(facts.node(), facts.hostIps),
  owner: (facts) => ownerTree(facts.owners()),
  services: (facts) => servicesTree(facts.services(), facts.slices()),
}

/** As GCE describes a virtual machine. */
function instance(facts: Facts): Fields {
  const { pod } = facts
  const zone = facts.node()?.metadata.labels?.['topology.kubernetes.io/zone']
  const account = pod.spec?.serviceAccountName ?? 'default'
  return {
    attributes: stringMap(pod.metadata.annotations),
    hostname: pod.spec?.hostname || pod.metadata.name || '',
    id: pod.metadata.uid ?? '',
    image: pod.spec?.containers[0]?.image ?? '',
    name: pod.metadata.name ?? '',
    networkInterfaces: facts.podIps.map((ip) => ({ ip })),
    serviceAccounts: new Map([['default', { aliases: ['default'], email: `${account}@${pod.metadata.namespace}` }]]),
    ...(zone && { zone: `projects/${pod.metadata.namespace}/zones/${zone}` }),
  }
}

function podTree({ pod, podIps, hostIps }: Facts): Fields {
  const { metadata, spec, status } = pod
  return {
    name: metadata.name ?? '',
    namespace: metadata.namespace ?? '',
    uid: metadata.uid ?? '',
    ...(podIps[0] && { ip: podIps[0], ips: podIps }),
    ...(hostIps[0] && { hostIp: hostIps[0] }),
    nodeName: spec?.nodeName ?? '',
    serviceAccountName: spec?.serviceAccountName ?? '',
    hostname: spec?.hostname || metadata.name || '',
    phase: status?.phase ?? 'Pending',
    ...(status?.qosClass && { qosClass: status.qosClass }),
    ...(spec?.priorityClassName && { priorityClassName: spec.priorityClassName }),
    createdAt: metadata.creationTimestamp ?? '',
    ...(status?.startTime && { startedAt: status.startTime }),
    labels: stringMap(metadata.labels),
    annotations: stringMap(metadata.annotations),
    conditions: new Map((status?.conditions ?? []).map(({ type, status: value }) => [type, value])),
  }
}

function containersTree({ pod }: Facts): Value {
  const all = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])]
  return new Map(all.map((container) => [container.name, containerTree(pod, container)]))
}

function containerTree(pod: Pod, container: Container): Fields {
  const statuses = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])]
  const status = statuses.find(({ name }) => name === container.name)
  return {
    image: container.image ?? '',
    ...(status?.imageID && { imageId: status.imageID }),
    ...(status && { ready: status.ready, restartCount: status.restartCount }),
    ports: (container.ports ?? []).map(({ name, containerPort, protocol }) => ({
      ...(name && { name }),
      port: containerPort,
      protocol: protocol ?? 'TCP',
    })),
    resources: {
      limits: stringMap(container.resources?.limits as Record<string, string> | undefined),
      requests: stringMap(container.resources?.requests as Record<string, string> | undefined),
    },
  }
}

function ownerTree([first, ...rest]: readonly OwnerFacts[]): Fields | undefined {
  if (!first) return undefined
  const { apiVersion, kind, name, uid, object } = first
  return {
    apiVersion,
    kind,
    name,
    uid,
    ...(object && { labels: stringMap(object.metadata.labels), annotations: stringMap(object.metadata.annotations) }),
    owner: ownerTree(rest),
  }
}
