/**
 * A container that its pod's annotation names does not start before somebody is attached to it, so that the caller misses
 * no byte of it. Elsewhere than on this node agent the annotation says nothing. Pure.
 */
import type { Pod } from '../../api/types.ts'
import type { ContainerMemory } from './types.ts'

/** Names of containers, joined by commas. */
export const HELD_ANNOTATION = 'skiff.dev/start-when-attached'
/** Whoever asked for the start to be held is taken for gone after this. */
const MAX_HELD_MS = 60_000

export const isHeld = ({ metadata }: Pod, container: string): boolean =>
  metadata.annotations?.[HELD_ANNOTATION]?.split(',').some((name) => name.trim() === container) ?? false

/** Until when the first start waits for somebody who attaches; 0 when it need not wait. */
export function heldUntilMs(pod: Pod, container: string, known: ContainerMemory | undefined): number {
  if (known?.attached || !isHeld(pod, container)) return 0
  return (known?.image?.presentAtMs ?? 0) + MAX_HELD_MS
}
