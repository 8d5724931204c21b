import { describe, expect, it } from 'vitest'
import { builtinSchema } from '../../../src/api/schema/builtin.ts'
import { strategicMerge } from '../../../src/server/patch/strategic.ts'

const merge = (type: string, target: object, patch: object) =>
  strategicMerge(structuredClone(target) as never, patch as never, builtinSchema(type))

const podSpec = (containers: object[], more: object = {}) => ({ spec: { containers, ...more } })

describe('strategic merge', () => {
  it('merges containers by name and keeps the others', () => {
    const merged = merge('core/v1.Pod', podSpec([{ name: 'a', image: '1' }, { name: 'b' }]), podSpec([{ name: 'a', image: '2' }]))
    expect(merged).toEqual(podSpec([{ name: 'a', image: '2' }, { name: 'b' }]))
  })

  it('deletes an element, and replaces a list', () => {
    const target = podSpec([{ name: 'a' }, { name: 'b' }])
    expect(merge('core/v1.Pod', target, podSpec([{ name: 'b', $patch: 'delete' }]))).toEqual(podSpec([{ name: 'a' }]))
    expect(merge('core/v1.Pod', target, podSpec([{ $patch: 'replace' }, { name: 'c' }]))).toEqual(podSpec([{ name: 'c' }]))
  })

  it('replaces lists without a merge key', () => {
    const merged = merge(
      'core/v1.Pod',
      podSpec([], { tolerations: [{ key: 'a' }] }),
      podSpec([], { tolerations: [{ key: 'b' }] }),
    )
    expect(merged).toEqual(podSpec([], { tolerations: [{ key: 'b' }] }))
  })

  it('retains only the listed keys', () => {
    const target = { spec: { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } } } }
    const patch = { spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } } }
    expect(merge('apps/v1.Deployment', target, patch)).toEqual({ spec: { strategy: { type: 'Recreate' } } })
  })

  it('orders elements as $setElementOrder says, and puts those it does not name where they stood', () => {
    const target = podSpec([{ name: 'a' }, { name: 'server' }, { name: 'b' }])
    const patch = { spec: { '$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }] } }
    const merged = merge('core/v1.Pod', target, patch) as { spec: { containers: { name: string }[] } }
    expect(merged.spec.containers.map(({ name }) => name)).toEqual(['server', 'b', 'a'])
  })

  it('adds to and deletes from lists of plain values', () => {
    const target = { metadata: { finalizers: ['x.io/a', 'x.io/b'] } }
    expect(merge('core/v1.Pod', target, { metadata: { finalizers: ['x.io/c'] } })).toEqual({
      metadata: { finalizers: ['x.io/c', 'x.io/a', 'x.io/b'] },
    })
    expect(merge('core/v1.Pod', target, { metadata: { '$deleteFromPrimitiveList/finalizers': ['x.io/a'] } })).toEqual({
      metadata: { finalizers: ['x.io/b'] },
    })
  })

  it('refuses elements without their key and unknown directives', () => {
    expect(() => merge('core/v1.Pod', podSpec([]), podSpec([{ image: 'x' }]))).toThrow(
      'map: map[image:x] does not contain declared merge key: name',
    )
    expect(() => merge('core/v1.Pod', podSpec([]), podSpec([{ name: 'x', $patch: 'explode' }]))).toThrow(
      'unknown patch type: explode',
    )
  })

  it('cannot reach the prototype', () => {
    merge(
      'core/v1.Pod',
      { metadata: {} },
      JSON.parse('{"metadata":{"__proto__":{"polluted":true}},"__proto__":{"polluted":true}}'),
    )
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  })
})
