/** Bringing a container up: its image, its configuration, its start, its postStart hook. */
import { Readable } from 'node:stream'
import type { Container } from '../../api/types.ts'
import type { RegistryCredential } from '../../registry/credentials.ts'
import { pullCredentials } from '../../registry/pull-secrets.ts'
import { ContainerConfigError } from '../env/environment.ts'
import { findContainer, roleOf, specOf } from '../plan/containers.ts'
import { isHeld } from '../plan/held.ts'
import { grow } from '../plan/restart-backoff.ts'
import type { ContainerMemory } from '../plan/types.ts'
import { type ContainerState, type ImageState, RuntimeError } from '../runtime/runtime.ts'
import { VolumeError } from '../volume/payload.ts'
import { containerConfig } from './container-config.ts'
import { Waiting } from './first-attach.ts'
import { runHook } from './hooks.ts'
import { openMetadata } from './metadata.ts'
import { openNotify } from './notifying.ts'
import type { PodState } from './pod-state.ts'
import { probeTarget } from './probe-target.ts'

/** A container that cannot be configured is tried again at this pace, and at once when an object it names changes. */
const CONFIG_RETRY_MS = 10_000

type PullPolicy = 'Always' | 'IfNotPresent' | 'Never'

export async function pullImage(state: PodState, name: string, attempt: number, signal: AbortSignal): Promise<void> {
  const container = containerOf(state, name)
  const known = memoryOf(state, name)
  try {
    const image = await present(state, container, signal)
    state.images.set(name, image)
    known.image = { attempt, id: image.id, presentAtMs: state.context.clock.now() }
    delete known.pullBackoff
    delete known.failure
  } catch (error) {
    if (!signal.aborted) pullFailed(state, container, known, error)
  }
}

async function present(state: PodState, container: Container, signal: AbortSignal): Promise<ImageState> {
  const { runtime, clock } = state.context
  const image = container.image ?? ''
  const policy = policyOf(container)
  const tell = eventOf(state, container)
  if (policy !== 'Always') {
    try {
      const found = await runtime.ensureImage(image, 'Never', signal)
      tell('Normal', 'Pulled', `Container image "${image}" already present on machine and can be accessed by the pod`)
      return found
    } catch (error) {
      if (policy === 'Never' || !(error instanceof RuntimeError) || error.reason !== 'ErrImageNeverPull') throw error
    }
  }
  const credentials = await credentialsOf(state, tell, signal)
  tell('Normal', 'Pulling', `Pulling image "${image}"`)
  const startedAt = clock.monotonic()
  const pulled = await runtime.ensureImage(image, policy, signal, credentials)
  const took = `${((clock.monotonic() - startedAt) / 1000).toFixed(3).replace(/\.?0+$/, '')}s`
  const size = `Image size: ${pulled.sizeBytes} bytes.`
  tell('Normal', 'Pulled', `Successfully pulled image "${image}" in ${took} (${took} including waiting). ${size}`)
  return pulled
}

function policyOf(container: Container): PullPolicy {
  const policy = container.imagePullPolicy
  return policy === 'Always' || policy === 'Never' ? policy : 'IfNotPresent'
}

async function credentialsOf(state: PodState, tell: Tell, signal: AbortSignal): Promise<RegistryCredential[]> {
  const { credentials, complaints } = pullCredentials(await state.pullSecrets(signal))
  for (const complaint of complaints) tell('Warning', 'FailedToRetrieveImagePullSecret', complaint)
  return credentials
}

function pullFailed(state: PodState, container: Container, known: ContainerMemory, error: unknown): void {
  const now = state.context.clock.now()
  const message = (error as Error).message
  const reason = error instanceof RuntimeError ? error.reason : 'ErrImagePull'
  const tell = eventOf(state, container)
  known.pullBackoff = grow(known.pullBackoff, now, now)
  known.failure = { reason, message, atMs: now, retryAtMs: now + known.pullBackoff.delayMs }
  if (reason === 'ErrImagePull') tell('Warning', 'Failed', `Failed to pull image "${container.image}": ${message}`)
  else tell('Warning', reason === 'InvalidImageName' ? 'InspectFailed' : reason, message)
  tell('Warning', 'Failed', `Error: ${reason}`)
}

