/** GET of a pod's `log`. */
import { forbidden as forbiddenField, invalid as invalidValue } from '../../api/field-errors.ts'
import { badRequest, type FieldError, invalid } from '../../api/status.ts'
import type { LogOptions } from '../../api/streams.ts'
import type { Core } from '../core.ts'
import type { Resource } from '../registry.ts'
import type { Query } from '../request/query.ts'
import type { Answer, ApiRequest } from '../request/request.ts'
import type { ResourceTarget } from '../request/target.ts'
import { chooseContainer, findPod } from '../streams/pod-target.ts'

export async function getLog(core: Core, request: ApiRequest, resource: Resource, target: ResourceTarget): Promise<Answer> {
  const options = readOptions(request.query)
  const { pod, ref, node } = findPod(core, resource, target)
  options.container = chooseContainer(pod, options.container)
  const stream = await node.logs(ref, options, AbortSignal.any([request.signal, core.closing]))
  return { type: 'stream', status: 200, contentType: 'text/plain', stream }
}

function readOptions(query: Query): LogOptions {
  const container = query.get('container')
  const sinceSeconds = integer(query.get('sinceSeconds'))
  const sinceTime = query.get('sinceTime')
  const tailLines = integer(query.get('tailLines'))
  const limitBytes = integer(query.get('limitBytes'))
  const stream = query.get('stream')
  const errors: FieldError[] = []
  if (tailLines !== undefined && tailLines < 0) {
    errors.push(invalidValue('tailLines', tailLines, 'must be greater than or equal to 0'))
  }
  if (limitBytes !== undefined && limitBytes < 1) errors.push(invalidValue('limitBytes', limitBytes, 'must be greater than 0'))
  if (sinceSeconds !== undefined && sinceTime) {
    errors.push(forbiddenField('[]', 'at most one of `sinceTime` or `sinceSeconds` may be specified'))
  } else if (sinceSeconds !== undefined && sinceSeconds < 1) {
    errors.push(invalidValue('sinceSeconds', sinceSeconds, 'must be greater than 0'))
  }
  if (errors.length > 0) throw invalid({ group: '', kind: 'PodLogOptions' }, '', errors)
  return {
    ...(container && { container }),
    follow: query.flag('follow'),
    previous: query.flag('previous'),
    timestamps: query.flag('timestamps'),
    ...(sinceSeconds !== undefined && { sinceSeconds }),
    ...(sinceTime && { sinceTime }),
    ...(tailLines !== undefined && { tailLines }),
    ...(limitBytes !== undefined && { limitBytes }),
    ...(stream && { stream }),
  }
}

function integer(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined
  if (!/^[+-]?\d+$/.test(text)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`)
  return Number(text)
}
