/** The regular part of Kubernetes' URLs: from a resource, a namespace and a name to a path. */
import type { ResourceRef } from './client.ts'

/** `/api/v1` or `/apis/<group>/<version>`. */
export function groupPath(resource: Pick<ResourceRef, 'group' | 'version'>): string {
  return resource.group ? `/apis/${resource.group}/${resource.version}` : `/api/${resource.version}`
}

/** The collection's path; all namespaces when none is given. */
export function collectionPath(resource: ResourceRef, namespace?: string): string {
  const scope = resource.namespaced && namespace ? `/namespaces/${encodeURIComponent(namespace)}` : ''
  return `${groupPath(resource)}${scope}/${resource.plural}`
}

/** One object's path, or its subresource's. Throws when a namespaced object comes without a namespace or without a name. */
export function objectPath(resource: ResourceRef, name: string, namespace?: string, subresource?: string): string {
  if (resource.namespaced && !namespace)
    throw new TypeError(`${resource.plural} ${JSON.stringify(name)}: a namespace is required`)
  if (!name) throw new TypeError(`${resource.plural}: a name is required`)
  const tail = subresource ? `/${subresource}` : ''
  return `${collectionPath(resource, namespace)}/${encodeURIComponent(name)}${tail}`
}
