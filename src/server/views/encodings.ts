/** Answers in other encodings than JSON. */
import { dump } from 'js-yaml'
import { encodeProtobuf, PROTOBUF_MEDIA_TYPE } from '../../api/protobuf/envelope.ts'
import { notAcceptable } from '../../api/status.ts'
import type { ObjectAnswer } from '../request/request.ts'

/** Throws a 406 for what has no protobuf form. */
export function reencode(answer: ObjectAnswer, encoding: 'yaml' | 'protobuf'): ObjectAnswer {
  if (encoding === 'protobuf') return asProtobuf(answer)
  return {
    ...withoutBytes(answer),
    contentType: 'application/yaml',
    chunks: () => [Buffer.from(dump(JSON.parse(Buffer.concat([...answer.chunks()]).toString())))],
  }
}

function asProtobuf(answer: ObjectAnswer): ObjectAnswer {
  let bytes: Buffer
  try {
    bytes = encodeProtobuf(answer.object() as Parameters<typeof encodeProtobuf>[0])
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'ProtobufError') throw error
    throw notAcceptable(error.message)
  }
  return { ...withoutBytes(answer), contentType: PROTOBUF_MEDIA_TYPE, chunks: () => [bytes] }
}

function withoutBytes({ chunks: _, long: __, ...answer }: ObjectAnswer): Omit<ObjectAnswer, 'chunks' | 'long'> {
  return answer
}
