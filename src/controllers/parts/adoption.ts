/**
 * Which objects an owner takes as its own, by selector and owner reference, and the writes that make it so.
 * An object whose labels match and that nobody controls is adopted; one that is controlled but no longer matches is released.
 */
import type { KubeObject } from '../../api/object.ts'
import type { LabelSelector } from '../../api/selectors.ts'
import { isNotFound, StatusError } from '../../api/status.ts'
import type { Client, ResourceRef } from '../../client/client.ts'
import { inParallel } from './batches.ts'
import { controllerReference } from './owners.ts'

export interface Claims<T> {
  /** Controlled and matching. */
  kept: T[]
  adopted: T[]
  released: T[]
}

/** Decides over `owned` (controlled by the owner) and `free` (controlled by nobody, same namespace). Pure. */
export function planClaims<T extends KubeObject>(
  owner: KubeObject,
  selector: LabelSelector,
  owned: readonly T[],
  free: readonly T[],
): Claims<T> {
  const claims: Claims<T> = { kept: [], adopted: [], released: [] }
  const leaving = owner.metadata.deletionTimestamp !== undefined
  for (const object of owned) {
    if (selector.matches(object.metadata.labels)) claims.kept.push(object)
    else if (!leaving) claims.released.push(object)
  }
  if (leaving) return claims
  for (const object of free) {
    if (object.metadata.deletionTimestamp === undefined && selector.matches(object.metadata.labels)) claims.adopted.push(object)
  }
  return claims
}

/**
 * Writes the claims and gives what the owner has afterwards. Before anything is adopted the owner is read once more from the
 * server: a cache that still shows a deleted owner must not take objects from its successor.
 */
export async function performClaims<O extends KubeObject, T extends KubeObject>(
  client: Client,
  owner: O,
  ownerResource: ResourceRef<O>,
  resource: ResourceRef<T>,
  claims: Claims<T>,
): Promise<T[]> {
  await inParallel(claims.released, (object) => release(client, owner, resource, object))
  if (claims.adopted.length === 0) return claims.kept
  const { name = '', namespace } = owner.metadata
  const fresh = await client.get(ownerResource, name, { namespace })
  if (fresh.metadata.uid !== owner.metadata.uid || fresh.metadata.deletionTimestamp !== undefined) return claims.kept
  const adopted: T[] = []
  await inParallel(claims.adopted, async (object) => {
    const taken = await adopt(client, owner, ownerResource, resource, object)
    if (taken) adopted.push(taken)
  })
  return [...claims.kept, ...adopted]
}

/** The uid in the patch makes it fail for another object of the same name. */
async function adopt<T extends KubeObject>(
  client: Client,
  owner: KubeObject,
  ownerResource: ResourceRef,
  resource: ResourceRef<T>,
  object: T,
): Promise<T | undefined> {
  const { name = '', namespace, uid } = object.metadata
  const patch = { metadata: { uid, ownerReferences: [controllerReference(owner, ownerResource)] } }
  try {
    return await client.patch(resource, name, 'strategic', patch, { namespace })
  } catch (error) {
    if (isGoneOrReplaced(error)) return undefined
    throw error
  }
}

async function release<T extends KubeObject>(
  client: Client,
  owner: KubeObject,
  resource: ResourceRef<T>,
  object: T,
): Promise<void> {
  const { name = '', namespace, uid } = object.metadata
  const patch = { metadata: { uid, ownerReferences: [{ $patch: 'delete', uid: owner.metadata.uid }] } }
  try {
    await client.patch(resource, name, 'strategic', patch, { namespace })
  } catch (error) {
    if (!isGoneOrReplaced(error)) throw error
  }
}

function isGoneOrReplaced(error: unknown): boolean {
  return isNotFound(error) || (error instanceof StatusError && error.reason === 'Invalid')
}
