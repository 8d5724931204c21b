/** The annotations by which a workload's history says why its template changed, as the commands of rolls write them. Pure. */

export interface Cause {
  /** Which part of the cluster did it. */
  by: string
  note: string
  /** By container: the image before and the one now. */
  changes: readonly { container: string; before: string; after: string }[]
  /** RFC 3339. */
  at: string
}

/** Null takes an annotation away: the command is that of an earlier change. */
export function causeAnnotations({ by, note, changes, at }: Cause): Record<string, string | null> {
  const changed = changes.map(({ container, before, after }) => `${container}: ${before} → ${after}`)
  return {
    'kubernetes.io/change-cause': note,
    'skiff.dev/by': by,
    'skiff.dev/command': null,
    'skiff.dev/image-change': changed.length > 0 ? changed.join(', ') : null,
    'skiff.dev/note': note,
    'skiff.dev/rolled-at': at,
  }
}
