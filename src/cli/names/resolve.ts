/**
 * Which objects bare names mean. `resolveName` says what it found; `resolveNames` acts on it as commands do: one root is the
 * answer, several are an error with exit code 3, none is one with the nearest names.
 */
import type { KubeObject } from '../../api/object.ts'
import type { ResourceRef } from '../../client/client.ts'
import { CommandError } from '../io.ts'
import { templatePathsOf } from '../pod-template.ts'
import type { Session } from '../session.ts'
import { type Candidate, handleOf, isBuiltIn } from './candidate.ts'
import { type Lookup, lookUp, type Scope } from './lookup.ts'
import type { Needs } from './needs.ts'
import { rankCandidates } from './rank.ts'

export type Resolution =
  | { readonly type: 'one'; readonly object: Candidate }
  | { readonly type: 'several'; readonly objects: readonly Candidate[] }
  /** `others` bear the name and cannot serve the verb. */
  | { readonly type: 'none'; readonly others: readonly Candidate[]; readonly lookup: Lookup }

export interface ResolveOptions {
  /** Act on all that a name means, instead of asking which. */
  readonly allMatches?: boolean | undefined
  readonly allNamespaces?: boolean | undefined
}

/** The exit code that says: this name means several things. */
export const AMBIGUOUS = 3

export async function resolveName(name: string, needs: Needs, session: Session, scope: Scope = session): Promise<Resolution> {
  const lookup = await lookUp(name, needs, scope, session)
  const found = needs.podTemplate ? await withTemplate(lookup.found, session) : lookup.found
  const meant = rankCandidates(found, needs)
  const [object] = meant
  if (!object) return { type: 'none', others: lookup.found, lookup }
  return meant.length === 1 ? { type: 'one', object } : { type: 'several', objects: meant }
}

/** A custom resource without a pod template does not stand in the way of what it made. */
async function withTemplate(candidates: readonly Candidate[], { client }: Session): Promise<Candidate[]> {
  const checked = candidates.map(async (candidate) => {
    const { resource, name, namespace } = candidate
    if (isBuiltIn(resource.group)) return [candidate]
    const object = await client.get(resource as ResourceRef<KubeObject>, name, { namespace })
    return templatePathsOf(object, resource.group).length > 0 ? [candidate] : []
  })
  return (await Promise.all(checked)).flat()
}

/** In the order of the names. Throws CommandError: exit code 3 when a name means several objects, 1 when it means none. */
export async function resolveNames(
  names: readonly string[],
  needs: Needs,
  session: Session,
  options: ResolveOptions = {},
): Promise<Candidate[]> {
  const scope = options.allNamespaces ? { namespace: undefined } : session
  const resolutions = await Promise.all(names.map((name) => resolveName(name, needs, session, scope)))
  // Whatever is wrong with one of the names, nothing is done.
  return resolutions.flatMap((resolution, index) => {
    if (resolution.type === 'one') return [resolution.object]
    if (resolution.type === 'none') throw new UnknownName(absence(names[index]!, needs, resolution, scope))
    if (options.allMatches) return resolution.objects
    throw new AmbiguousName(names[index]!, resolution.objects, needs)
  })
}

/** A name that means several objects; `objects` are these. */
export class AmbiguousName extends CommandError {
  override name = 'AmbiguousName'
  readonly objects: readonly Candidate[]
  constructor(name: string, objects: readonly Candidate[], { single }: Needs) {
    const handles = objects.map((one) => handleWithin(one, objects)).join(', ')
    super(
      `${JSON.stringify(name)} means several: ${handles}; say which${single ? '' : ', or all of them with --all-matches'}`,
      AMBIGUOUS,
    )
    this.objects = objects
  }
}

/** A name that means nothing that could serve the verb. */
export class UnknownName extends CommandError {
  override name = 'UnknownName'
}

/** With its namespace where they differ. */
function handleWithin(one: Candidate, all: readonly Candidate[]): string {
  const differ = all.some(({ namespace }) => namespace !== all[0]!.namespace)
  return differ && one.namespace ? `${handleOf(one)} (in ${one.namespace})` : handleOf(one)
}

/** More kinds than these would fill the screen. */
const MAX_KINDS_TOLD = 6

function shortened(kinds: readonly string[]): string {
  const more = kinds.length - MAX_KINDS_TOLD
  return more > 0 ? `${kinds.slice(0, MAX_KINDS_TOLD).join(', ')} and ${more} other kinds` : kinds.join(', ')
}

/** Why nothing was found, and what may have been meant, in one line. */
function absence(
  name: string,
  needs: Needs,
  { others, lookup }: { others: readonly Candidate[]; lookup: Lookup },
  { namespace }: Scope,
): string {
  const where = namespace === undefined ? 'in any namespace' : `in namespace ${namespace}`
  const outside = others.filter((one) => needs.rank(one.resource) !== undefined && !one.resource.namespaced)
  if (outside.length > 0)
    return `nothing ${where} is named ${JSON.stringify(name)}; ${outside.map(handleOf).join(', ')} lies in no namespace and must be named in full`
  if (others.length > 0)
    return `nothing ${where} that is named ${JSON.stringify(name)} fits ${needs.verb}, which takes ${needs.what}; there is ${others.map(handleOf).join(', ')}`
  const near = lookup.near.length > 0 ? `; near: ${[...new Set(lookup.near.map(handleOf))].join(', ')}` : ''
  const hidden = lookup.unreadable.length > 0 ? ` (no permission to get ${shortened(lookup.unreadable)})` : ''
  return `nothing ${where} is named ${JSON.stringify(name)}${hidden}${near}`
}
