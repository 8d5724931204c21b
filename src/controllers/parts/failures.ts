/** What a refused write means to a controller. */
import { StatusError } from '../../api/status.ts'

/** The namespace is going away: nothing can be made in it any more, and trying again is of no use. */
export function isNamespaceTerminating(error: unknown): boolean {
  return (
    error instanceof StatusError && (error.status.details?.causes ?? []).some(({ reason }) => reason === 'NamespaceTerminating')
  )
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
