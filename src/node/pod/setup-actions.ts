/** Volumes and sandbox of a pod: made before its containers, removed after them. */
import { join } from 'node:path'
import { removeTree } from '../volume/pod-volumes.ts'
import { wantsCluster } from './dns.ts'
import { beginMetadata } from './metadata.ts'
import type { PodState } from './pod-state.ts'
import { sandboxConfig } from './sandbox-config.ts'

const RETRY_INITIAL_MS = 1_000
const RETRY_MAX_MS = 120_000

export async function prepareVolumes(state: PodState, signal: AbortSignal): Promise<void> {
  const { context, memory } = state
  try {
    await state.watchReferences(signal)
    const notices = await state.volumes.prepare(state.pod, state.fields(), signal)
    for (const message of notices) context.event(state.pod, { type: 'Warning', reason: 'VolumeLimited', message })
    memory.volumesReady = true
    clearFailure(state)
  } catch (error) {
    if (!signal.aborted) fail(state, 'FailedMount', (error as Error).message, true)
  }
}

export async function createSandbox(state: PodState, attempt: number, signal: AbortSignal): Promise<void> {
  const { context, memory, pod } = state
  const policy = pod.spec?.dnsPolicy ?? 'ClusterFirst'
  if (wantsCluster(policy, pod.spec?.hostNetwork === true) && context.clusterDns.length === 0 && context.writesFiles) {
    const message = `pod: "${pod.metadata.name}_${pod.metadata.namespace}(${state.uid})". the node does not have ClusterDNS IP configured and cannot create Pod using "${policy}" policy. Falling back to "Default" policy.`
    context.event(pod, { type: 'Warning', reason: 'MissingClusterDNS', message })
  }
  try {
    const { id } = await context.runtime.createSandbox(sandboxConfig(pod, attempt, context), signal)
    beginMetadata(state, id)
    memory.nextSandbox = Math.max(memory.nextSandbox, attempt + 1)
    clearFailure(state)
  } catch (error) {
    if (signal.aborted) return
    fail(state, 'FailedCreatePodSandBox', `Failed to create pod sandbox: ${(error as Error).message}`, true)
  }
}

export async function removeSandbox(state: PodState, sandbox: string): Promise<void> {
  state.context.metadata?.close(state.uid, sandbox)
  await state.context.runtime.removeSandbox(sandbox)
  state.context.sandboxes.forget(sandbox)
}

export async function removeVolumes(state: PodState): Promise<void> {
  await state.volumes.remove()
  state.memory.volumesReady = false
  state.releaseWatches()
}

/** Everything of the pod on this host's disk, logs included. */
export async function removePodDirectory(state: PodState): Promise<void> {
  if (state.context.writesFiles) await removeTree(join(state.context.podsDirectory, state.uid))
}

export function clearFailure(state: PodState): void {
  delete state.memory.setupFailure
  state.setupFailures = 0
}

/** Notes why it does not go on, tells the user where it concerns them, and when it is tried again. */
export function fail(state: PodState, reason: string, message: string, tell: boolean): void {
  const { clock, event, log } = state.context
  const now = clock.now()
  const delay = Math.min(RETRY_MAX_MS, RETRY_INITIAL_MS * 2 ** state.setupFailures)
  state.setupFailures += 1
  state.memory.setupFailure = { reason, message, atMs: now, retryAtMs: now + delay }
  if (tell) event(state.pod, { type: 'Warning', reason, message })
  else
    log.warn('pod step failed, will retry', {
      pod: `${state.pod.metadata.namespace}/${state.pod.metadata.name}`,
      reason,
      error: message,
    })
}
