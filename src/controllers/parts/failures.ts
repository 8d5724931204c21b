/** What a refused write means to a controller. */
import { isNotFound, StatusError } from '../../api/status.ts'

/** The namespace is going away, or gone: nothing can be made in it any more, and trying again is of no use. */
export function isNamespaceTerminating(error: unknown): boolean {
  if (isNotFound(error)) return error instanceof StatusError && error.status.details?.kind === 'namespaces'
  return (
    error instanceof StatusError && (error.status.details?.causes ?? []).some(({ reason }) => reason === 'NamespaceTerminating')
  )
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
