import { describe, expect, it } from 'vitest'
import { cycles, graph, importsOf } from './source.ts'
import { foldersOf, treeOf } from './tree.ts'

const targets = (text: string) => importsOf('src/a/b.ts', text).map(({ target, typeOnly, lazy }) => [target, typeOnly, lazy])

describe('importsOf', () => {
  it('reads every form of an import', () => {
    const text = [
      "import { one } from '../c/one.ts'",
      "import type { Two } from './two.ts'",
      "import { type Three, type Four } from './three.ts'",
      "import { type Five, six } from './five.ts'",
      "import * as seven from './seven.ts'",
      "import 'node:fs'",
      'export {\n  eight,\n  nine,\n} from "./eight.ts"',
      "export * from './ten.ts'",
      "  const { eleven } = await import('./eleven.ts')",
      "const twelve: typeof import('lmdb') = createRequire(import.meta.url)('lmdb')",
    ].join('\n')
    expect(targets(text)).toEqual([
      ['src/c/one.ts', false, false],
      ['src/a/two.ts', true, false],
      ['src/a/three.ts', true, false],
      ['src/a/five.ts', false, false],
      ['src/a/seven.ts', false, false],
      ['node:fs', false, false],
      ['src/a/eight.ts', false, false],
      ['src/a/ten.ts', false, false],
      ['src/a/eleven.ts', false, true],
      ['lmdb', true, false],
      ['lmdb', false, true],
    ])
  })

  it('reads none in a comment', () => {
    expect(targets("/** import { a } from './a.ts' */\n// import { b } from './b.ts'\n")).toEqual([])
  })
})

describe('cycles', () => {
  it('finds each group once, and nothing in a chain', () => {
    const chain = graph([
      ['a', 'b'],
      ['b', 'c'],
      ['a', 'c'],
    ])
    expect(cycles(chain)).toEqual([])
    const two = graph([
      ['a', 'b'],
      ['b', 'c'],
      ['c', 'a'],
      ['c', 'd'],
      ['e', 'd'],
      ['d', 'e'],
    ])
    expect(cycles(two).sort()).toEqual([
      ['a', 'b', 'c'],
      ['d', 'e'],
    ])
  })
})

describe('treeOf', () => {
  it('reads indentation as folders', () => {
    const document =
      'text\n\n```\nsrc/\n  a/        what it is\n    b/      within\n            goes on\n  c.ts      a file\n```\n'
    expect(treeOf(document)).toEqual(['src/a', 'src/a/b', 'src/c.ts'])
  })

  it('is compared with the folders of files', () => {
    expect([...foldersOf(['src/a/b/x.ts', 'src/c.ts'])]).toEqual(['src/a/b', 'src/a'])
  })
})
