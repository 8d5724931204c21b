/** From a command's words to resources and names: `pods web`, `pod/web svc/web`, `pods,services`, `all`. */
import type { DiscoveredResource, Discovery } from '../client/discovery.ts'
import { CommandError } from './io.ts'

export interface Target {
  readonly resource: DiscoveredResource
  /** None: every object of the resource. */
  readonly names: readonly string[]
}

/** Throws CommandError for a kind that the server does not have and for words that mix both forms. */
export async function parseTargets(words: readonly string[], discovery: Discovery): Promise<Target[]> {
  const [first = '', ...names] = words
  if (words.some((word) => word.includes('/'))) return parsePairs(words, discovery)
  const targets: Target[] = []
  for (const kind of first.split(',').filter(Boolean)) {
    const several = kind === 'all' ? await discovery.category('all') : [await findResource(kind, discovery)]
    for (const resource of several) if (resource.verbs.includes('list')) targets.push({ resource, names })
  }
  if (targets.length === 0) throw new CommandError(`the server has no listable resource ${JSON.stringify(first)}`)
  return targets
}

async function parsePairs(words: readonly string[], discovery: Discovery): Promise<Target[]> {
  const targets: Target[] = []
  for (const word of words) {
    const [kind = '', name = '', ...more] = word.split('/')
    if (!kind || !name || more.length > 0)
      throw new CommandError(
        `${JSON.stringify(word)} is no kind/name; either every argument is one, or a kind comes first and names follow`,
      )
    const resource = await findResource(kind, discovery)
    const last = targets.at(-1)
    // Neighbours of one kind come out as one table.
    if (last?.resource === resource) targets[targets.length - 1] = { resource, names: [...last.names, name] }
    else targets.push({ resource, names: [name] })
  }
  return targets
}

export async function findResource(kind: string, discovery: Discovery): Promise<DiscoveredResource> {
  const found = await discovery.find(kind)
  if (!found) throw new CommandError(`the server doesn't have a resource type ${JSON.stringify(kind)}`)
  return found
}

/** `deployment.apps/web`, `pod/web`: how an object is named in what commands print. */
export function displayName(resource: Pick<DiscoveredResource, 'group' | 'singular'>, name: string): string {
  return `${displayKind(resource)}/${name}`
}

export function displayKind({ singular, group }: Pick<DiscoveredResource, 'group' | 'singular'>): string {
  return group ? `${singular}.${group}` : singular
}
