/** `skiff stop`: lets a workload's pods end in their own time, then deletes what made them. */
import type { KubeObject } from '../api/object.ts'
import { isNotFound } from '../api/status.ts'
import type { ResourceRef } from '../client/client.ts'
import { objectPath } from '../client/paths.ts'
import { replicaSets } from '../client/resources.ts'
import { CommandError, type Io } from './io.ts'
import { handleOf, isBuiltIn } from './names/candidate.ts'
import { NEEDS } from './names/needs.ts'
import { tellOutcome } from './outcome.ts'
import { watchPods } from './pod-watch.ts'
import { parseOutput } from './print-objects.ts'
import { type Selected, type SelectOptions, selectObjects } from './select-objects.ts'
import { type Session, withSession } from './session.ts'
import { untilObject } from './watch-object.ts'

export interface StopOptions extends SelectOptions {
  timeoutMs: number
  output?: string | undefined
}

const BASE = 'skiff.dev/base'
const TIMED_OUT = 4

export async function runStop(options: StopOptions, io: Io): Promise<number> {
  return withSession(options, io, (session) => stopObjects(options, io, session))
}

export async function stopObjects(options: StopOptions, io: Io, session: Session): Promise<number> {
  const format = parseOutput(options.output)
  const selected = await selectObjects(options, session, io, NEEDS.stop)
  for (const one of selected) refuseOther(one)
  const all = (await Promise.all(selected.map((one) => withFamily(one, session)))).flat()
  const signal = AbortSignal.any([io.signal, AbortSignal.timeout(options.timeoutMs)])
  for (const { one, object } of all) {
    const handle = handleOf(one)
    try {
      await stopOne(one, object, session, signal)
    } catch (error) {
      if (!signal.aborted || io.signal.aborted) throw error
      throw new CommandError(`${handle}: its pods are still there after ${options.timeoutMs / 1000} s`, TIMED_OUT, {
        cause: error,
      })
    }
    await tellOutcome(`${handle} stopped`, object, one.resource, format, io)
  }
  return 0
}

function refuseOther(one: Selected): void {
  if (NEEDS.stop.rank(one.resource) === undefined)
    throw new CommandError(`${handleOf(one)} runs no pods that could be stopped; "skiff delete ${handleOf(one)}" deletes it`)
}

interface Stopping {
  one: Selected
  object: KubeObject
}

/** A bare name stands for all that rolls made of it: stopping only the history would leave the pods. */
async function withFamily(one: Selected, { client }: Session): Promise<Stopping[]> {
  const { resource, name, namespace } = one
  const untyped = resource as ResourceRef<KubeObject>
  const object = await client.get(untyped, name, { namespace })
  const isReplicas = resource.plural === 'replicationcontrollers' || resource.plural === 'replicasets'
  if (!one.byName || !isReplicas || !isBuiltIn(resource.group)) return [{ one, object }]
  const base = baseOf(object)
  const { items } = await client.list(untyped, { namespace })
  return items
    .filter((item) => baseOf(item) === base && (item.metadata.name === base || item.metadata.annotations?.[BASE] !== undefined))
    .map((item) => ({ one: { ...one, name: item.metadata.name ?? '' }, object: item }))
}

function baseOf(object: KubeObject): string | undefined {
  return object.metadata.annotations?.[BASE] ?? object.metadata.name
}

async function stopOne({ resource, name, namespace }: Selected, object: KubeObject, session: Session, signal: AbortSignal) {
  const { client } = session
  const { uid } = object.metadata
  const untilGone = () => untilObject(client, { resource, name, namespace }, (current) => current?.metadata.uid !== uid, signal)
  if (!resource.subresources.includes('scale')) {
    // Pods go by themselves; Jobs, CronJobs and DaemonSets stay until what they own is gone.
    const isPod = resource.plural === 'pods' && resource.group === ''
    await client.delete(resource, name, { namespace, ...(!isPod && { propagationPolicy: 'Foreground' }) })
    return untilGone()
  }
  const { object: scale } = await client.transport.request({
    method: 'PATCH',
    path: objectPath(resource, name, namespace, 'scale'),
    query: { fieldManager: 'skiff' },
    headers: { 'content-type': 'application/merge-patch+json' },
    body: { spec: { replicas: 0 } },
  })
  const labelSelector = scale.status?.selector as string | undefined
  if (labelSelector) await untilPodsGone(resource, object, labelSelector, session, signal)
  try {
    await client.delete(resource, name, { namespace, propagationPolicy: 'Background' })
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}

/** The pods of a selector that belong to the object; of a custom resource, whose chain of owners is its own affair, all of them. */
async function untilPodsGone(
  resource: Selected['resource'],
  object: KubeObject,
  labelSelector: string,
  session: Session,
  signal: AbortSignal,
) {
  const namespace = object.metadata.namespace ?? session.namespace
  const owners = isBuiltIn(resource.group) ? await ownersOf(resource, object, namespace, session) : undefined
  for await (const pods of watchPods({ client: session.client, namespace }, { labelSelector }, signal)) {
    const left = pods.filter(({ metadata }) => !owners || metadata.ownerReferences?.some(({ uid }) => owners.has(uid)))
    if (left.length === 0) return
  }
  signal.throwIfAborted()
}

/** The uids of what owns the pods: the object, and the ReplicaSets of a Deployment. */
async function ownersOf(
  resource: Selected['resource'],
  object: KubeObject,
  namespace: string,
  { client }: Session,
): Promise<Set<string>> {
  const uid = object.metadata.uid ?? ''
  if (resource.plural !== 'deployments') return new Set([uid])
  const { items } = await client.list(replicaSets, { namespace })
  const owned = items.filter((set) => set.metadata.ownerReferences?.some((owner) => owner.uid === uid))
  return new Set([uid, ...owned.map((set) => set.metadata.uid ?? '')])
}
