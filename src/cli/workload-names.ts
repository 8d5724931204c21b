/** Which workload a bare name means. `kind/name` is always exact; a bare name must be clear. */

import type { KubeObject } from '../api/object.ts'
import { isNotFound } from '../api/status.ts'
import type { Client, ResourceRef } from '../client/client.ts'
import { daemonSets, deployments, replicaSets, replicationControllers, statefulSets } from '../client/resources.ts'
import { currentControllerOf, type RollKind, type RollTarget } from '../rollout/index.ts'
import { CommandError } from './io.ts'

type WorkloadKind = RollKind

interface Workload {
  kind: WorkloadKind
  name: string
  /** `deployment/web`. */
  handle: string
  /** Whether the kind was given with the name. */
  isExact: boolean
  object: KubeObject
}

/** Where names are looked up. */
export interface Place {
  client: Client
  namespace: string
}

/** The exit code that says: this name means several things. */
const AMBIGUOUS = 3
/** As many names as are proposed for one that does not exist. */
const MAX_PROPOSALS = 3

const KNOWN: Record<WorkloadKind, { resource: ResourceRef<KubeObject>; words: readonly string[] }> = {
  Deployment: { resource: deployments as ResourceRef<KubeObject>, words: ['deployment', 'deployments', 'deploy'] },
  ReplicaSet: { resource: replicaSets as ResourceRef<KubeObject>, words: ['replicaset', 'replicasets', 'rs'] },
  ReplicationController: {
    resource: replicationControllers as ResourceRef<KubeObject>,
    words: ['replicationcontroller', 'replicationcontrollers', 'rc'],
  },
  StatefulSet: { resource: statefulSets as ResourceRef<KubeObject>, words: ['statefulset', 'statefulsets', 'sts'] },
  DaemonSet: { resource: daemonSets as ResourceRef<KubeObject>, words: ['daemonset', 'daemonsets', 'ds'] },
}

const ROLLED_KINDS = ['Deployment', 'ReplicaSet', 'ReplicationController', 'StatefulSet', 'DaemonSet'] as const

function handleFor(kind: WorkloadKind, name: string): string {
  return `${KNOWN[kind].words[0]}/${name}`
}

/**
 * What a command that rolls is to act on. A name whose first controller was cleaned away goes on to mean those that rolls made
 * of it.
 */
export async function resolveRolled(place: Place, text: string): Promise<RollTarget> {
  const [word, name = text] = text.includes('/') ? text.split('/') : [undefined]
  try {
    const found = await resolveWorkload(place, text, ROLLED_KINDS)
    return { kind: found.kind, name: found.name }
  } catch (error) {
    const isAbsent = isNotFound(error) || (error instanceof CommandError && error.exitCode !== AMBIGUOUS)
    if (!isAbsent) throw error
    for (const kind of ['ReplicationController', 'ReplicaSet'] as const) {
      if (word !== undefined && !KNOWN[kind].words.includes(word.toLowerCase())) continue
      const target: RollTarget = { kind, name }
      if (await currentControllerOf({ ...place, target })) return target
    }
    throw error
  }
}

/** Throws CommandError: exit code 3 for a name that means several objects, 1 for one that means none. */
export async function resolveWorkload(place: Place, text: string, kinds: readonly WorkloadKind[]): Promise<Workload> {
  const slash = text.indexOf('/')
  if (slash >= 0) return exactly(place, text.slice(0, slash), text.slice(slash + 1), kinds)
  const found = await Promise.all(kinds.map((kind) => read(place, kind, text)))
  const here = found.filter((one) => one !== undefined)
  // What another object owns gives way to its owner, which carries another name.
  const roots = here.filter(({ object }) => !isOwned(object))
  const [only, ...others] = roots.length > 0 ? roots : here
  if (only && others.length === 0) return only
  if (!only) throw new CommandError(await absence(place, text, kinds))
  const handles = [only, ...others].map(({ handle }) => handle)
  throw new CommandError(`${JSON.stringify(text)} means several: ${handles.join(', ')}; say which`, AMBIGUOUS)
}

async function exactly(place: Place, word: string, name: string, kinds: readonly WorkloadKind[]): Promise<Workload> {
  const kind = kinds.find((one) => KNOWN[one].words.includes(word.toLowerCase().split('.')[0] ?? ''))
  if (!kind)
    throw new CommandError(
      `${JSON.stringify(word)} is no kind for this; possible: ${kinds.map((one) => KNOWN[one].words[0]).join(', ')}`,
    )
  const object = await place.client.get(KNOWN[kind].resource, name, { namespace: place.namespace })
  return { kind, name, handle: handleFor(kind, name), isExact: true, object }
}

async function read({ client, namespace }: Place, kind: WorkloadKind, name: string): Promise<Workload | undefined> {
  try {
    const object = await client.get(KNOWN[kind].resource, name, { namespace })
    return { kind, name, handle: handleFor(kind, name), isExact: false, object }
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}

function isOwned(object: KubeObject): boolean {
  return object.metadata.ownerReferences?.some(({ controller }) => controller) === true
}

async function absence({ client, namespace }: Place, text: string, kinds: readonly WorkloadKind[]): Promise<string> {
  const lists = await Promise.all(
    kinds.map(async (kind) => ({ kind, list: await client.list(KNOWN[kind].resource, { namespace }) })),
  )
  const near = lists
    .flatMap(({ kind, list }) =>
      list.items.filter((object) => !isOwned(object)).map(({ metadata }) => ({ kind, name: metadata.name ?? '' })),
    )
    .map(({ kind, name }) => ({ handle: handleFor(kind, name), distance: editDistance(text, name) }))
    .filter(({ distance }) => distance <= Math.max(2, text.length / 2))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, MAX_PROPOSALS)
  const what = kinds.map((kind) => KNOWN[kind].words[0]).join(', ')
  const proposal = near.length > 0 ? `; near: ${near.map(({ handle }) => handle).join(', ')}` : ''
  return `nothing is named ${JSON.stringify(text)} in namespace ${namespace} (looked for ${what})${proposal}`
}

/** Levenshtein's: single-character edits between two names. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, replaced))
    }
    row = next
  }
  return row[b.length]!
}
