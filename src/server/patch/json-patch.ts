/** RFC 6902, with the liberties that the API server's own library takes. */
import { applyPatch, type Operation } from 'rfc6902'
import { badRequest, custom } from '../../api/status.ts'
import { isRecord } from '../objects/json.ts'

const MAX_OPERATIONS = 10_000

/** Applies the operations to `target` in place. Throws 400 for what is no patch, 413 for too long ones, 422 for one that does not apply. */
export function applyJsonPatch(target: object, patch: unknown): void {
  if (!Array.isArray(patch))
    throw badRequest('error decoding patch: json: cannot unmarshal object into Go value of type jsonpatch.Patch')
  if (patch.length > MAX_OPERATIONS) {
    throw custom(
      413,
      'RequestEntityTooLarge',
      `The allowed maximum operations in a JSON patch is ${MAX_OPERATIONS}, got ${patch.length}`,
    )
  }
  for (const operation of patch) {
    if (!isRecord(operation))
      throw badRequest('error decoding patch: json: cannot unmarshal into Go value of type jsonpatch.Operation')
    applyOne(target, operation as unknown as Operation)
  }
}

function applyOne(target: object, operation: Operation): void {
  if (typeof operation.path !== 'string') throw notApplicable()
  const [error] = applyPatch(target, [operation])
  if (!error) return
  // Replacing a member that is not there adds it.
  if (operation.op === 'replace' && !/\/\d+$/.test(operation.path)) {
    const [again] = applyPatch(target, [{ ...operation, op: 'add' }])
    if (!again) return
  }
  throw notApplicable(error)
}

function notApplicable(cause?: unknown): Error {
  const error = custom(422, 'Invalid', 'the server rejected our request due to an error in our request', {})
  error.cause = cause
  return error
}
