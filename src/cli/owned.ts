/** Everything in some namespaces by its metadata alone, and who owns what in it: for what goes with an object, and what stands around it. */
import { qualified } from '../api/status.ts'
import type { DiscoveredResource } from '../client/discovery.ts'
import type { Candidate } from './names/candidate.ts'
import { inParallel, listMetadata } from './names/metadata.ts'
import type { Session } from './session.ts'

export interface Contents {
  readonly all: Candidate[]
  /** Kinds that the user may not list: there may be more than is known. */
  readonly unreadable: readonly string[]
}

/** A request for each resource and namespace; `undefined` is all namespaces, and what lies in none. */
export async function contentsOf(
  namespaces: Iterable<string | undefined>,
  resources: readonly DiscoveredResource[],
  session: Session,
): Promise<Contents> {
  const questions = [...namespaces].flatMap((namespace) => resources.map((resource) => ({ resource, namespace })))
  const unreadable = new Set<string>()
  const lists = await inParallel(questions, async ({ resource, namespace }) => {
    const { found, isForbidden } = await listMetadata(resource, namespace, session)
    if (isForbidden) unreadable.add(qualified(resource))
    return found
  })
  return { all: lists.flat(), unreadable: [...unreadable].sort() }
}

/** By the owner's uid. */
export function ownedBy(all: readonly Candidate[]): Map<string, Candidate[]> {
  const owned = new Map<string, Candidate[]>()
  for (const candidate of all) {
    for (const { uid } of candidate.metadata.ownerReferences ?? []) {
      const siblings = owned.get(uid)
      if (siblings) siblings.push(candidate)
      else owned.set(uid, [candidate])
    }
  }
  return owned
}
