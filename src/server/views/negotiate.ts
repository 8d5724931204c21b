/** Which view the `Accept` header asks for. */
import { custom } from '../../api/status.ts'
import type { Clock } from '../../base/clock.ts'
import { objectView, type View } from './view.ts'

const AVAILABLE =
  'application/json, application/yaml, application/vnd.kubernetes.protobuf, application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch'

interface MediaRange {
  type: string
  parameters: Record<string, string>
}

/** What a request wants to see, and in which encoding. */
export interface Representation {
  view: View
  encoding: 'json' | 'yaml' | 'protobuf'
}

const PLAIN: Representation = { view: objectView, encoding: 'json' }

/**
 * The first acceptable representation in the header's order; ranges with a `q` come after those without. JSON lies ready in the
 * store, so protobuf, which must be made, is only for clients that take nothing else. Throws a 406.
 */
export async function negotiate(
  accept: string | undefined,
  isList: boolean,
  includeObject: string | undefined,
  clock: Clock,
): Promise<Representation> {
  if (accept === undefined || accept === '' || accept === 'application/json' || accept === '*/*') return PLAIN
  const ranges = parseAccept(accept)
  for (const range of ranges) {
    const found = await represent(range, isList, includeObject, clock)
    if (found) return found
  }
  if (ranges.some(({ type, parameters }) => type === PROTOBUF && parameters.as === undefined))
    return { view: objectView, encoding: 'protobuf' }
  throw custom(406, 'NotAcceptable', `406: Not Acceptable\n\nAvailable representations: ${AVAILABLE}`, {})
}

async function represent(
  range: MediaRange,
  isList: boolean,
  includeObject: string | undefined,
  clock: Clock,
): Promise<Representation | undefined> {
  const encoding = ENCODINGS[range.type]
  if (!encoding) return undefined
  const { as, v, g } = range.parameters
  if (as === undefined) return encoding === 'protobuf' ? undefined : { view: objectView, encoding }
  if (g !== 'meta.k8s.io' || (v !== 'v1' && v !== 'v1beta1') || encoding === 'protobuf') return undefined
  if (as === 'Table') {
    const { tableView } = await import('./table.ts')
    return { view: tableView(includeObject, clock, v), encoding }
  }
  if (as !== 'PartialObjectMetadata' && as !== 'PartialObjectMetadataList') return undefined
  const { metadataView } = await import('./metadata.ts')
  return { view: metadataView(as === 'PartialObjectMetadataList', isList, v), encoding }
}

const PROTOBUF = 'application/vnd.kubernetes.protobuf'
const ENCODINGS: Record<string, Representation['encoding']> = {
  'application/json': 'json',
  'application/yaml': 'yaml',
  [PROTOBUF]: 'protobuf',
  '*/*': 'json',
}

/** The media ranges of an `Accept` header, most wanted first. */
export function parseAccept(header: string): MediaRange[] {
  const ranges = header.split(',').map((text, index) => {
    const [type = '', ...rest] = text.split(';').map((part) => part.trim())
    const parameters: Record<string, string> = {}
    for (const parameter of rest) {
      const equals = parameter.indexOf('=')
      if (equals > 0) parameters[parameter.slice(0, equals).toLowerCase()] = parameter.slice(equals + 1).replace(/^"|"$/g, '')
    }
    const quality = Number(parameters.q ?? 1)
    return { type: type.toLowerCase(), parameters, quality: Number.isNaN(quality) ? 1 : quality, index }
  })
  return ranges.sort((a, b) => b.quality - a.quality || a.index - b.index)
}
