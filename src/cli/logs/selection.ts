/**
 * From what was typed to the pods that are meant: a pod's name, the name of what has pods (its selector says which, or their owners
 * do), or labels. Knows how to tell when no further pods can come.
 */
import type { KubeObject, Metadata } from '../../api/object.ts'
import { isNotFound } from '../../api/status.ts'
import type { Pod } from '../../api/types.ts'
import type { ResourceRef } from '../../client/client.ts'
import type { DiscoveredResource } from '../../client/discovery.ts'
import { pods as podResource } from '../../client/resources.ts'
import { selectorOf } from '../find-pods.ts'
import { CommandError } from '../io.ts'
import { handleOf } from '../names/candidate.ts'
import { inParallel, readMetadata } from '../names/metadata.ts'
import { NEEDS } from '../names/needs.ts'
import type { Session } from '../session.ts'
import { findResource } from '../targets.ts'
import { type ObjectName, untilObject } from '../watch-object.ts'

export interface Selection {
  /** `deployment/web`, `pods with app=web`: as messages call it. */
  readonly what: string
  readonly where: { readonly labelSelector?: string; readonly fieldSelector?: string }
  /** Of those, the pods that are meant; absent: all. */
  readonly belongs?: (pod: Pod) => Promise<boolean>
  readonly lasts: Lasting
}

/** For how long further pods may come: none will, as long as its owner is there and has not finished, or for ever. */
export type Lasting = 'onePod' | ObjectName | 'forEver'

export interface Choice {
  readonly words: readonly string[]
  readonly selector?: string | undefined
  readonly allMatches?: boolean | undefined
}

/** Pods that own each other no deeper than this. */
const MAX_OWNERS = 5

/** In the order of the words, each once. Throws CommandError, also for names that mean nothing or several objects. */
export async function selectPods({ words, selector, allMatches }: Choice, session: Session): Promise<Selection[]> {
  if (selector !== undefined) return [{ what: `pods with ${selector}`, where: { labelSelector: selector }, lasts: 'forEver' }]
  const found = await inParallel(words, (word) => selectionsOf(word, allMatches === true, session))
  const byName = new Map(found.flat().map((one) => [one.what, one]))
  return [...byName.values()]
}

/** The pods of a selection that are there now, by name. */
export async function listPods(
  { where, belongs }: Selection,
  { client, namespace }: Session,
  signal?: AbortSignal,
): Promise<Pod[]> {
  const { items } = await client.list(podResource, { namespace, ...where, signal })
  return members(items, belongs)
}

export async function members(all: readonly Pod[], belongs: Selection['belongs']): Promise<Pod[]> {
  const meant = belongs ? await inParallel(all, belongs) : undefined
  const found = meant ? all.filter((_, index) => meant[index]) : [...all]
  return found.sort((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1))
}

/** Resolves when no further pods can come. */
export async function untilComplete({ lasts }: Selection, { client }: Session, signal: AbortSignal): Promise<void> {
  if (lasts === 'onePod') return
  if (lasts === 'forEver')
    await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))
  else {
    const isJob = lasts.resource.kind === 'Job' && lasts.resource.group === 'batch'
    await untilObject(client, lasts, (object) => object === undefined || (isJob && isFinished(object)), signal)
  }
}

function isFinished({ status }: KubeObject): boolean {
  const conditions = (status?.conditions ?? []) as { type: string; status: string }[]
  return conditions.some(({ type, status: is }) => (type === 'Complete' || type === 'Failed') && is === 'True')
}

/** A bare name is a pod's, as it always was; only where there is no such pod, whatever else leads to pods. */
async function selectionsOf(word: string, allMatches: boolean, session: Session): Promise<Selection[]> {
  const slash = word.indexOf('/')
  const name = word.slice(slash + 1)
  if (slash >= 0) return [await selectionOf(await findResource(word.slice(0, slash), session.discovery), name, session)]
  if (await podExists(name, session)) return [onePod(name)]
  const { resolveNames } = await import('../names/resolve.ts')
  const found = await resolveNames([name], NEEDS.logs, session, { allMatches })
  return inParallel(found, (one) => selectionOf(one.resource, one.name, session))
}

async function podExists(name: string, { client, namespace }: Session): Promise<boolean> {
  try {
    await client.get(podResource, name, { namespace })
    return true
  } catch (error) {
    if (isNotFound(error)) return false
    throw error
  }
}

function onePod(name: string): Selection {
  return { what: `pod/${name}`, where: { fieldSelector: `metadata.name=${name}` }, lasts: 'onePod' }
}

async function selectionOf(resource: DiscoveredResource, name: string, session: Session): Promise<Selection> {
  const { client, namespace } = session
  if (!resource.namespaced) throw new CommandError(`${resource.plural} have no pods of their own`)
  const owner = await client.get(resource as ResourceRef<KubeObject>, name, { namespace })
  if (resource.kind === 'Pod' && resource.group === '') return onePod(name)
  const labelSelector = selectorOf(owner)
  const what = handleOf({ resource, name })
  const lasts = { resource, name, namespace }
  if (labelSelector !== undefined) return { what, where: { labelSelector }, lasts }
  return { what, where: {}, belongs: ownedBy(owner.metadata.uid ?? '', session), lasts }
}

/** Whether a pod has that owner, or an owner of an owner. What is known of an owner is remembered. */
function ownedBy(uid: string, session: Session): (pod: Pod) => Promise<boolean> {
  const known = new Map<string, Promise<boolean>>()
  const leadsThere = async (metadata: Metadata, depth: number): Promise<boolean> => {
    const controller = metadata.ownerReferences?.find((one) => one.controller)
    if (!controller || depth > MAX_OWNERS) return false
    if (controller.uid === uid) return true
    const answer = known.get(controller.uid) ?? above(controller, depth)
    known.set(controller.uid, answer)
    return answer
  }
  const above = async ({ apiVersion, kind, name }: { apiVersion: string; kind: string; name: string }, depth: number) => {
    const resource = await session.discovery.forKind(apiVersion, kind)
    if (!resource) return false
    const { found } = await readMetadata(resource, name, session.namespace, session)
    return found[0] !== undefined && leadsThere(found[0].metadata, depth + 1)
  }
  return ({ metadata }) => leadsThere(metadata, 1)
}
