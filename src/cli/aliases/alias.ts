/**
 * An alias stands for a set of kinds. A set that names its kinds is explicit: it stays what it is. One that follows what the cluster
 * has (a category, a capability, everything) is open: whoever installs a kind can put it in, so nothing is ever deleted by it.
 */
import { qualified } from '../../api/status.ts'
import { nearest } from '../../base/nearest.ts'
import type { DiscoveredResource, Discovery } from '../../client/discovery.ts'
import { CommandError } from '../io.ts'
import { isBuiltIn } from '../names/candidate.ts'
import { isWorkload } from '../names/needs.ts'

/** Where an alias comes from, in the order in which they are asked. */
export type AliasScope = 'user' | 'namespace' | 'cluster' | 'declared' | 'built-in'

export interface Alias {
  readonly name: string
  readonly scope: AliasScope
  /** Kinds such as `deployments.apps`, and open terms: `category:NAME`, `capability:NAME`, `*`. */
  readonly members: readonly string[]
}

export interface KindSet {
  readonly alias: Alias
  readonly isOpen: boolean
  readonly resources: readonly DiscoveredResource[]
  /** Members that this cluster does not have. */
  readonly lacking: readonly string[]
}

/** What tools may do with a kind. Kubernetes' own are known; a custom one says so by a category of that name. */
export const CAPABILITIES = ['scalable', 'has-pod-template', 'restartable'] as const

/** There on every cluster, unless an alias of the same name is set. */
export const BUILT_IN: readonly Alias[] = [
  { name: 'all', scope: 'built-in', members: ['*'] },
  ...CAPABILITIES.map((name): Alias => ({ name, scope: 'built-in', members: [`capability:${name}`] })),
]

/** Made by the cluster for objects that are listed themselves: `all` leaves them out, and says so in its help. */
const COMPUTED = new Set([
  'events',
  'events.events.k8s.io',
  'endpoints',
  'endpointslices.discovery.k8s.io',
  'controllerrevisions.apps',
  'leases.coordination.k8s.io',
])
const RESTARTED = new Set([
  'deployments.apps',
  'statefulsets.apps',
  'daemonsets.apps',
  'replicationcontrollers',
  'replicasets.apps',
])

export function isOpenMember(member: string): boolean {
  return member === '*' || member.includes(':')
}

export async function expand(alias: Alias, discovery: Discovery): Promise<KindSet> {
  const known = onceEach(await discovery.resources())
  const resources = new Set<DiscoveredResource>()
  const lacking: string[] = []
  for (const member of alias.members) {
    if (isOpenMember(member)) for (const one of known.filter((resource) => isMember(resource, member))) resources.add(one)
    else {
      const found = await discovery.find(member)
      if (found?.verbs.includes('list')) resources.add(found)
      else lacking.push(member)
    }
  }
  return { alias, isOpen: alias.members.some(isOpenMember), resources: [...resources], lacking }
}

/** In its preferred version, as far as it can be listed. */
function onceEach(resources: readonly DiscoveredResource[]): DiscoveredResource[] {
  const byName = new Map<string, DiscoveredResource>()
  for (const one of resources) if (one.verbs.includes('list') && !byName.has(qualified(one))) byName.set(qualified(one), one)
  return [...byName.values()]
}

function isMember(resource: DiscoveredResource, term: string): boolean {
  const [sort, name = ''] = term.split(':')
  if (sort === '*') return resource.namespaced && !COMPUTED.has(qualified(resource)) && resource.group !== 'metrics.k8s.io'
  if (sort === 'category') return resource.categories.includes(name)
  if (!isBuiltIn(resource.group) && resource.categories.includes(name)) return true
  switch (name) {
    case 'scalable':
      return resource.subresources.includes('scale')
    case 'has-pod-template':
      return (isWorkload(resource) && resource.plural !== 'pods') || qualified(resource) === 'podtemplates'
    case 'restartable':
      return RESTARTED.has(qualified(resource))
    default:
      return false
  }
}

/** The members of a new alias, from words and comma lists, each as the cluster calls it. Throws CommandError. */
export async function parseMembers(words: readonly string[], discovery: Discovery): Promise<string[]> {
  const members: string[] = []
  for (const word of words.flatMap((text) => text.split(',')).filter(Boolean)) {
    const [sort, name = ''] = word.split(':')
    if (sort === 'capability' && !(CAPABILITIES as readonly string[]).includes(name))
      throw new CommandError(`${JSON.stringify(word)} is no capability: ${CAPABILITIES.join(', ')}`)
    if (word.includes(':') && sort !== 'capability' && sort !== 'category')
      throw new CommandError(`${JSON.stringify(word)} is no kind, no category:NAME and no capability:NAME`)
    const found = isOpenMember(word) ? word : await discovery.find(word)
    if (!found) throw await noSuchKind(word, discovery)
    members.push(typeof found === 'string' ? found : qualified(found))
  }
  if (members.length === 0) throw new CommandError('an alias needs kinds: skiff alias set NAME KIND,…')
  return [...new Set(members)]
}

/** Says which kinds are near. */
export async function noSuchKind(word: string, discovery: Discovery): Promise<CommandError> {
  const words = (await discovery.resources()).flatMap(({ plural, singular }) => [plural, singular])
  const near = nearest(
    word.toLowerCase(),
    [...new Set(words)].map((name) => ({ name })),
  )
  const proposal = near.length > 0 ? `; near: ${near.map(({ name }) => name).join(', ')}` : ''
  return new CommandError(`the server doesn't have a resource type ${JSON.stringify(word)}${proposal}`)
}
