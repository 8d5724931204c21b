/** The objects that a pod's field paths lead to, read one by one from the server as it is now. */
import type { Related } from '../api/downward/value.ts'
import type { KubeObject, OwnerReference } from '../api/object.ts'
import { isNotFound } from '../api/status.ts'
import type { Client, ResourceRef } from './client.ts'
import { createDiscovery } from './discovery.ts'
import * as builtin from './resources.ts'

const { replicaSets, deployments, statefulSets, daemonSets, jobs, cronJobs, replicationControllers, nodes } = builtin
const CONTROLLERS: readonly ResourceRef[] = [
  ...[replicaSets, deployments, statefulSets, daemonSets, jobs, cronJobs, replicationControllers, nodes],
]

export interface OwnerResources {
  /** The resource of an owner's kind, or undefined for a kind that is not served. */
  of(reference: Pick<OwnerReference, 'apiVersion' | 'kind'>): Promise<ResourceRef<KubeObject> | undefined>
  /** All of that kind, of whatever group: by the kind's name alone, in any case. */
  named(kind: string): Promise<readonly ResourceRef[]>
}

/** Asks the server only about kinds that are not Kubernetes' own controllers. */
export function ownerResources(client: Client): OwnerResources {
  const discovery = createDiscovery(client.transport)
  const known = (found: ResourceRef | undefined) => found as ResourceRef<KubeObject> | undefined
  return {
    async of({ apiVersion, kind }) {
      const own = CONTROLLERS.find((one) => one.kind === kind && groupVersion(one) === apiVersion)
      if (own) return known(own)
      const found = await discovery.forKind(apiVersion, kind)
      // A kind that was defined since.
      if (!found) discovery.refresh()
      return known(found ?? (await discovery.forKind(apiVersion, kind)))
    },
    async named(kind) {
      const all = async () => (await discovery.resources()).filter((one) => one.kind.toLowerCase() === kind.toLowerCase())
      const found = await all()
      if (found.length > 0) return found
      discovery.refresh()
      return all()
    },
  }
}

export function relatedThrough(client: Client, owners: OwnerResources = ownerResources(client)): Related {
  const read = async (resource: ResourceRef<KubeObject>, name: string, namespace?: string) => {
    try {
      return await client.get(resource, name, namespace === undefined ? {} : { namespace })
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw error
    }
  }
  return {
    node: (name) => read(builtin.nodes as ResourceRef<KubeObject>, name),
    namespace: (name) => read(builtin.namespaces as ResourceRef<KubeObject>, name),
    service: (namespace, name) => read(builtin.services as ResourceRef<KubeObject>, name, namespace),
    async owner(reference, namespace) {
      const resource = await owners.of(reference)
      if (!resource) return undefined
      const found = await read(resource, reference.name, resource.namespaced ? namespace : undefined)
      return found?.metadata.uid === reference.uid ? found : undefined
    },
  }
}

function groupVersion({ group, version }: ResourceRef): string {
  return group ? `${group}/${version}` : version
}
