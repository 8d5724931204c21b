/**
 * From a command's words to resources and names: `pods web`, `pod/web svc/web`, `pods,services`, and `web` alone, whatever it is.
 * A word that is a kind is a kind; only what is none is looked for as a name.
 */
import type { DiscoveredResource, Discovery } from '../client/discovery.ts'
import type { KindSet } from './aliases/alias.ts'
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
  /** One of the kinds that this alias stands for: not each of them need have the names. */
  readonly bySet?: string
}

/** How bare names are understood; without it, a kind must be given. */
export interface Naming extends ResolveOptions {
  readonly needs: Needs
}

/** Throws CommandError for a kind that the server does not have, and for a name that means nothing or several objects. */
export async function parseTargets(words: readonly string[], session: Session, naming?: Naming): Promise<Target[]> {
  const [first = '', ...names] = words
  if (words.some((word) => word.includes('/'))) return parseMixed(words, session, naming)
  const kinds = first.split(',').filter(Boolean)
  // `all` is the one alias that is so old that it is no name.
  const isName = naming && kinds.length === 1 && first !== 'all' && !(await session.discovery.find(first))
  if (!isName) return listable((await Promise.all(kinds.map((word) => kindTargets(word, names, session, naming)))).flat(), first)
  const { findAlias } = await import('./aliases/sources.ts')
  // Most words are names: they are looked up while it is asked whether this one is an alias.
  const [set, named] = await Promise.all([findAlias(first, session), settled(resolve(words, session, naming))])
  return set ? listable(targetsOfSet(set, names, naming), first) : targetsOf(named())
}

/** Of a kind, or of all kinds that an alias stands for. */
async function kindTargets(word: string, names: readonly string[], session: Session, naming?: Naming): Promise<Target[]> {
  const resource = await session.discovery.find(word)
  if (resource) return [{ resource, names }]
  const { findAlias } = await import('./aliases/sources.ts')
  const set = await findAlias(word, session)
  if (!set) throw await noSuchKind(word, session.discovery)
  return targetsOfSet(set, names, naming)
}

/** Throws when the set is open and the verb must know what it acts on. */
function targetsOfSet({ alias, isOpen, resources }: KindSet, names: readonly string[], naming?: Naming): Target[] {
  if (isOpen && naming?.needs.closedSets)
    throw new CommandError(
      `${JSON.stringify(alias.name)} is an open set: what is in it depends on the cluster, and ${naming.needs.verb} never acts on one; name the kinds, or make a set of your own: skiff alias set NAME KIND,…`,
    )
  return resources.map((resource) => ({ resource, names, bySet: alias.name }))
}

function listable(targets: readonly Target[], text: string): Target[] {
  const able = targets.filter(({ resource }) => resource.verbs.includes('list'))
  if (able.length === 0) throw new CommandError(`the server has no listable resource ${JSON.stringify(text)}`)
  return able
}

/** Keeps a failure until somebody asks for the result. */
function settled<T>(promise: Promise<T>): Promise<() => T> {
  return promise.then(
    (value) => () => value,
    (error: unknown) => () => {
      throw error
    },
  )
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
  if (!found) throw await noSuchKind(kind, discovery)
  return found
}

async function noSuchKind(kind: string, discovery: Discovery): Promise<CommandError> {
  return (await import('./aliases/alias.ts')).noSuchKind(kind, discovery)
}

/** `deployment.apps/web`, `pod/web`: how an object is named in what commands print. */
export function displayName(resource: Pick<DiscoveredResource, 'group' | 'singular'>, name: string): string {
  return `${displayKind(resource)}/${name}`
}

export function displayKind({ singular, group }: Pick<DiscoveredResource, 'group' | 'singular'>): string {
  return group ? `${singular}.${group}` : singular
}
