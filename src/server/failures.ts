/** Failures that belong to no verb: routes that are not there, methods that are not served. */
import { custom, StatusError } from '../api/status.ts'

export function noSuchResource(): StatusError {
  return custom(404, 'NotFound', 'the server could not find the requested resource', {})
}

export function noSuchMethod(): StatusError {
  return custom(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {})
}

/** What a client gets for an error nobody expected. */
export function asStatusError(error: unknown): StatusError {
  if (error instanceof StatusError) return error
  const message = error instanceof Error ? error.message : String(error)
  const failure = custom(500, 'InternalError', `Internal error occurred: ${message}`, { causes: [{ message }] })
  failure.cause = error
  return failure
}
