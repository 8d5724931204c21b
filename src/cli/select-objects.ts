/** The objects that a command's words, selectors or files mean, each by its resource, namespace and name. */
import type { KubeObject } from '../api/object.ts'
import type { ResourceRef } from '../client/client.ts'
import type { DiscoveredResource } from '../client/discovery.ts'
import { CommandError, type Io } from './io.ts'
import { namespaceOf, readManifests, resourceOf } from './manifests.ts'
import type { Needs } from './names/needs.ts'
import type { GlobalOptions, Session } from './session.ts'
import { parseTargets } from './targets.ts'

export interface SelectOptions extends GlobalOptions {
  words: readonly string[]
  files?: readonly string[] | undefined
  recursive?: boolean | undefined
  selector?: string | undefined
  fieldSelector?: string | undefined
  allNamespaces?: boolean | undefined
  /** Every object of the kind; without it, a kind alone is refused. */
  all?: boolean | undefined
  /** A kind alone is not refused: all its objects are meant. */
  kindAloneIsAll?: boolean | undefined
  /** Everything that a bare name means; without it, one that means several things is refused. */
  allMatches?: boolean | undefined
}

export interface Selected {
  resource: DiscoveredResource
  name: string
  namespace: string | undefined
  /** Known when the object was read to find it. */
  object?: KubeObject
  /** Found by a bare name: the user has not said what kind it is. */
  byName?: true
}

/** `needs` is what the verb asks of an object that is given by its bare name. */
export async function selectObjects(options: SelectOptions, session: Session, io: Io, needs: Needs): Promise<Selected[]> {
  if (options.files && options.files.length > 0) return ofFiles(options, session, io)
  if (options.words.length === 0) throw new CommandError('names are needed, or kinds and names, or -f FILE')
  const selected: Selected[] = []
  const { allMatches, allNamespaces } = options
  for (const target of await parseTargets(options.words, session, { needs, allMatches, allNamespaces })) {
    const { resource, names, byName } = target
    const namespace = resource.namespaced ? (target.namespace ?? session.namespace) : undefined
    if (names.length > 0) {
      if (options.selector || options.fieldSelector || options.all)
        throw new CommandError('names cannot be given together with --selector or --all')
      selected.push(...names.map((name) => ({ resource, name, namespace, ...(byName && { byName }) })))
    } else {
      if (!options.selector && !options.fieldSelector && !options.all && !options.kindAloneIsAll)
        throw new CommandError(`which ${resource.plural}? Give names, --selector or --all`)
      selected.push(...(await listed(resource, options, session)))
    }
  }
  return selected
}

async function ofFiles(options: SelectOptions, session: Session, io: Io): Promise<Selected[]> {
  if (options.words.length > 0) throw new CommandError('-f cannot be given together with kinds and names')
  const selected: Selected[] = []
  for (const manifest of await readManifests(options.files ?? [], options.recursive === true, io.stdin)) {
    const resource = await resourceOf(manifest, session.discovery)
    const namespace = resource.namespaced ? namespaceOf(manifest, session, options.namespace) : undefined
    selected.push({ resource, name: manifest.object.metadata.name ?? '', namespace })
  }
  return selected
}

async function listed(resource: DiscoveredResource, options: SelectOptions, session: Session): Promise<Selected[]> {
  const untyped = resource as ResourceRef<KubeObject>
  const list = await session.client.list(untyped, {
    namespace: resource.namespaced && !options.allNamespaces ? session.namespace : undefined,
    labelSelector: options.selector,
    fieldSelector: options.fieldSelector,
  })
  return list.items.map((object) => ({
    resource,
    name: object.metadata.name ?? '',
    namespace: object.metadata.namespace,
    object,
  }))
}
