import { expect, it } from 'vitest'
import { createLineDecoder } from '../../src/client/lines.ts'

it('gives the same lines however the bytes are cut', () => {
  const text = Buffer.from('{"a":"ä"}\n{"b":2}\n\n{"c":"€"}\n')
  for (let size = 1; size <= text.length; size++) {
    const decode = createLineDecoder()
    const lines: string[] = []
    for (let i = 0; i < text.length; i += size) lines.push(...decode(text.subarray(i, i + size)))
    expect(lines).toEqual(['{"a":"ä"}', '{"b":2}', '{"c":"€"}'])
  }
})
