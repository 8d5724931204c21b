/** Events of a watch in protobuf: each is a `WatchEvent` without an envelope, behind its length in four bytes. */
import { encodeProtobuf, PROTOBUF_MEDIA_TYPE } from '../../api/protobuf/envelope.ts'
import { BYTES, Writer } from '../../api/protobuf/wire.ts'
import type { View } from './view.ts'

const LENGTH_BYTES = 4
const CONTENT_TYPE = `${PROTOBUF_MEDIA_TYPE};stream=watch`

/** The same view, whose events are protobuf. */
export function protobufEvents(view: View): View {
  return {
    ...view,
    key: `protobuf ${view.key}`,
    event: (resource, entry, first) => {
      const { object } = view.event(resource, entry, first)
      return { object, bytes: () => encodeProtobuf(object() as Parameters<typeof encodeProtobuf>[0]) }
    },
    stream: {
      contentType: CONTENT_TYPE,
      encode: (object) => encodeProtobuf(object as Parameters<typeof encodeProtobuf>[0]),
      frame,
    },
  }
}

function frame(type: string, object: Buffer): Buffer {
  const writer = new Writer()
  writer.tag(1, BYTES)
  writer.string(type)
  writer.tag(2, BYTES)
  writer.message((extension) => {
    extension.tag(1, BYTES)
    extension.bytes(object)
  })
  const event = writer.finish()
  const length = Buffer.allocUnsafe(LENGTH_BYTES)
  length.writeUInt32BE(event.length)
  return Buffer.concat([length, event])
}
