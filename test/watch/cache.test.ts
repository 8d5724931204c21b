import { describe, expect, it } from 'vitest'
import type { KubeObject } from '../../src/api/object.ts'
import { ObjectCache } from '../../src/watch/cache.ts'

const pod = (name: string, node: string): KubeObject => ({ metadata: { namespace: 'ns', name }, spec: { nodeName: node } })

describe('cache', () => {
  it('moves an object between index values and forgets it everywhere when it is deleted', () => {
    const cache = new ObjectCache<KubeObject>()
    cache.set(pod('a', 'n1'))
    cache.addIndex('node', (p) => [p.spec.nodeName])
    cache.set(pod('b', 'n1'))
    expect(cache.byIndex('node', 'n1').map((p) => p.metadata.name)).toEqual(['a', 'b'])
    expect(cache.set(pod('a', 'n2'))?.spec.nodeName).toBe('n1')
    expect(cache.byIndex('node', 'n1').map((p) => p.metadata.name)).toEqual(['b'])
    expect(cache.byIndex('node', 'n2').map((p) => p.metadata.name)).toEqual(['a'])
    cache.delete('ns/a')
    expect(cache.byIndex('node', 'n2')).toEqual([])
    expect(cache.list('ns')).toHaveLength(1)
    expect(cache.list('other')).toEqual([])
  })

  it('refuses an index that nobody declared', () => {
    expect(() => new ObjectCache().byIndex('x', 'y')).toThrow('no index "x"')
  })
})
