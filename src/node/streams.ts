/** What a node is asked for: logs, exec, attach and port-forward of the pods this agent runs, and what they use. */
import { Readable } from 'node:stream'
import { badRequest, internalError, notFound, StatusError } from '../api/status.ts'
import type { AttachOptions, LogOptions, NodeStreams, PodRef } from '../api/streams.ts'
import type { ContainerStatus } from '../api/types.ts'
import { readLines } from './logs/read-lines.ts'
import { type LogSource, readLog } from './logs/read-log.ts'
import { findContainer, isLive, specOf } from './plan/containers.ts'
import { isHeld } from './plan/held.ts'
import type { NodeContext } from './pod/context.ts'
import type { PodState } from './pod/pod-state.ts'
import type { ContainerState } from './runtime/runtime.ts'
import type { UsageMeter } from './usage/usage-meter.ts'

export interface StreamsOptions {
  context: NodeContext
  meter: UsageMeter
  find(pod: PodRef): PodState | undefined
  /** Calls back when the runtime saw a sandbox change; returns the unsubscriber. */
  onChange(listener: (sandboxId: string) => void): () => void
}

export function createStreams(options: StreamsOptions): NodeStreams {
  const { runtime } = options.context
  return {
    logs: (pod, logOptions, signal) => logs(options, pod, logOptions, AbortSignal.any([signal, options.context.signal])),
    async exec(pod, { container, ...execOptions }, io, signal) {
      const instance = await running(options, pod, container)
      return worded(() => runtime.exec(instance.id, execOptions, io, signal))
    },
    async attach(pod, { container, ...attachOptions }, io, signal) {
      const held = await heldContainer(options, pod, container)
      if (held) return worded(() => held.state.attaches.wait(held.name, io, AbortSignal.any([signal, options.context.signal])))
      const instance = await running(options, pod, container)
      return worded(() => runtime.attach(instance.id, attachOptions satisfies AttachOptions, io, signal))
    },
    async portForward(pod, port, signal) {
      const state = find(options, pod)
      const sandbox = (await options.context.sandboxes.fresh()).get(state.uid)?.[0]
      if (sandbox?.state !== 'Ready') throw badRequest(`unable to do port forwarding: pod ${pod.name} is not running`)
      return worded(() => runtime.portForward(sandbox.id, port, signal))
    },
    usage: (pods, signal) => options.meter.usage(pods, AbortSignal.any([signal, options.context.signal])),
  }
}

function find(options: StreamsOptions, pod: PodRef): PodState {
  const state = options.find(pod)
  if (!state) throw notFound({ group: '', plural: 'pods' }, pod.name)
  return state
}

/** The container that is meant: the only one, or the one named. */
function containerName(state: PodState, name: string | undefined): string {
  const spec = specOf(state.pod)
  if (name) {
    if (findContainer(spec, name)) return name
    throw badRequest(`container ${name} is not valid for pod ${state.pod.metadata.name}`)
  }
  const [only, ...more] = spec.containers
  if (only && more.length === 0) return only.name
  const names = spec.containers.map((c) => c.name).join(' ')
  throw badRequest(`a container name must be specified for pod ${state.pod.metadata.name}, choose one of: [${names}]`)
}

/** The container that is meant, if it waits for this caller before its first start. */
async function heldContainer(
  options: StreamsOptions,
  pod: PodRef,
  container: string | undefined,
): Promise<{ state: PodState; name: string } | undefined> {
  const state = find(options, pod)
  const name = containerName(state, container)
  const { finished, endingSinceMs } = state.memory
  if (!isHeld(state.pod, name) || finished || endingSinceMs !== undefined) return undefined
  return instances(state, await fresh(options, state), name).length === 0 ? { state, name } : undefined
}

async function running(options: StreamsOptions, pod: PodRef, name: string | undefined): Promise<ContainerState> {
  const state = find(options, pod)
  const container = containerName(state, name)
  const instance = instances(state, await fresh(options, state), container).at(0)
  if (instance?.state !== 'Running') throw badRequest(`container not found ("${container}")`)
  return instance
}

async function fresh(options: StreamsOptions, state: PodState): Promise<ContainerState[]> {
  const sandboxes = (await options.context.sandboxes.fresh()).get(state.uid) ?? []
  return sandboxes.flatMap((sandbox) => sandbox.containers)
}

/** Every known instance of a container, the newest first; also those whose sandbox is gone. */
function instances(state: PodState, present: readonly ContainerState[], name: string): ContainerState[] {
  const known = state.memory.containers[name]
  const all = new Map<number, ContainerState>()
  for (const each of [known?.previous, known?.last, ...present.filter((c) => c.name === name)])
    if (each) all.set(each.attempt, each)
  return [...all.values()].sort((a, b) => b.attempt - a.attempt)
}

async function logs(options: StreamsOptions, pod: PodRef, logOptions: LogOptions, signal: AbortSignal): Promise<Readable> {
  const { context } = options
  const state = find(options, pod)
  const name = containerName(state, logOptions.container)
  const found = instances(state, await fresh(options, state), name)
  const instance = choose(state, name, found, logOptions.previous === true)
  let live = isLive(instance)
  const source: Omit<LogSource, 'path'> = {
    isLive: () => live,
    onChange(listener) {
      const look = async () => {
        const now = (await fresh(options, state)).find(({ id }) => id === instance.id)
        live = now !== undefined && isLive(now)
        listener()
      }
      const ignore = () => {}
      return options.onChange((sandboxId) => {
        if (context.sandboxes.uidOf(sandboxId) === state.uid) void look().catch(ignore)
      })
    },
  }
  const bytes =
    context.runtime.logLines && !instance.logPath
      ? readLines(() => context.runtime.logLines?.(instance.id) ?? [], source, logOptions, context.clock.now(), signal)
      : readLog({ ...source, path: instance.logPath }, logOptions, context.clock, signal)
  return Readable.from(bytes, { objectMode: false })
}

function choose(state: PodState, name: string, found: readonly ContainerState[], previous: boolean): ContainerState {
  const [last, before] = found
  const podName = state.pod.metadata.name
  if (previous) {
    // A container that waits for its restart has its last run behind it.
    const ended = last && !isLive(last) && statusOf(state, name)?.state?.waiting ? last : before
    if (ended) return ended
    throw badRequest(`previous terminated container "${name}" in pod "${podName}" not found`)
  }
  if (last) return last
  const reason = statusOf(state, name)?.state?.waiting?.reason ?? 'ContainerCreating'
  if (reason === 'ErrImagePull' || reason === 'ImagePullBackOff') {
    throw badRequest(`container "${name}" in pod "${podName}" is waiting to start: trying and failing to pull image`)
  }
  throw badRequest(`container "${name}" in pod "${podName}" is waiting to start: ${reason}`)
}

function statusOf(state: PodState, name: string): ContainerStatus | undefined {
  const { initContainerStatuses = [], containerStatuses = [], ephemeralContainerStatuses = [] } = state.pod.status ?? {}
  return [...initContainerStatuses, ...containerStatuses, ...ephemeralContainerStatuses].find((s) => s.name === name)
}

async function worded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof StatusError) throw error
    throw internalError((error as Error).message, error)
  }
}
