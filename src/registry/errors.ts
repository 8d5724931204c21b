/** Why a registry could not give what was asked of it; the one error of this folder. */

export type RegistryFailure =
  /** The text is no image reference. */
  | 'InvalidReference'
  | 'NotFound'
  /** Without credentials, or with the wrong ones. Docker's hub says so of what does not exist, too. */
  | 'Denied'
  /** Any other answer that is none of success: its own fault, a limit, a proxy's page. */
  | 'Refused'
  | 'Unreachable'
  | 'TimedOut'
  /** The content is not what its digest says. */
  | 'Mismatch'
  /** It answered with something that the specification does not allow, or that is not supported. */
  | 'Unusable'

export class RegistryError extends Error {
  override name = 'RegistryError'
  readonly reason: RegistryFailure
  constructor(reason: RegistryFailure, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.reason = reason
  }
}

/** The innermost cause says what happened; `fetch failed` does not. */
export function innermost(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.cause instanceof AggregateError) return error.cause.errors.map(innermost).join('; ')
  if (error.cause instanceof Error) return innermost(error.cause)
  return error.message || String((error as NodeJS.ErrnoException).code ?? error.name)
}
