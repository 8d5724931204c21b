/** What holds a pod, as admission wrote it on the pod. Pure. */
import type { Pod } from '../types.ts'
import { RESOLVED } from './names.ts'
import type { Requirement } from './requirement.ts'

/** Undefined for a pod that has none, or whose annotation is somebody else's: where no admission runs, anybody may have written it. */
export function resolvedRequirements({ metadata }: Pick<Pod, 'metadata'>): readonly Requirement[] | undefined {
  const text = metadata.annotations?.[RESOLVED]
  if (text === undefined) return undefined
  try {
    const read: unknown = JSON.parse(text)
    return Array.isArray(read) ? (read as Requirement[]) : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
