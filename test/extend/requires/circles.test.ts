/** Which pods wait for one another. */
import { describe, expect, it } from 'vitest'
import { type Awaited, circlesOf, pathText } from '../../../src/extend/requires/circles.ts'

/** `a: b & service c,d`: a waits for the pod b, and for any of c and d. */
function waiting(lines: Record<string, readonly Awaited[]>): Map<string, readonly Awaited[]> {
  return new Map(Object.entries(lines).map(([pod, needs]) => [`ns/${pod}`, needs]))
}
const all = (text: string, ...pods: string[]): Awaited => ({ text, any: false, pods: pods.map((pod) => `ns/${pod}`) })
const any = (text: string, ...pods: string[]): Awaited => ({ text, any: true, pods: pods.map((pod) => `ns/${pod}`) })
const told = (lines: Parameters<typeof waiting>[0]) =>
  Object.fromEntries(
    [...circlesOf(waiting(lines))].map(([pod, circle]) => [
      pod.slice(3),
      `${circle.isMember ? '' : 'behind '}${pathText(circle, 'ns')}`,
    ]),
  )

describe('circlesOf', () => {
  it('finds none in a chain, however long', () => {
    const chain = Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`p${i}`, [all(`pod/p${i + 1}`, `p${i + 1}`)]]))
    expect(told(chain)).toEqual({})
  })

  it('names the circle from each of its pods', () => {
    const lines = { a: [any('service/b', 'b')], b: [all('pod/a', 'a')], c: [all('configmap/x')] }
    expect(told(lines)).toEqual({ a: 'pod/a → service/b → pod/b → pod/a', b: 'pod/b → pod/a → service/b → pod/b' })
  })

  it('names it from those that wait for its pods, too', () => {
    const lines = { web: [all('pod/a', 'a')], a: [all('pod/b', 'b')], b: [all('pod/a', 'a')] }
    expect(told(lines).web).toBe('behind pod/a → pod/b → pod/a')
  })

  it('knows that one pod behind a Service is enough, and that of others all are needed', () => {
    expect(told({ a: [any('service/b', 'b', 'running')], b: [all('pod/a', 'a')] })).toEqual({})
    expect(told({ a: [any('service/b', 'b', 'c')], b: [all('pod/a', 'a')], c: [all('secret/s')] })).toEqual({})
    expect(Object.keys(told({ a: [all('pod[x=y]', 'b', 'running')], b: [all('pod/a', 'a')] }))).toEqual(['a', 'b'])
  })

  it('looks at each thing once, however many wait for it', () => {
    const shared = any('service/all', ...Array.from({ length: 3_000 }, (_, i) => `p${i}`))
    const lines = Object.fromEntries(Array.from({ length: 3_000 }, (_, i) => [`p${i}`, [shared]]))
    const startMs = performance.now()
    expect(circlesOf(waiting(lines)).size).toBe(3_000)
    expect(performance.now() - startMs).toBeLessThan(5_000)
  })

  it('cuts a long path off', () => {
    const ring = Object.fromEntries(
      Array.from({ length: 30 }, (_, i) => [`p${i}`, [all(`pod/p${(i + 1) % 30}`, `p${(i + 1) % 30}`)]]),
    )
    expect(told(ring).p0).toBe(`${Array.from({ length: 10 }, (_, i) => `pod/p${i}`).join(' → ')} → 20 more → pod/p0`)
  })
})
