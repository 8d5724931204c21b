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

/** What can be had where it is asked for. */
export interface Offer {
  isList: boolean
  /** A stream of events: it is not spoken in YAML. */
  isWatch: boolean
  /** Built-in kinds have a protobuf form, custom ones have none. */
  hasProtobuf: boolean
  includeObject: string | undefined
  clock: Clock
}

/** The first acceptable representation in the header's order; ranges with a `q` come after those without. Throws a 406. */
export async function negotiate(accept: string | undefined, offer: Offer): Promise<Representation> {
  if (accept === undefined || accept === '' || accept === 'application/json' || accept === '*/*') return PLAIN
  for (const range of parseAccept(accept)) {
    const found = await represent(range, offer)
    if (found) return found
  }
  throw custom(406, 'NotAcceptable', `406: Not Acceptable\n\nAvailable representations: ${AVAILABLE}`, {})
}

async function represent(range: MediaRange, offer: Offer): Promise<Representation | undefined> {
  const encoding = ENCODINGS[range.type]
  if (!encoding || (encoding === 'yaml' && offer.isWatch)) return undefined
  const view = await viewOf(range, encoding, offer)
  if (!view || encoding !== 'protobuf' || !offer.isWatch) return view && { view, encoding }
  const { protobufEvents } = await import('./protobuf.ts')
  return { view: protobufEvents(view), encoding }
}

async function viewOf(range: MediaRange, encoding: Representation['encoding'], offer: Offer): Promise<View | undefined> {
  const { as, v, g } = range.parameters
  if (as === undefined) return encoding === 'protobuf' && !offer.hasProtobuf ? undefined : objectView
  if (g !== 'meta.k8s.io' || (v !== 'v1' && v !== 'v1beta1')) return undefined
  if (as === 'Table') {
    if (encoding === 'protobuf') return undefined
    const { tableView } = await import('./table.ts')
    return tableView(offer.includeObject, offer.clock, v)
  }
  if (as !== 'PartialObjectMetadata' && as !== 'PartialObjectMetadataList') return undefined
  const { metadataView } = await import('./metadata.ts')
  return metadataView(as === 'PartialObjectMetadataList', offer.isList, v)
}

const ENCODINGS: Record<string, Representation['encoding']> = {
  'application/json': 'json',
  'application/yaml': 'yaml',
  'application/vnd.kubernetes.protobuf': 'protobuf',
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
