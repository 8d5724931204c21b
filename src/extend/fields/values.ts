/** The values of a pod's paths, as annotations: what is known at a time, and what is missing. */
import { annotationOf, isLive } from '../../api/downward/annotations.ts'
import type { FieldSource } from '../../api/downward/source.ts'
import { type Timing, timingOf } from '../../api/downward/timing.ts'
import { fieldValueOf, type Related } from '../../api/downward/value.ts'
import type { KubeObject } from '../../api/object.ts'

export interface Values {
  /** Annotations, by name. */
  readonly known: Record<string, string>
  /** Why a value is missing, by key: only what the pod cannot start without. */
  readonly missing: Map<string, string>
}

const ORDER: Readonly<Record<Timing, number>> = { creation: 0, binding: 1, running: 2 }

/** What can be known by `time`. Paths of later times are neither known nor missing, unless they have a default for a file. */
export async function valuesAt(
  time: Timing,
  sources: ReadonlyMap<string, FieldSource>,
  pod: KubeObject,
  related: Related,
): Promise<Values> {
  const known: Record<string, string> = {}
  const missing = new Map<string, string>()
  for (const [key, source] of sources) {
    const due = timingOf(source)
    // The file of what only a running pod has is empty, or has its default, until then.
    const early = ORDER[due] > ORDER[time]
    if (early && !(due === 'running' && source.fallback !== undefined)) continue
    const { value, missing: why } = await fieldValueOf(source, pod, related)
    if (value !== undefined) known[annotationOf(key)] = value
    else if (due !== 'running' && why !== undefined) missing.set(key, why)
  }
  return { known, missing }
}

/** Values that differ from the pod's annotations, of paths whose value follows its source. */
export function movedFiles(values: Values, annotations: Readonly<Record<string, string>> | undefined): Record<string, string> {
  const moved: Record<string, string> = {}
  for (const name in values.known) {
    if (isLive(name.slice(annotationOf('').length)) && annotations?.[name] !== values.known[name])
      moved[name] = values.known[name]!
  }
  return moved
}
