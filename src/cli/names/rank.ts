/** Of all objects of a name, those that a verb means. Decides, reads nothing. */
import { type Candidate, isControlled } from './candidate.ts'
import type { Needs } from './needs.ts'

/** One: that is meant. Several: the name is ambiguous. None: nothing of this name can serve the verb. */
export function rankCandidates(candidates: readonly Candidate[], needs: Needs): Candidate[] {
  const able = candidates.flatMap((candidate) => {
    if (!needs.clusterWide && !candidate.resource.namespaced) return []
    const rank = needs.rank(candidate.resource)
    // What lies in the namespace is meant before what lies outside all of them.
    return rank === undefined ? [] : [{ candidate, rank: rank + (candidate.resource.namespaced ? 0 : OUTSIDE) }]
  })
  const uids = new Set(able.map(({ candidate }) => candidate.metadata.uid))
  const independent = able.filter(({ candidate }) => !isOwnedBy(candidate, uids) && !isDerived(candidate, candidates))
  const best = Math.min(...independent.map(({ rank }) => rank))
  const meant = independent.filter(({ rank }) => rank === best).map(({ candidate }) => candidate)
  const roots = meant.filter((candidate) => !isControlled(candidate))
  return roots.length > 0 ? roots : meant
}

const OUTSIDE = 100

function isOwnedBy({ metadata }: Candidate, uids: ReadonlySet<string | undefined>): boolean {
  return metadata.ownerReferences?.some(({ uid }) => uids.has(uid)) === true
}

/** A Service's Endpoints carry its name and no owner: they come and go with it. */
function isDerived({ resource, namespace }: Candidate, all: readonly Candidate[]): boolean {
  if (resource.group !== '' || resource.plural !== 'endpoints') return false
  return all.some((other) => other.resource.plural === 'services' && other.resource.group === '' && other.namespace === namespace)
}
