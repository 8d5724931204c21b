/** `skiff run`: makes the object that runs an image; what runs once is followed to its end. */
import type { KubeObject } from '../api/object.ts'
import type { Pod } from '../api/types.ts'
import type { ResourceRef } from '../client/client.ts'
import { objectPath } from '../client/paths.ts'
import { deployments, jobs, pods, replicationControllers } from '../client/resources.ts'
import { CommandError, type Io, writeLine } from './io.ts'
import { createPinner } from './pin.ts'
import type { PinMode } from './pin-modes.ts'
import { watchPods } from './pod-watch.ts'
import type { Place } from './workload-names.ts'

export type RunAs = 'deployment' | 'rc' | 'pod' | 'job'

export interface RunFlags {
  name: string
  image: string
  args: readonly string[]
  replicas?: number | undefined
  port?: number | undefined
  /** `NAME=VALUE`, each. */
  env: readonly string[]
  as?: RunAs | undefined
  once: boolean
  forever: boolean
  pin?: PinMode | undefined
}

/** Reasons that no waiting heals when something is to run once. */
const HOPELESS = new Set([
  'ErrImagePull',
  'ImagePullBackOff',
  'InvalidImageName',
  'ErrImageNeverPull',
  'CreateContainerConfigError',
  'CreateContainerError',
])

export async function runRun(flags: RunFlags, io: Io, place: Place): Promise<number> {
  const { object, resource, as, once } = planRun(flags, place.namespace)
  await createPinner(flags.pin, io, place).object(object)
  await place.client.create(resource, object)
  const handle = `${as}/${flags.name}`
  if (!once) {
    writeLine(io.stdout, `${handle} created; to end it: skiff stop ${handle}`)
    return 0
  }
  const code = await follow(flags, as, io, place)
  writeLine(io.stderr, `to delete it: skiff stop ${handle}`)
  return code
}

/** What is created, and whether it is followed to its end. Pure. Throws CommandError for flags that contradict each other. */
export function planRun(
  flags: RunFlags,
  namespace: string,
): { object: KubeObject; resource: ResourceRef<KubeObject>; as: RunAs; once: boolean } {
  if (flags.once && flags.forever) throw new CommandError('--once and --forever contradict each other')
  const isShort = flags.once || (flags.args.length > 0 && !flags.forever && flags.as !== 'deployment' && flags.as !== 'rc')
  const as = flags.as ?? (isShort ? 'pod' : 'deployment')
  const once = as === 'job' || (as === 'pod' && !flags.forever && isShort)
  if (flags.once && !once) throw new CommandError(`--once does not go with --as ${as}`)
  if (flags.forever && as === 'job') throw new CommandError('--forever does not go with --as job')
  if (flags.replicas !== undefined && (as === 'pod' || as === 'job'))
    throw new CommandError(`--replicas does not go with a ${as}`)
  const labels = { app: flags.name }
  const metadata = { name: flags.name, namespace, labels }
  const spec = { containers: [containerOf(flags)], ...(once && { restartPolicy: 'Never' }) }
  const template = { metadata: { labels }, spec }
  const replicas = flags.replicas ?? 1
  const shapes: Record<RunAs, { resource: ResourceRef; object: KubeObject }> = {
    deployment: {
      resource: deployments,
      object: {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata,
        spec: { replicas, selector: { matchLabels: labels }, template },
      },
    },
    rc: {
      resource: replicationControllers,
      object: { apiVersion: 'v1', kind: 'ReplicationController', metadata, spec: { replicas, selector: labels, template } },
    },
    pod: { resource: pods, object: { apiVersion: 'v1', kind: 'Pod', metadata, spec } },
    job: { resource: jobs, object: { apiVersion: 'batch/v1', kind: 'Job', metadata, spec: { backoffLimit: 0, template } } },
  }
  const { resource, object } = shapes[as]
  return { resource: resource as ResourceRef<KubeObject>, object, as, once }
}

function containerOf({ name, image, args, port, env }: RunFlags): object {
  const variables = env.map((text) => {
    const equals = text.indexOf('=')
    if (equals <= 0) throw new CommandError(`--env takes NAME=VALUE, not ${JSON.stringify(text)}`)
    return { name: text.slice(0, equals), value: text.slice(equals + 1) }
  })
  return {
    name,
    image,
    ...(args.length > 0 && { args: [...args] }),
    ...(port !== undefined && { ports: [{ containerPort: port }] }),
    ...(variables.length > 0 && { env: variables }),
  }
}

/** Output from the start to the end; then the container's exit code. */
async function follow(flags: RunFlags, as: RunAs, io: Io, place: Place): Promise<number> {
  const selection =
    as === 'job'
      ? { labelSelector: `batch.kubernetes.io/job-name=${flags.name}` }
      : { fieldSelector: `metadata.name=${flags.name}` }
  let isPrinted = false
  let wasSeen = false
  for await (const [pod] of watchPods(place, selection, io.signal)) {
    if (!pod) {
      if (wasSeen) throw new CommandError(`${as}/${flags.name}: its pod was deleted`)
      continue
    }
    wasSeen = true
    const state = pod.status?.containerStatuses?.find(({ name }) => name === flags.name)?.state
    const waiting = state?.waiting
    if (waiting?.reason && HOPELESS.has(waiting.reason))
      throw new CommandError(`${as}/${flags.name}: ${waiting.reason}: ${waiting.message ?? 'no message'}`)
    if (!isPrinted && (state?.running || state?.terminated)) {
      isPrinted = true
      await printLogs(pod, io, place)
    }
    if (state?.terminated) return state.terminated.exitCode
    if (pod.status?.phase === 'Failed')
      throw new CommandError(`${as}/${flags.name}: ${pod.status.reason ?? 'Failed'}: ${pod.status.message ?? 'no message'}`)
  }
  io.signal.throwIfAborted()
  return 1
}

async function printLogs(pod: Pod, io: Io, { client, namespace }: Place): Promise<void> {
  const path = objectPath(pods, pod.metadata.name ?? '', namespace, 'log')
  try {
    const logs = await client.transport.stream({ method: 'GET', path, query: { follow: 'true' }, signal: io.signal })
    for await (const chunk of logs) io.stdout.write(chunk)
  } catch (error) {
    io.signal.throwIfAborted()
    // The exit code is still to be had.
    writeLine(io.stderr, `no output: ${(error as Error).message}`)
  }
}
