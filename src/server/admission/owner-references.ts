/**
 * Owner references are power over the owner's life: changing them takes the right to delete the object, and holding an owner
 * back (`blockOwnerDeletion`) the right to set the owner's finalizers.
 */

import type { ResourceDefinition } from '../../api/definition.ts'
import type { OwnerReference } from '../../api/object.ts'
import { equalJson } from '../objects/json.ts'
import type { AdmissionPlugin, AdmissionRequest, Asks } from './contract.ts'
import { refused } from './refusal.ts'

/** `definitionOf` finds the resource of an owner by its apiVersion and kind. */
export function ownerReferencesPermissionEnforcement(
  asks: Asks,
  definitionOf: (apiVersion: string, kind: string) => ResourceDefinition | undefined,
): AdmissionPlugin {
  return {
    name: 'OwnerReferencesPermissionEnforcement',
    handles: ({ operation, object, subresource, user }) =>
      (operation === 'UPDATE' || (operation === 'CREATE' && (object?.metadata?.ownerReferences?.length ?? 0) > 0)) &&
      subresource !== 'status' &&
      !user.groups.includes('system:masters'),
    async validate(request) {
      const [before, after] = [request.old, request.object].map((object) => object?.metadata.ownerReferences ?? [])
      if (!before || !after || equalJson(before, after)) return
      // Whoever creates the object needs no further right to say who owns it.
      if (request.operation === 'UPDATE' && !(await mayDelete(request, asks))) {
        throw refused(request, "cannot set an ownerRef on a resource you can't delete: , <nil>")
      }
      for (const reference of newlyBlocking(before, after)) await checkBlocking(request, reference, asks, definitionOf)
    },
  }
}

function mayDelete({ user, definition, namespace, name }: AdmissionRequest, asks: Asks) {
  return asks({
    user,
    verb: 'delete',
    group: definition.group,
    version: definition.version,
    resource: definition.plural,
    namespace,
    name,
  })
}

/** References that hold back an owner and did not before. */
function newlyBlocking(before: readonly OwnerReference[], after: readonly OwnerReference[]): OwnerReference[] {
  return after.filter(
    (reference) =>
      reference.blockOwnerDeletion && !before.some((other) => other.uid === reference.uid && other.blockOwnerDeletion),
  )
}

async function checkBlocking(
  request: AdmissionRequest,
  reference: OwnerReference,
  asks: Asks,
  definitionOf: (apiVersion: string, kind: string) => ResourceDefinition | undefined,
): Promise<void> {
  const prefix = "cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on"
  const owner = definitionOf(reference.apiVersion, reference.kind)
  if (!owner) {
    const what = `RESTMapping of ${reference.apiVersion}, Kind=${reference.kind}`
    throw refused(
      request,
      `cannot set blockOwnerDeletion in this case because cannot find ${what}: no matches for kind "${reference.kind}"`,
    )
  }
  const allowed = await asks({
    user: request.user,
    verb: 'update',
    group: owner.group,
    version: owner.version,
    resource: owner.plural,
    subresource: 'finalizers',
    namespace: owner.namespaced ? request.namespace : '',
    name: reference.name,
  })
  if (!allowed) throw refused(request, `${prefix}: , <nil>`)
}
