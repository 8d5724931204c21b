/** The query parameters of list, watch and deletecollection, checked as apimachinery's `ValidateListOptions` does. */
import { forbidden, notSupported } from '../../api/field-errors.ts'
import { badRequest, custom, type FieldError, invalid } from '../../api/status.ts'
import type { Query } from './query.ts'

export interface ListOptions {
  readonly limit: number
  readonly continue: string
  /** As given; empty when it was not. */
  readonly resourceVersion: string
  readonly resourceVersionMatch: string
  readonly timeoutSeconds: number | undefined
  readonly allowWatchBookmarks: boolean
  readonly sendInitialEvents: boolean | undefined
}

/** Throws a 400 for a parameter that does not parse and a 422 for combinations that are not allowed. */
export function parseListOptions(query: Query, watch: boolean): ListOptions {
  const timeout = query.get('timeoutSeconds')
  const options = {
    limit: Math.max(0, integer(query.get('limit')) ?? 0),
    continue: query.get('continue') ?? '',
    resourceVersion: query.get('resourceVersion') ?? '',
    resourceVersionMatch: query.get('resourceVersionMatch') ?? '',
    timeoutSeconds: timeout === undefined ? undefined : integer(timeout),
    allowWatchBookmarks: query.flag('allowWatchBookmarks'),
    sendInitialEvents: query.has('sendInitialEvents') ? query.flag('sendInitialEvents') : undefined,
  }
  const errors = watch ? watchErrors(options) : listErrors(options)
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', kind: 'ListOptions' }, '', errors)
  return options
}

function integer(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined
  if (!/^[+-]?\d+$/.test(text)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`)
  return Number(text)
}

const MATCH = 'resourceVersionMatch'

function listErrors(options: ListOptions): FieldError[] {
  const { resourceVersion: version, resourceVersionMatch: match } = options
  const errors: FieldError[] = []
  if (options.sendInitialEvents !== undefined) {
    errors.push(forbidden('sendInitialEvents', 'sendInitialEvents is forbidden for list'))
  }
  if (match === '') return errors
  if (version === '') errors.push(forbidden(MATCH, 'resourceVersionMatch is forbidden unless resourceVersion is provided'))
  if (options.continue !== '') errors.push(forbidden(MATCH, 'resourceVersionMatch is forbidden when continue is provided'))
  if (match !== 'Exact' && match !== 'NotOlderThan') errors.push(notSupported(MATCH, match, ['Exact', 'NotOlderThan', '']))
  if (match === 'Exact' && version === '0') {
    errors.push(forbidden(MATCH, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'))
  }
  return errors
}

function watchErrors(options: ListOptions): FieldError[] {
  const { resourceVersionMatch: match } = options
  const errors: FieldError[] = []
  if (options.continue !== '') errors.push(forbidden('continue', 'continue is forbidden for watch'))
  if (options.sendInitialEvents === undefined) {
    if (match !== '')
      errors.push(forbidden(MATCH, 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided'))
    return errors
  }
  if (match !== 'NotOlderThan') {
    errors.push(forbidden(MATCH, 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'))
    if (match !== '') errors.push(notSupported(MATCH, match, ['NotOlderThan']))
  }
  return errors
}

/**
 * A resourceVersion as a number; undefined when it was not given. A version that is none fails with the bare error that
 * Kubernetes wraps differently for each verb: `wrap` makes the Status of it.
 */
export function parseVersion(text: string, wrap: (message: string) => Error = plainFailure): number | undefined {
  if (text === '') return undefined
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw wrap(
    `resourceVersion: Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`,
  )
}

function plainFailure(message: string): Error {
  const error = custom(500, '', message)
  delete error.status.reason
  return error
}

/** The asked version has not been reached. */
export function versionTooLarge(asked: number, current: number): Error {
  return custom(504, 'Timeout', `Too large resource version: ${asked}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  })
}
