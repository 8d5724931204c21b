/** Where an object lies in the store. */
import type { Resource } from '../registry.ts'

export function keyOf(resource: Resource, namespace: string, name: string): string {
  return resource.definition.namespaced ? `${resource.prefix}${namespace}/${name}` : resource.prefix + name
}

/** What is listed or watched: a namespace's objects, or with an empty namespace all of them. */
export function prefixOf(resource: Resource, namespace: string): string {
  return resource.definition.namespaced && namespace !== '' ? `${resource.prefix}${namespace}/` : resource.prefix
}
