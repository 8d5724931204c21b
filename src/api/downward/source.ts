/**
 * What a field path of the downward API says, read from its text by `parse.ts`: from which object, which steps, in which form,
 * and what stands in when there is no value.
 */
import type { Step } from '../json-path.ts'

export type Origin =
  | { from: 'pod' }
  /** The node that the pod is bound to. */
  | { from: 'node' }
  /** The pod's controller, or the nearest of this kind above it. */
  | { from: 'owner'; kind: string | undefined }
  | { from: 'namespace' }
  /** A Service of the pod's namespace. */
  | { from: 'service'; name: string }
  /** One fact about the pod's host. */
  | { from: 'host'; fact: HostFact }

export const HOST_FACTS = ['cpus', 'memory', 'arch', 'os', 'ip'] as const
export type HostFact = (typeof HOST_FACTS)[number]

/** A step and where it begins in the text. */
export type PlacedStep = Step & { readonly at: number }

export interface FieldSource {
  /** As it was written, without the space around it. */
  readonly text: string
  readonly origin: Origin
  readonly steps: readonly PlacedStep[]
  /** The value is shown as JSON. */
  readonly json: boolean
  /** Stands in when there is no value. */
  readonly fallback: string | undefined
}

/** Why a path cannot be used: where in its text, what is wrong, and what would have been possible there. */
export class FieldPathError extends Error {
  override name = 'FieldPathError'
  /** Counted from 1. */
  readonly position: number
  constructor(at: number, why: string, possible: readonly string[] = []) {
    super(`at character ${at + 1}: ${why}${possible.length > 0 ? `; possible here: ${possible.join(', ')}` : ''}`)
    this.position = at + 1
  }
}

/** Whether the steps may lead to several values, which are joined by commas or make a JSON list. */
export function isPlural(steps: readonly Step[]): boolean {
  return steps.some((step) => {
    if (step.step === 'indexes') return step.indexes.length > 1
    if (step.step === 'names') return step.names.length > 1
    return step.step !== 'field'
  })
}
