/** The objects that a command's words, selectors or files mean, each by its resource, namespace and name. */
import type { KubeObject } from '../api/object.ts'
import type { ResourceRef } from '../client/client.ts'
import type { DiscoveredResource } from '../client/discovery.ts'
import { CommandError, type Io } from './io.ts'
import { namespaceOf, readManifests, resourceOf } from './manifests.ts'
import { readMetadata } from './names/metadata.ts'
import type { Needs } from './names/needs.ts'
import type { GlobalOptions, Session } from './session.ts'
import { parseTargets, type Target } from './targets.ts'

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
  /** Found by a bare name or an alias: the user has not said what kind it is. */
  byName?: true
}

/** `needs` is what the verb asks of an object that is given by its bare name. */
export async function selectObjects(options: SelectOptions, session: Session, io: Io, needs: Needs): Promise<Selected[]> {
  if (options.files && options.files.length > 0) return ofFiles(options, session, io)
  if (options.words.length === 0) throw new CommandError('names are needed, or kinds and names, or -f FILE')
  const selected: Selected[] = []
  const { allMatches, allNamespaces } = options
  const targets = await parseTargets(options.words, session, { needs, allMatches, allNamespaces })
  for (const target of targets) {
    if (target.names.length > 0) {
      if (options.selector || options.fieldSelector || options.all)
        throw new CommandError('names cannot be given together with --selector or --all')
      selected.push(...(await named(target, session)))
    } else {
      if (!options.selector && !options.fieldSelector && !options.all && !options.kindAloneIsAll)
        throw new CommandError(`which ${target.bySet ?? target.resource.plural}? Give names, --selector or --all`)
      selected.push(...(await listed(target, options, session)))
    }
  }
  refuseMissing(targets, selected)
  return selected
}

/** Of an alias's kinds, only those count that have an object of the name. */
async function named({ resource, names, namespace, byName, bySet }: Target, session: Session): Promise<Selected[]> {
  const within = resource.namespaced ? (namespace ?? session.namespace) : undefined
  const all = names.map((name): Selected => ({ resource, name, namespace: within, ...((byName || bySet) && { byName: true }) }))
  if (bySet === undefined) return all
  const found = await Promise.all(all.map(({ name }) => readMetadata(resource, name, within, session)))
  return all.filter((_, index) => found[index]!.found.length > 0)
}

/** A name that none of an alias's kinds has. */
function refuseMissing(targets: readonly Target[], selected: readonly Selected[]): void {
  for (const { bySet, names } of targets) {
    const missing = bySet === undefined ? undefined : names.find((name) => !selected.some((one) => one.name === name))
    if (missing !== undefined) throw new CommandError(`nothing of ${bySet} is named ${JSON.stringify(missing)}`)
  }
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

async function listed({ resource, bySet }: Target, options: SelectOptions, session: Session): Promise<Selected[]> {
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
    ...(bySet && { byName: true }),
  }))
}
