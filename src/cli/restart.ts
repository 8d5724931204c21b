/**
 * `skiff restart`: new pods in place of the old ones, a few at a time. What can roll by itself is told to, by the annotation that kubectl
 * uses too; the pods of bare controllers are deleted one after the other, each when the one before is back.
 */
import type { KubeObject } from '../api/object.ts'
import type { Pod } from '../api/types.ts'
import type { ResourceRef } from '../client/client.ts'
import { objectPath } from '../client/paths.ts'
import { pods as podResource } from '../client/resources.ts'
import { CommandError, type Io } from './io.ts'
import { handleOf } from './names/candidate.ts'
import { NEEDS } from './names/needs.ts'
import { tellOutcome } from './outcome.ts'
import { patchAt, templatePathsOf } from './pod-template.ts'
import { watchPods } from './pod-watch.ts'
import { parseOutput } from './print-objects.ts'
import { type Selected, type SelectOptions, selectObjects } from './select-objects.ts'
import { type Session, withSession } from './session.ts'
import { untilObject } from './watch-object.ts'

export interface RestartOptions extends SelectOptions {
  wait: boolean
  timeoutMs: number
  output?: string | undefined
}

const RESTARTED_AT = 'kubectl.kubernetes.io/restartedAt'
const NO_PROGRESS = 4

export async function runRestart(options: RestartOptions, io: Io): Promise<number> {
  return withSession(options, io, (session) => restartObjects(options, io, session))
}

export async function restartObjects(options: RestartOptions, io: Io, session: Session): Promise<number> {
  const format = parseOutput(options.output)
  const selected = await selectObjects(options, session, io, NEEDS.restart)
  const objects = await Promise.all(selected.map((one) => read(one, session)))
  // Whatever cannot be restarted is found before anything is.
  for (const [index, one] of selected.entries()) refuse(one, objects[index]!)
  const signal = AbortSignal.any([io.signal, AbortSignal.timeout(options.timeoutMs)])
  for (const [index, one] of selected.entries()) {
    const handle = handleOf(one)
    try {
      await restartOne(one, objects[index]!, options, session, signal)
    } catch (error) {
      if (!signal.aborted || io.signal.aborted) throw error
      throw new CommandError(`${handle}: its new pods are not there after ${options.timeoutMs / 1000} s`, NO_PROGRESS, {
        cause: error,
      })
    }
    await tellOutcome(
      `${handle} restarted`,
      format.form === 'table' ? undefined : await read(one, session),
      one.resource,
      format,
      io,
    )
  }
  return 0
}

async function read({ resource, name, namespace }: Selected, { client }: Session): Promise<KubeObject> {
  return { ...(await client.get(resource as ResourceRef<KubeObject>, name, { namespace })), kind: resource.kind }
}

/** By name, with what to do instead. */
function refuse({ resource, name }: Selected, object: KubeObject): void {
  const handle = handleOf({ resource, name })
  const owner = object.metadata.ownerReferences?.find(({ controller }) => controller)
  switch (object.kind) {
    case 'Pod':
      if (!owner) throw new CommandError(`${handle}: nothing would bring it back; stop it and run it again`)
      return
    case 'Job':
      throw new CommandError(`${handle}: a job runs to its end once; delete it and make it again`)
    case 'CronJob':
      throw new CommandError(`${handle}: a cron job starts by its schedule; there is nothing to restart`)
    case 'ReplicaSet':
    case 'ReplicationController':
      if (owner) throw new CommandError(`${handle} belongs to ${owner.kind.toLowerCase()}/${owner.name}; restart that`)
      return
    default:
      if (object.spec?.paused === true) throw new CommandError(`${handle} is paused; resume it first, or nothing would happen`)
      if (templatePathsOf(object, resource.group).length !== 1)
        throw new CommandError(`${handle} has no one pod template to restart`)
  }
}

