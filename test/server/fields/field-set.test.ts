import { describe, expect, it } from 'vitest'
import {
  difference,
  eachPath,
  type FieldSet,
  formatPath,
  intersection,
  isEmpty,
  union,
  without,
} from '../../../src/server/fields/field-set.ts'

/** A set of paths as the wire has it. */
function setOf(...paths: string[]): FieldSet {
  return paths.reduce<FieldSet>((set, path) => union(set, single(path.split('/'))), {})
}

function single([first = '', ...rest]: string[]): FieldSet {
  return { [first]: rest.length === 0 ? {} : single(rest) }
}

function pathsOf(set: FieldSet): string[] {
  const paths: string[] = []
  eachPath(set, (path) => paths.push(path.join('/')))
  return paths.sort()
}

/** Random sets over a small tree of paths, the same in every run. */
function* randomSets(count: number): Generator<string[]> {
  const all = [
    'f:a',
    'f:a/f:b',
    'f:a/f:b/f:c',
    'f:a/f:d',
    'f:e',
    'f:e/k:{"n":1}',
    'f:e/k:{"n":1}/f:x',
    'f:e/k:{"n":2}',
    'f:g/f:h',
  ]
  let seed = 7
  for (let i = 0; i < count; i++) {
    yield all.filter(() => {
      seed = (seed * 1103515245 + 12345) % 2147483648
      return seed % 3 === 0
    })
  }
}

describe('sets of fields', () => {
  it('does what sets of paths do', () => {
    const samples = [...randomSets(60)]
    for (const [i, left] of samples.entries()) {
      const right = samples[(i * 7 + 3) % samples.length]!
      const [a, b] = [setOf(...left), setOf(...right)]
      expect(pathsOf(union(a, b))).toEqual([...new Set([...left, ...right])].sort())
      expect(pathsOf(difference(a, b))).toEqual(left.filter((path) => !right.includes(path)).sort())
      expect(pathsOf(intersection(a, b))).toEqual(left.filter((path) => right.includes(path)).sort())
      const below = (path: string) => right.some((other) => path === other || path.startsWith(`${other}/`))
      expect(pathsOf(without(a, b))).toEqual(left.filter((path) => !below(path)).sort())
    }
  })

  it('is empty or not', () => {
    expect(isEmpty(setOf())).toBe(true)
    expect(isEmpty(difference(setOf('f:a/f:b'), setOf('f:a/f:b')))).toBe(true)
  })

  it('names paths as conflicts do', () => {
    expect(formatPath(['f:spec', 'f:ports', 'k:{"port":80,"protocol":"TCP"}', 'f:name'])).toBe(
      '.spec.ports[port=80,protocol="TCP"].name',
    )
    expect(formatPath(['f:metadata', 'f:finalizers', 'v:"x"'])).toBe('.metadata.finalizers[="x"]')
  })
})
