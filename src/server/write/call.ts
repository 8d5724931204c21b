/** What every step of a write needs to know about the call it belongs to. */
import { invalid as invalidValue, notSupported, tooLong } from '../../api/field-errors.ts'
import { type FieldError, invalid } from '../../api/status.ts'
import { timestamp } from '../../base/clock.ts'
import type { Core } from '../core.ts'
import type { Resource } from '../registry.ts'
import type { ApiRequest } from '../request/request.ts'
import type { ResourceTarget } from '../request/target.ts'

export interface WriteCall {
  readonly core: Core
  readonly request: ApiRequest
  readonly resource: Resource
  readonly namespace: string
  /** Of the path; empty for a create. */
  readonly name: string
  readonly subresource: string
  readonly dryRun: boolean
  readonly force: boolean
  /** Who managedFields say wrote this. */
  readonly fieldManager: string
  /** The options object admission sees; a CONNECT has none. */
  readonly options: Readonly<Record<string, unknown>> | undefined
  /** When the call came in, RFC 3339 seconds. */
  readonly now: string
}

export type OptionsKind = 'CreateOptions' | 'UpdateOptions' | 'PatchOptions' | 'DeleteOptions'

const MAX_FIELD_MANAGER = 128

/** Reads the options of a write from the query. Throws a 422. */
export function writeCall(
  core: Core,
  request: ApiRequest,
  resource: Resource,
  target: ResourceTarget,
  kind: OptionsKind,
): WriteCall {
  const { query } = request
  const dryRuns = query.all('dryRun').filter((value) => value !== '')
  const given = query.get('fieldManager') ?? ''
  const errors: FieldError[] = []
  const validation = query.get('fieldValidation') ?? ''
  checkDryRun(dryRuns, errors)
  if (given.length > MAX_FIELD_MANAGER) errors.push(tooLong('fieldManager', MAX_FIELD_MANAGER))
  for (const character of given) {
    if (isPrintable(character)) continue
    errors.push(
      invalidValue(
        'fieldManager',
        given,
        `should only contain printable characters, but found character ${codePoint(character)}`,
      ),
    )
    break
  }
  if (validation !== '' && validation !== 'Ignore' && validation !== 'Warn' && validation !== 'Strict') {
    errors.push(notSupported('fieldValidation', validation, ['', 'Ignore', 'Strict', 'Warn']))
  }
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', kind }, '', errors)
  return {
    core,
    request,
    resource,
    namespace: target.namespace,
    name: target.name,
    subresource: target.subresource,
    dryRun: dryRuns.length > 0,
    force: query.flag('force'),
    fieldManager: given || managerOf(request.header('user-agent')),
    options: {
      kind,
      apiVersion: 'meta.k8s.io/v1',
      ...(dryRuns.length > 0 && { dryRun: dryRuns }),
      ...(given && { fieldManager: given }),
      ...(validation && { fieldValidation: validation }),
    },
    now: timestamp(core.clock),
  }
}

function checkDryRun(values: readonly string[], errors: FieldError[]): void {
  if (values.some((value) => value !== 'All')) errors.push(notSupported('dryRun', values, ['All']))
}

/** The program's name: a user agent up to its version. */
function managerOf(userAgent: string | undefined): string {
  const name = (userAgent ?? '').split('/', 1)[0]!
  return [...name].filter(isPrintable).join('').slice(0, MAX_FIELD_MANAGER) || 'unknown'
}

function isPrintable(character: string): boolean {
  return !/[\p{C}\p{Z}]/u.test(character) || character === ' '
}

function codePoint(character: string): string {
  return `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`
}
