/** A pod's way into the node's metadata service: opened with its sandbox, closed before that goes. */
import type { MetadataPod } from '../metadata/objects.ts'
import { notifyByHttp } from './notifying.ts'
import type { PodState } from './pod-state.ts'

/** Has the door opened while images are made present; whoever starts a container waits for it. */
export function beginMetadata(state: PodState, sandboxId: string): void {
  void openDoor(state, sandboxId).catch(() => {})
}

/** What containers need in their environment to find it. A pod runs without it when it is not to be had, and is told. */
export async function openMetadata(state: PodState, sandboxId: string): Promise<{ name: string; value: string }[]> {
  try {
    return await openDoor(state, sandboxId)
  } catch (error) {
    const message = `The metadata service is not to be had in this pod: ${(error as Error).message}`
    state.context.event(state.pod, { type: 'Warning', reason: 'MetadataUnavailable', message })
    return []
  }
}

async function openDoor(state: PodState, sandboxId: string): Promise<{ name: string; value: string }[]> {
  return (await state.context.metadata?.open(metadataPod(state), sandboxId)) ?? []
}

function metadataPod(state: PodState): MetadataPod {
  return {
    uid: state.uid,
    pod: () => state.pod,
    addresses: () => state.fields(),
    image: (container) => state.images.get(container),
    notify: (container, text) => notifyByHttp(state, container, text),
  }
}