export async function startContainer(state: PodState, name: string, attempt: number, signal: AbortSignal): Promise<void> {
  const container = containerOf(state, name)
  const known = memoryOf(state, name)
  const image = state.images.get(name)
  const sandbox = state.sandboxes[0]
  if (!image || !sandbox) {
    // The agent's memory of the image went with an earlier process: the planner asks for it again.
    delete known.image
    return
  }
  known.starting = true
  try {
    const instance = await create(state, container, attempt, image, sandbox.id, signal)
    const last = known.last
    if (last?.state === 'Exited') {
      const now = state.context.clock.now()
      known.backoff = grow(known.backoff, last.finishedAtMs ?? now, now)
    }
    delete known.failure
    await postStart(state, container, instance, signal)
  } catch (error) {
    if (!signal.aborted) startFailed(state, container, known, error)
  } finally {
    delete known.starting
  }
}

async function create(
  state: PodState,
  container: Container,
  attempt: number,
  image: ImageState,
  sandboxId: string,
  signal: AbortSignal,
): Promise<ContainerState> {
  const { context, pod } = state
  const tell = eventOf(state, container)
  const [variables] = await Promise.all([openMetadata(state, sandboxId), state.watchReferences(signal)])
  const notify = await openNotify(state, container.name, attempt)
  const request = {
    pod,
    container,
    role: roleOf(specOf(pod), container.name) ?? 'main',
    attempt,
    image,
    volumes: state.volumes.mounts,
    further: { variables: [...variables, ...notify.variables], mounts: notify.mounts },
    environment: {
      ...state.fields(),
      configMap: (namespace: string, name: string) => state.configMap(namespace, name),
      secret: (namespace: string, name: string) => state.secret(namespace, name),
      services: context.services(pod.metadata.namespace ?? ''),
    },
  } as const
  const { config, notices } = await containerConfig(request, context)
  for (const notice of notices) tell('Warning', 'InvalidEnvironmentVariableNames', notice)
  signal.throwIfAborted()
  const attach = attempt === 0 && isHeld(pod, container.name) ? firstAttach(state, container.name) : undefined
  const instance = await context.runtime.startContainer(sandboxId, config, attach).catch((error: Error) => {
    attach?.refuse(error)
    throw error
  })
  await attach?.joinLate((io, gone) => context.runtime.attach(instance.id, { stdin: io.stdin !== undefined }, io, gone))
  tell('Normal', 'Created', 'Container created')
  tell('Normal', 'Started', 'Container started')
  return instance
}

/** Whoever waits for the start; nobody does after all: somebody who has left again, with whom the input ends. */
function firstAttach(state: PodState, name: string): Waiting {
  return state.attaches.take(name) ?? new Waiting({ stdin: Readable.from([]) }, state.context.signal)
}

async function postStart(state: PodState, container: Container, instance: ContainerState, signal: AbortSignal): Promise<void> {
  const hook = container.lifecycle?.postStart
  if (!hook) return
  try {
    await runHook(hook, probeTarget(state, container, instance.id), state.context.clock, signal)
  } catch (error) {
    if (signal.aborted) return
    state.context.log.warn('postStart hook failed', { container: container.name, error: (error as Error).message })
    eventOf(state, container)('Warning', 'FailedPostStartHook', 'PostStartHook failed')
    state.memory.health[instance.id] = { started: false, ready: false, failed: 'PostStart' }
  }
}

function startFailed(state: PodState, container: Container, known: ContainerMemory, error: unknown): void {
  const now = state.context.clock.now()
  const message = (error as Error).message
  const configuration = error instanceof ContainerConfigError || error instanceof VolumeError
  const reason = configuration ? 'CreateContainerConfigError' : error instanceof RuntimeError ? error.reason : 'RunContainerError'
  let delay = CONFIG_RETRY_MS
  if (!configuration) {
    known.backoff = grow(known.backoff, now, now)
    delay = known.backoff.delayMs
  }
  known.failure = { reason, message, atMs: now, retryAtMs: now + delay }
  eventOf(state, container)('Warning', 'Failed', `Error: ${message}`)
}

type Tell = (type: 'Normal' | 'Warning', reason: string, message: string) => void

function eventOf(state: PodState, container: Container): Tell {
  return (type, reason, message) => state.context.event(state.pod, { type, reason, message, container: container.name })
}

function containerOf(state: PodState, name: string): Container {
  const container = findContainer(specOf(state.pod), name)
  if (!container) throw new Error(`pod ${state.pod.metadata.name} has no container ${name}`)
  return container
}

function memoryOf(state: PodState, name: string): ContainerMemory {
  const known = state.memory.containers[name] ?? {}
  state.memory.containers[name] = known
  return known
}
