/** What a workload ran before, newest first: from its controllers, ReplicaSets or ControllerRevisions. Reads only. */
import type { PodTemplateSpec } from '../api/types.ts'
import type { Client } from '../client/client.ts'
import { BY, CHANGE_CAUSE, COMMAND, IMAGE_CHANGE, imagesOf, NOTE, ROLLED_AT } from './causes.ts'
import { currentOf, type Listing, listingOf } from './family.ts'
import type { Phase, RollTarget } from './progress.ts'
import { RollError } from './progress.ts'
import { readRecord } from './record.ts'
import { type Controller, handleOf, nameOf, type ReplicaKind, replicasOf, resourceOf } from './replica-kinds.ts'
import { familyOf, numbersOf, unknownRevision } from './revisions.ts'
import type { Revision } from './served/kind.ts'
import { revisionsOfServed } from './served/served.ts'
import { unlabelled } from './template.ts'

export interface History {
  /** The server's number of it; of controllers of replicas, skiff's own. */
  revision: number
  /** The object that keeps it. */
  name: string
  /** Of those that have pods of their own. */
  replicas?: number | undefined
  phase?: Phase | undefined
  isCurrent: boolean
  images: readonly string[]
  /** RFC 3339. */
  at?: string | undefined
  by?: string | undefined
  command?: string | undefined
  note?: string | undefined
  imageChange?: string | undefined
}

interface HistoryOptions {
  client: Client
  namespace: string
  target: RollTarget
}

/** One entry of the history, with its template. Throws RollError, with the list of what there is, when there is none of that number. */
export async function revisionOf(
  options: HistoryOptions & { revision: number },
): Promise<History & { template: PodTemplateSpec | undefined }> {
  const { client, namespace, target, revision } = options
  const { kind, name } = target
  const entries = await historyOf(options)
  if (kind !== 'ReplicationController' && kind !== 'ReplicaSet') {
    const found = (await revisionsOfServed(options, kind)).find(({ number }) => number === revision)
    if (!found) throw unknownRevision(`${kind.toLowerCase()}/${name}`, revision, entries)
    return { ...entries.find((one) => one.revision === revision)!, template: found.template }
  }
  const entry = entries.find((one) => one.revision === revision)
  if (!entry) throw unknownRevision(handleOf(kind, name), revision, entries)
  const { spec } = await client.get(resourceOf(kind), entry.name, { namespace })
  return { ...entry, template: unlabelled(spec?.template) }
}

export async function historyOf(options: HistoryOptions): Promise<History[]> {
  const { client, namespace, target } = options
  const { kind, name } = target
  if (kind !== 'ReplicationController' && kind !== 'ReplicaSet') {
    const revisions = await revisionsOfServed(options, kind)
    return revisions.map((revision, index) => fromRevision(revision, index === 0))
  }
  const { items } = await client.list(resourceOf(kind), { namespace })
  return historyFrom(kind, listingOf(items), name)
}

/** The name of the controller that a name stands for today; undefined when there is none. */
export async function currentControllerOf(options: {
  client: Client
  namespace: string
  target: RollTarget
}): Promise<string | undefined> {
  const { client, namespace, target } = options
  const { kind, name } = target
  if (kind !== 'ReplicationController' && kind !== 'ReplicaSet') return undefined
  const current = currentOf(listingOf((await client.list(resourceOf(kind), { namespace })).items), name)
  return current && nameOf(current)
}

/** Pure. */
export function historyFrom(kind: ReplicaKind, listing: Listing, name: string): History[] {
  const current = currentOf(listing, name)
  if (!current) throw new RollError(`${handleOf(kind, name)} does not exist`)
  const family = familyOf(listing, current)
  const numbers = numbersOf(family)
  return [...family]
    .map((controller) => fromController(controller, numbers.get(nameOf(controller)) ?? 0, controller === current))
    .sort((a, b) => Number(b.isCurrent) - Number(a.isCurrent) || ((a.at ?? '') < (b.at ?? '') ? 1 : -1))
}

function fromController(controller: Controller, revision: number, isCurrent: boolean): History {
  const { metadata, spec } = controller
  return {
    revision,
    name: nameOf(controller),
    replicas: replicasOf(controller),
    phase: readRecord(controller)?.phase,
    isCurrent,
    images: [...imagesOf(spec?.template).values()],
    ...causesOf(metadata.annotations ?? {}, metadata.creationTimestamp),
  }
}

function fromRevision({ number, name, replicas, template, annotations, createdAt }: Revision, isCurrent: boolean): History {
  const images = [...imagesOf(template).values()]
  return { revision: number, name, replicas, isCurrent, images, ...causesOf(annotations, createdAt) }
}

function causesOf(annotations: Readonly<Record<string, string>>, createdAt: string | undefined) {
  return {
    at: annotations[ROLLED_AT] ?? createdAt,
    by: annotations[BY],
    command: annotations[COMMAND],
    note: annotations[NOTE] ?? annotations[CHANGE_CAUSE],
    imageChange: annotations[IMAGE_CHANGE],
  }
}
