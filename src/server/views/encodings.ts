/** Answers in other encodings than JSON. */
import { dump } from 'js-yaml'
import type { ObjectAnswer } from '../request/request.ts'

export function reencode(answer: ObjectAnswer, encoding: 'yaml' | 'protobuf'): ObjectAnswer {
  if (encoding !== 'yaml') throw new TypeError(`no encoder for ${encoding}`)
  return {
    ...answer,
    contentType: 'application/yaml',
    chunks: () => [Buffer.from(dump(JSON.parse(Buffer.concat([...answer.chunks()]).toString())))],
  }
}
