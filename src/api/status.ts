/**
 * `metav1.Status` as an error: what a verb throws and a client gets. Messages and reasons are those of
 * k8s.io/apimachinery `api/errors`; this file never hears of HTTP beyond the code inside the Status.
 */
export interface Status {
  kind: 'Status'
  apiVersion: 'v1'
  metadata: Record<string, unknown>
  status: 'Success' | 'Failure'
  message?: string
  reason?: string
  details?: StatusDetails
  code?: number
}

export interface StatusDetails {
  name?: string
  group?: string
  kind?: string
  uid?: string
  causes?: StatusCause[]
  retryAfterSeconds?: number
}

export interface StatusCause {
  reason?: string
  message?: string
  field?: string
}

/** An API call that failed, with the Status that says why. `cause` keeps the error underneath, when there was one. */
export class StatusError extends Error {
  override name = 'StatusError'
  readonly status: Status
  constructor(status: Status, options?: { cause?: unknown }) {
    super(status.message ?? status.reason ?? 'unknown failure', options)
    this.status = status
  }
  get code(): number {
    return this.status.code ?? 500
  }
  get reason(): string {
    return this.status.reason ?? ''
  }
}

/** Whose absence, conflict or refusal it is: the resource's plural and group, as `details` on the wire carry them. */
export interface ResourceName {
  group: string
  plural: string
}

export function isNotFound(error: unknown): boolean {
  return error instanceof StatusError && error.reason === 'NotFound'
}
export function isAlreadyExists(error: unknown): boolean {
  return error instanceof StatusError && error.reason === 'AlreadyExists'
}
export function isConflict(error: unknown): boolean {
  return error instanceof StatusError && error.reason === 'Conflict'
}
/** The asked resourceVersion is too old: list again. */
export function isExpired(error: unknown): boolean {
  return error instanceof StatusError && (error.reason === 'Expired' || error.reason === 'Gone')
}

function failure(code: number, reason: string, message: string, details?: StatusDetails): StatusError {
  const status: Status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code }
  if (details) status.details = details
  return new StatusError(status)
}

function named(resource: ResourceName, name: string): StatusDetails {
  return { ...(name && { name }), ...(resource.group && { group: resource.group }), kind: resource.plural }
}

/** `deployments.apps`, or `pods` for the core group: how messages name a resource. */
export function qualified(resource: ResourceName): string {
  return resource.group ? `${resource.plural}.${resource.group}` : resource.plural
}

export const notFound = (resource: ResourceName, name: string) =>
  failure(404, 'NotFound', `${qualified(resource)} ${JSON.stringify(name)} not found`, named(resource, name))
export const alreadyExists = (resource: ResourceName, name: string) =>
  failure(409, 'AlreadyExists', `${qualified(resource)} ${JSON.stringify(name)} already exists`, named(resource, name))
export const conflict = (resource: ResourceName, name: string, why: string) =>
  failure(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${qualified(resource)} ${JSON.stringify(name)}: ${why}`,
    named(resource, name),
  )
export const forbidden = (resource: ResourceName, name: string, why: string) =>
  failure(
    403,
    'Forbidden',
    `${qualified(resource)}${name ? ` ${JSON.stringify(name)}` : ''} is forbidden: ${why}`,
    named(resource, name),
  )
export const unauthorized = () => failure(401, 'Unauthorized', 'Unauthorized')
export const badRequest = (message: string) => failure(400, 'BadRequest', message)
export const gone = (message: string) => failure(410, 'Expired', message)
export const methodNotAllowed = (message: string) => failure(405, 'MethodNotAllowed', message)
export const notAcceptable = (message: string) => failure(406, 'NotAcceptable', message)
export const unsupportedMediaType = (message: string) => failure(415, 'UnsupportedMediaType', message)
export const tooLarge = (message: string) => failure(413, 'RequestEntityTooLarge', message)
export const internalError = (message: string, cause?: unknown) => {
  const error = failure(500, 'InternalError', `Internal error occurred: ${message}`, { causes: [{ message }] })
  error.cause = cause
  return error
}
export const tooManyRequests = (message: string, retryAfterSeconds: number) =>
  failure(429, 'TooManyRequests', message, { retryAfterSeconds })
export const unavailable = (message: string) => failure(503, 'ServiceUnavailable', message)
export const custom = failure

/** A 422 that carries one cause for each field error; `kind` is `{group, kind}` of the object. */
export function invalid(kind: { group: string; kind: string }, name: string, errors: readonly FieldError[]): StatusError {
  // A finding that two rules have is told once, though each has its cause.
  const lines = [...new Set(errors.map((e) => `${e.field}: ${e.message}`))]
  const list = lines.length === 1 ? lines[0] : `[${lines.join(', ')}]`
  const title = kind.group ? `${kind.kind}.${kind.group}` : kind.kind
  return failure(422, 'Invalid', `${title} ${JSON.stringify(name)} is invalid: ${list}`, {
    ...(name && { name }),
    ...(kind.group && { group: kind.group }),
    ...(kind.kind && { kind: kind.kind }),
    causes: errors.map((e) => ({ reason: e.type, message: e.message, field: e.field })),
  })
}

/** One finding of validation; made by the functions in `field-errors.ts`, which word it as `field.Error` does. */
export interface FieldError {
  /** `FieldValueRequired`, `FieldValueInvalid`, …: the cause's reason on the wire. */
  type: string
  field: string
  /** Without the field's path, e.g. `Invalid value: "x": must be …`. */
  message: string
}
