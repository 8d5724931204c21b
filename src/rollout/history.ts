/** What a workload ran before, newest first: from its controllers, ReplicaSets or ControllerRevisions. Reads only. */
import type { Client } from '../client/client.ts'
import { BY, CHANGE_CAUSE, COMMAND, IMAGE_CHANGE, imagesOf, NOTE, ROLLED_AT } from './causes.ts'
import { baseOf, currentOf, type Listing, listingOf } from './family.ts'
import type { Phase, RollTarget } from './progress.ts'
import { RollError } from './progress.ts'
import { readRecord } from './record.ts'
import { type Controller, handleOf, nameOf, type ReplicaKind, replicasOf, resourceOf } from './replica-kinds.ts'
import type { Revision } from './served/kind.ts'
import { revisionsOfServed } from './served/served.ts'

export interface History {
  /** The server's number of it; controllers of replicas have none. */
  revision?: number | undefined
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

export async function historyOf(options: { client: Client; namespace: string; target: RollTarget }): Promise<History[]> {
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
  const base = baseOf(current)
  const family = new Set([...listing.values()].filter((one) => one === current || baseOf(one) === base))
  // Two names that were rolled to each other have no base in common.
  for (const member of family) {
    const partner = listing.get(readRecord(member)?.partner ?? '')
    if (partner) family.add(partner)
  }
  return [...family]
    .map((controller) => fromController(controller, controller === current))
    .sort((a, b) => Number(b.isCurrent) - Number(a.isCurrent) || ((a.at ?? '') < (b.at ?? '') ? 1 : -1))
}

function fromController(controller: Controller, isCurrent: boolean): History {
  const { metadata, spec } = controller
  return {
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