async function restartOne(one: Selected, object: KubeObject, options: RestartOptions, session: Session, signal: AbortSignal) {
  const { resource, name, namespace } = one
  const { client } = session
  if (object.kind === 'Pod') {
    await client.delete(podResource, name, { namespace })
    return
  }
  if (object.kind === 'ReplicaSet' || object.kind === 'ReplicationController') return replacePods(one, object, session, signal)
  const [path] = templatePathsOf(object, resource.group)
  const annotations = { [RESTARTED_AT]: new Date().toISOString() }
  const patch = patchAt(path!, { metadata: { annotations } })
  const patched = await client.patch(resource as ResourceRef<KubeObject>, name, 'merge', patch, {
    namespace,
    fieldManager: 'skiff',
  })
  const generation = patched.metadata.generation ?? 0
  const isDone = ROLLED_OUT[object.kind ?? '']
  if (options.wait && isDone)
    await untilObject(
      client,
      { resource, name, namespace },
      (current) => {
        if (!current) throw new CommandError(`${handleOf(one)} was deleted meanwhile`)
        return (current.status?.observedGeneration ?? 0) >= generation && isDone(current)
      },
      signal,
    )
}

/** Whether the server has replaced every pod by a new one. */
const ROLLED_OUT: Record<string, (object: KubeObject) => boolean> = {
  Deployment: ({ spec, status = {} }) => {
    const wanted = spec.replicas ?? 1
    const { updatedReplicas = 0, replicas = 0, availableReplicas = 0 } = status
    return updatedReplicas === wanted && replicas === wanted && availableReplicas >= wanted
  },
  DaemonSet: ({ spec, status = {} }) => {
    // Its pods are replaced when somebody deletes them.
    if (spec.updateStrategy?.type === 'OnDelete') return true
    const { desiredNumberScheduled = 0, updatedNumberScheduled = 0, numberAvailable = 0 } = status
    return updatedNumberScheduled >= desiredNumberScheduled && numberAvailable >= desiredNumberScheduled
  },
  StatefulSet: ({ spec, status = {} }) => {
    if (spec.updateStrategy?.type === 'OnDelete') return true
    const wanted = spec.replicas ?? 1
    const { updatedReplicas = 0, readyReplicas = 0, currentRevision, updateRevision } = status
    return wanted === 0 || (currentRevision === updateRevision && updatedReplicas >= wanted && readyReplicas >= wanted)
  },
}

/** No more than one pod is missing at a time that was ready before. */
async function replacePods(
  { resource, name, namespace }: Selected,
  { metadata }: KubeObject,
  session: Session,
  signal: AbortSignal,
) {
  const { client } = session
  const { object: scale } = await client.transport.request({
    method: 'GET',
    path: objectPath(resource, name, namespace, 'scale'),
  })
  const selection = { labelSelector: scale.status?.selector as string }
  const place = { client, namespace: namespace ?? session.namespace }
  const isOwn = (pod: Pod) => pod.metadata.ownerReferences?.some(({ uid }) => uid === metadata.uid) === true
  const own = (await client.list(podResource, { namespace: place.namespace, ...selection })).items.filter(isOwn)
  const ready = own.filter(isReady).length
  // Those that are not ready serve nobody: they go first.
  for (const pod of [...own].sort((a, b) => Number(isReady(a)) - Number(isReady(b)))) {
    await client.delete(podResource, pod.metadata.name ?? '', {
      namespace: place.namespace,
      preconditions: { uid: pod.metadata.uid! },
    })
    for await (const present of watchPods(place, selection, signal)) {
      const there = present.filter((other) => isOwn(other) && !other.metadata.deletionTimestamp)
      if (there.length >= own.length && there.filter(isReady).length >= ready) break
    }
    signal.throwIfAborted()
  }
}

function isReady({ metadata, status }: Pod): boolean {
  if (metadata.deletionTimestamp) return false
  return status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true
}
