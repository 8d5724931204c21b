/**
 * From a command's words to resources and names: `pods web`, `pod/web svc/web`, `pods,services`, and `web` alone, whatever it is.
 * A word that is a kind is a kind; only what is none is looked for as a name.
 */
import type { DiscoveredResource, Discovery } from '../client/discovery.ts'
import { CommandError } from './io.ts'
import type { Candidate } from './names/candidate.ts'
import type { Needs } from './names/needs.ts'
import type { ResolveOptions } from './names/resolve.ts'
import type { Session } from './session.ts'

export interface Target {
  readonly resource: DiscoveredResource
  /** None: every object of the resource. */
  readonly names: readonly string[]
  /** Where a bare name was found, when that may be another namespace than the session's. */
  readonly namespace?: string | undefined
  /** Found by a bare name. */
  readonly byName?: true
}

/** How bare names are understood; without it, a kind must be given. */
export interface Naming extends ResolveOptions {
  readonly needs: Needs
}

/** Throws CommandError for a kind that the server does not have, and for a name that means nothing or several objects. */
export async function parseTargets(words: readonly string[], session: Session, naming?: Naming): Promise<Target[]> {
  const [first = '', ...names] = words
  if (words.some((word) => word.includes('/'))) return parseMixed(words, session, naming)
  const kinds = await kindsOf(first, session.discovery)
  if (kinds) return kinds.map((resource) => ({ resource, names }))
  if (naming && !first.includes(',')) return targetsOf(await resolve(words, session, naming))
  const unknown = first.split(',').find((word) => word !== '')
  throw noSuchKind(unknown ?? first)
}

/** The listable resources of `pods`, `pods,services` or `all`; undefined when one of the words is no kind. */
async function kindsOf(text: string, discovery: Discovery): Promise<DiscoveredResource[] | undefined> {
  const kinds: DiscoveredResource[] = []
  for (const word of text.split(',').filter(Boolean)) {
    const found = word === 'all' ? await discovery.category('all') : [await discovery.find(word)]
    for (const resource of found) {
      if (!resource) return undefined
      if (resource.verbs.includes('list')) kinds.push(resource)
    }
  }
  if (kinds.length === 0) throw new CommandError(`the server has no listable resource ${JSON.stringify(text)}`)
  return kinds
}

/** `kind/name` is exact wherever it stands; the words between are bare names, where those are understood. */
async function parseMixed(words: readonly string[], session: Session, naming: Naming | undefined): Promise<Target[]> {
  const targets: Target[] = []
  for (const word of words) {
    if (!word.includes('/') && naming) targets.push(...targetsOf(await resolve([word], session, naming)))
    else targets.push(await parsePair(word, session.discovery))
  }
  return joined(targets)
}

async function parsePair(word: string, discovery: Discovery): Promise<Target> {
  const [kind = '', name = '', ...more] = word.split('/')
  if (!kind || !name || more.length > 0)
    throw new CommandError(
      `${JSON.stringify(word)} is no kind/name; either every argument is one, or a kind comes first and names follow`,
    )
  return { resource: await findResource(kind, discovery), names: [name] }
}

/** Neighbours of one kind come out as one table. */
function joined(targets: readonly Target[]): Target[] {
  const result: Target[] = []
  for (const target of targets) {
    const last = result.at(-1)
    if (last?.resource === target.resource && last.namespace === target.namespace)
      result[result.length - 1] = { ...last, names: [...last.names, ...target.names] }
    else result.push(target)
  }
  return result
}

/** Loaded when a bare name is there to be resolved. */
async function resolve(names: readonly string[], session: Session, naming: Naming): Promise<Candidate[]> {
  const { resolveNames } = await import('./names/resolve.ts')
  return resolveNames(names, naming.needs, session, naming)
}

export function targetsOf(candidates: readonly Candidate[]): Target[] {
  return joined(candidates.map(({ resource, name, namespace }) => ({ resource, names: [name], namespace, byName: true })))
}

export async function findResource(kind: string, discovery: Discovery): Promise<DiscoveredResource> {
  const found = await discovery.find(kind)
  if (!found) throw noSuchKind(kind)
  return found
}

function noSuchKind(kind: string): CommandError {
  return new CommandError(`the server doesn't have a resource type ${JSON.stringify(kind)}`)
}

/** `deployment.apps/web`, `pod/web`: how an object is named in what commands print. */
export function displayName(resource: Pick<DiscoveredResource, 'group' | 'singular'>, name: string): string {
  return `${displayKind(resource)}/${name}`
}

export function displayKind({ singular, group }: Pick<DiscoveredResource, 'group' | 'singular'>): string {
  return group ? `${singular}.${group}` : singular
}
