/** DeleteOptions: from the body, or from the query when there is none. */
import { invalid as invalidValue, notSupported } from '../../api/field-errors.ts'
import { builtinSchema } from '../../api/schema/builtin.ts'
import { DecodeError, decode } from '../../api/schema/decode.ts'
import { badRequest, type FieldError, invalid } from '../../api/status.ts'
import { isRecord } from '../objects/json.ts'
import { parseBodyValue } from './body.ts'
import type { ApiRequest } from './request.ts'

export interface DeleteOptions {
  gracePeriodSeconds?: number
  propagationPolicy?: 'Background' | 'Foreground' | 'Orphan'
  orphanDependents?: boolean
  preconditions?: { uid?: string; resourceVersion?: string }
  dryRun?: string[]
}

const POLICIES = ['Foreground', 'Background', 'Orphan'] as const

/** Throws a 400 for what does not parse, a 422 for values that are not allowed. */
export async function readDeleteOptions(request: ApiRequest): Promise<DeleteOptions> {
  const given = await parseBodyValue(request, 'DeleteOptions')
  const options = given === undefined ? fromQuery(request) : decodeOptions(given)
  const errors: FieldError[] = []
  const { propagationPolicy: policy, orphanDependents, dryRun = [] } = options
  if (policy !== undefined && orphanDependents !== undefined) {
    errors.push(invalidValue('propagationPolicy', policy, 'orphanDependents and deletionPropagation cannot be both set'))
  } else if (policy !== undefined && !POLICIES.includes(policy)) {
    errors.push(notSupported('propagationPolicy', policy, [...POLICIES, 'nil']))
  }
  if (dryRun.some((value) => value !== 'All')) errors.push(notSupported('dryRun', dryRun, ['All']))
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', kind: 'DeleteOptions' }, '', errors)
  return options
}

function decodeOptions(value: unknown): DeleteOptions {
  if (!isRecord(value)) throw badRequest('the object provided is unrecognized (must be of type DeleteOptions)')
  try {
    return decode<DeleteOptions>(builtinSchema('meta/v1.DeleteOptions'), value).value
  } catch (error) {
    if (error instanceof DecodeError) throw badRequest(error.message)
    throw error
  }
}

function fromQuery({ query }: ApiRequest): DeleteOptions {
  const grace = query.get('gracePeriodSeconds')
  const policy = query.get('propagationPolicy')
  const orphan = query.get('orphanDependents')
  const dryRun = query.all('dryRun').filter((value) => value !== '')
  if (grace !== undefined && !/^[+-]?\d+$/.test(grace)) {
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(grace)}: invalid syntax`)
  }
  return {
    ...(grace !== undefined && { gracePeriodSeconds: Number(grace) }),
    ...(policy && { propagationPolicy: policy as 'Background' }),
    ...(orphan !== undefined && { orphanDependents: query.flag('orphanDependents') }),
    ...(dryRun.length > 0 && { dryRun }),
  }
}
