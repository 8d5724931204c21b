/** The actions that move a pod forward, one at a time. */
import { isConflict, isNotFound } from '../../api/status.ts'
import { pods } from '../../client/resources.ts'
import type { Action } from '../plan/types.ts'
import type { StatusInput } from '../status/container-status.ts'
import { podStatus, rejectedStatus } from '../status/pod-status.ts'
import type { PodState } from './pod-state.ts'
import { clearFailure, createSandbox, prepareVolumes, removePodDirectory, removeSandbox, removeVolumes } from './setup-actions.ts'
import { pullImage, startContainer } from './start-actions.ts'

/** Throws when it did not work and nobody has noted why; the worker then tries again later. */
export async function performForward(state: PodState, action: Action, signal: AbortSignal): Promise<void> {
  switch (action.do) {
    case 'PrepareVolumes':
      return prepareVolumes(state, signal)
    case 'CreateSandbox':
      return createSandbox(state, action.attempt, signal)
    case 'RemoveSandbox':
      return removeSandbox(state, action.sandbox)
    case 'PullImage':
      return pullImage(state, action.container, action.attempt, signal)
    case 'StartContainer':
      return startContainer(state, action.container, action.attempt, signal)
    case 'RemoveVolumes':
      return removeVolumes(state)
    case 'DeletePod':
      return deletePod(state)
    default:
      throw new Error(`${action.do} is no forward action`)
  }
}

/** Publishes the status that stays, and gives back what the node held for the pod. */
export async function finishPod(state: PodState, input: StatusInput): Promise<void> {
  const { memory, context } = state
  if (!memory.gone && input.plan.ending !== 'Ended') {
    state.status.set(memory.rejected ? rejectedStatus(input) : podStatus(input, true))
    await state.status.flush()
  }
  state.stopProbes()
  state.attaches.close()
  context.release(state.uid)
  clearFailure(state)
  memory.finished = true
}

async function deletePod(state: PodState): Promise<void> {
  const { name = '', namespace } = state.pod.metadata
  await removePodDirectory(state)
  try {
    const preconditions = { uid: state.uid }
    await state.context.client.delete(pods, name, {
      namespace,
      gracePeriodSeconds: 0,
      preconditions,
      signal: state.context.signal,
    })
  } catch (error) {
    // Gone already, or another pod has the name by now.
    if (!isNotFound(error) && !isConflict(error)) throw error
  }
  state.memory.deleted = true
}
