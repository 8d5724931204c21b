/** Who controls an object, and the indexes that find an owner's objects and those nobody controls. */
import type { KubeObject, OwnerReference } from '../../api/object.ts'
import type { ResourceRef } from '../../client/client.ts'
import type { Cache } from '../../watch/informer.ts'

const BY_CONTROLLER = 'controller-uid'
const UNCONTROLLED = 'uncontrolled-in-namespace'

/** The one owner reference that says `controller: true`. */
export function controllerOf(object: KubeObject): OwnerReference | undefined {
  const references = object.metadata.ownerReferences
  if (references) for (const reference of references) if (reference.controller) return reference
  return undefined
}

export function isControlledBy(object: KubeObject, owner: KubeObject): boolean {
  return controllerOf(object)?.uid === owner.metadata.uid
}

/** The reference a controller puts on what it makes. The API version is the resource's own: lists leave it out of their items. */
export function controllerReference(owner: KubeObject, resource: ResourceRef): OwnerReference {
  return {
    apiVersion: apiVersionOf(resource),
    kind: resource.kind,
    name: owner.metadata.name ?? '',
    uid: owner.metadata.uid ?? '',
    controller: true,
    blockOwnerDeletion: true,
  }
}

export function apiVersionOf(resource: Pick<ResourceRef, 'group' | 'version'>): string {
  return resource.group ? `${resource.group}/${resource.version}` : resource.version
}

/** Declares the indexes that `ownedBy` and `uncontrolledIn` read. */
export function indexByController(cache: Cache<KubeObject>): void {
  cache.addIndex(BY_CONTROLLER, (object) => {
    const uid = controllerOf(object)?.uid
    return uid ? [uid] : []
  })
  cache.addIndex(UNCONTROLLED, (object) => (controllerOf(object) ? [] : [object.metadata.namespace ?? '']))
}

export function ownedBy<T extends KubeObject>(cache: Cache<T>, ownerUid: string | undefined): readonly T[] {
  return ownerUid ? cache.byIndex(BY_CONTROLLER, ownerUid) : []
}

export function uncontrolledIn<T extends KubeObject>(cache: Cache<T>, namespace: string | undefined): readonly T[] {
  return cache.byIndex(UNCONTROLLED, namespace ?? '')
}

/**
 * The key of the controller of `object` if it is one of `resource` and, as far as the cache knows, still the same one:
 * a reference to an owner of the same name that was replaced does not count.
 */
export function controllerKey(object: KubeObject, resource: ResourceRef, owners: Cache<KubeObject>): string | undefined {
  const reference = controllerOf(object)
  if (!reference || reference.kind !== resource.kind || reference.apiVersion !== apiVersionOf(resource)) return undefined
  const key = `${object.metadata.namespace}/${reference.name}`
  const owner = owners.get(key)
  return owner && owner.metadata.uid !== reference.uid ? undefined : key
}
