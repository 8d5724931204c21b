/** YAML bodies and their references. */
import { describe, expect, it } from 'vitest'
import { parseYamlDocument } from '../../../src/server/request/yaml.ts'

const nines = (levels: number) =>
  Array.from(
    { length: levels },
    (_, i) =>
      `a${i}: &a${i} [${Array(9)
        .fill(i === 0 ? 'x' : `*a${i - 1}`)
        .join(', ')}]`,
  ).join('\n')

describe('a YAML body', () => {
  it('may refer to what it has said', () => {
    const { value } = parseYamlDocument('labels: &labels {app: web}\nselector: *labels\n', true)
    expect(value).toEqual({ labels: { app: 'web' }, selector: { app: 'web' } })
    expect(JSON.stringify(parseYamlDocument(nines(4), true).value)).toContain('"a3"')
  })

  it('is refused when its references come to more than memory holds, or to itself', () => {
    expect(() => parseYamlDocument(nines(12), true)).toThrow('yaml: document contains excessive aliasing')
    expect(() => parseYamlDocument('a: &a\n  b: *a\n', true)).toThrow(/yaml: /)
  })
})
