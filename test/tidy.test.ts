/** Holds what ARCHITECTURE.md says about the tree: who may import whom, no cycles, lengths, no dead files, every folder named. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { cycles, filesUnder, graph, ROOT, readSource, type SourceFile } from './tidy/source.ts'
import { foldersOf, treeOf } from './tidy/tree.ts'

/** What a folder may import besides itself and `base`. */
const ARROWS: Record<string, readonly string[]> = {
  base: [],
  api: [],
  store: [],
  server: ['api', 'store'],
  client: ['api'],
  watch: ['client', 'api'],
  reconcile: ['watch', 'client', 'api'],
  registry: ['api'],
  controllers: ['reconcile', 'watch', 'client', 'api'],
  scheduler: ['reconcile', 'watch', 'client', 'api'],
  node: ['reconcile', 'watch', 'client', 'api', 'registry'],
  network: ['reconcile', 'watch', 'client', 'api'],
  rollout: ['reconcile', 'watch', 'client', 'api', 'registry'],
  extend: ['reconcile', 'watch', 'client', 'api', 'registry'],
  cli: ['client', 'watch', 'api', 'rollout', 'registry'],
}
/** The composition: these may import everything, and nobody else may import them. `.` are the files of `src` itself. */
const COMPOSITION = new Set(['bin', '.'])

/** Made by `npm run types`; every folder may name its types. */
const GENERATED = 'src/api/types.ts'

const MAX_FILE_LINES = 400
/** Longer files, each with its reason. */
const LONG_FILES: Record<string, string> = {}

/** Files that nothing from an entry point imports, each with its reason. */
const UNREACHED: Record<string, string> = {}

/** Packages of `dependencies` that `src` does not import, each with its reason. */
const UNIMPORTED: Record<string, string> = {}

/** What does not belong into the tree; written so that this file does not hold it itself. */
const BANNED: readonly RegExp[] = [
  /\bTO[D]O\b/,
  /\bFIX[M]E\b/,
  /(?<![\w.])\/wor[k]\//,
  /\/tmp\/si[d]\b/,
  /(?<![\w.])\/hom[e]\/\w/,
]

const sources: SourceFile[] = filesUnder('src')
  .filter((path) => path !== GENERATED)
  .map(readSource)
const everything: SourceFile[] = [...sources, ...['test', 'tools'].flatMap((folder) => filesUnder(folder).map(readSource))]

/** `server` of `src/server/http/body.ts`; `.` of `src/cluster.ts`. */
function areaOf(path: string): string {
  const parts = path.split('/')
  return parts.length > 2 ? parts[1]! : '.'
}

function mayImport(from: string, to: string): boolean {
  if (from === to || COMPOSITION.has(from)) return true
  return to === 'base' || (ARROWS[from]?.includes(to) ?? false)
}

/** Imports of `src` that are there at run time, as [from, to]. */
function runtimePairs(): (readonly [string, string])[] {
  return sources.flatMap(({ path, imports }) =>
    imports.filter(({ local, typeOnly }) => local && !typeOnly).map(({ target }) => [path, target] as const),
  )
}

function within(outer: string, inner: string): boolean {
  return inner === outer || inner.startsWith(`${outer}/`)
}

describe('imports', () => {
  it('follow the arrows, types included', () => {
    const wrong = sources.flatMap(({ path, imports }) =>
      imports
        .filter(({ local, target }) => local && !mayImport(areaOf(path), areaOf(target)))
        .map(({ target }) => `${path} → ${target}`),
    )
    expect(wrong).toEqual([])
  })

  it('stay within src', () => {
    const wrong = sources.flatMap(({ path, imports }) =>
      imports
        .filter(({ local, target }) => local && !target.startsWith('src/') && target !== 'package.json')
        .map(({ target }) => `${path} → ${target}`),
    )
    expect(wrong).toEqual([])
  })

  it('make no cycle of files', () => {
    expect(cycles(graph(runtimePairs()))).toEqual([])
  })

  it('make no cycle of folders', () => {
    // A folder and one inside it are one neighbourhood: contract and composition above, the parts below.
    const pairs = runtimePairs()
      .map(([from, to]) => [dirname(from), dirname(to)] as const)
      .filter(([from, to]) => from !== 'src' && !within(from, to) && !within(to, from))
    expect(cycles(graph(pairs))).toEqual([])
  })

  it('name every package in package.json, and every one there is named', () => {
    const { dependencies, optionalDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
    const declared = new Set<string>([...Object.keys(dependencies ?? {}), ...Object.keys(optionalDependencies ?? {})])
    const imported = new Set(
      sources
        .flatMap(({ imports }) => imports)
        .filter(({ local, target }) => !local && !target.startsWith('node:'))
        .map(({ target }) =>
          target
            .split('/')
            .slice(0, target.startsWith('@') ? 2 : 1)
            .join('/'),
        ),
    )
    expect([...imported].filter((name) => !declared.has(name))).toEqual([])
    expect([...declared].filter((name) => !imported.has(name) && !UNIMPORTED[name])).toEqual([])
  })
})

describe('files', () => {
  it('are not long without a reason', () => {
    const long = sources.filter(({ path, lines }) => lines > MAX_FILE_LINES && !LONG_FILES[path])
    expect(long.map(({ path, lines }) => `${path}: ${lines} lines`)).toEqual([])
    // A reason that is no longer needed goes.
    const excused = Object.keys(LONG_FILES).filter(
      (path) => !sources.some((file) => file.path === path && file.lines > MAX_FILE_LINES),
    )
    expect(excused).toEqual([])
  })

  it('say in their head what they are', () => {
    // What only lists exports, or is all data, has nothing to say.
    const silent = sources.filter(({ text, lines }) => lines > 15 && !/^(?:#!.*\n)?\/(?:\*\*|\/)/.test(text))
    expect(silent.map(({ path }) => path)).toEqual([])
  })

  it('are not named for nothing', () => {
    expect(
      sources.map(({ path }) => path).filter((path) => /(?:^|\/)(?:utils?|helpers?|misc|common)(?:\/|\.ts$)/.test(path)),
    ).toEqual([])
  })

  it('hold none of the words that do not belong here', () => {
    const texts = ['docs', 'examples', '.'].flatMap((folder) =>
      folder === '.'
        ? ['README.md', 'ARCHITECTURE.md', 'CHANGELOG.md']
        : filesUnder(folder, ['.md', '.js', '.ts', '.yaml', '.sh']),
    )
    const files = [...everything, ...texts.filter((path) => existsSync(join(ROOT, path))).map(readSource)]
    const found = files.flatMap(({ path, text }) =>
      text
        .split('\n')
        .flatMap((line, index) => (BANNED.some((word) => word.test(line)) ? [`${path}:${index + 1}: ${line.trim()}`] : [])),
    )
    expect(found).toEqual([])
  })

  it('are all reached from an entry point of the build', () => {
    const build = readFileSync(join(ROOT, 'tools/build.ts'), 'utf8')
    const waiting = [...build.matchAll(/'(src\/[^'*]+\.ts)'/g)].map((match) => match[1]!)
    const byPath = new Map(sources.map((file) => [file.path, file]))
    const reached = new Set<string>()
    for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
      if (reached.has(path)) continue
      reached.add(path)
      for (const { local, target } of byPath.get(path)?.imports ?? []) if (local) waiting.push(target)
    }
    expect(sources.map(({ path }) => path).filter((path) => !reached.has(path) && !UNREACHED[path])).toEqual([])
    expect(Object.keys(UNREACHED).filter((path) => reached.has(path) || !byPath.has(path))).toEqual([])
  })
})

describe('ARCHITECTURE.md', () => {
  const tree = treeOf(readFileSync(join(ROOT, 'ARCHITECTURE.md'), 'utf8'))
  const disk = foldersOf(sources.map(({ path }) => path))

  it('names only what exists', () => {
    expect(tree.filter((path) => !disk.has(path) && !existsSync(join(ROOT, path)))).toEqual([])
  })

  it('names every folder of src, and every one beside those it names', () => {
    const described = new Set(['src', ...tree.map((path) => dirname(path))])
    expect([...disk].filter((path) => described.has(dirname(path)) && !tree.includes(path))).toEqual([])
  })

  it('says of every limit where it is', () => {
    const rows = readFileSync(join(ROOT, 'ARCHITECTURE.md'), 'utf8').split('\n## Limits\n')[1]?.split('\n') ?? []
    const places = rows.flatMap((row) => /`([^`]+)` \|$/.exec(row)?.[1] ?? [])
    expect(places.length).toBeGreaterThan(20)
    expect(places.filter((place) => !existsSync(join(ROOT, 'src', place)))).toEqual([])
  })

  it('has an arrow for every folder of src', () => {
    const areas = new Set(sources.map(({ path }) => areaOf(path)).filter((area) => !COMPOSITION.has(area)))
    expect([...areas].filter((area) => !ARROWS[area])).toEqual([])
  })
})

describe('decisions', () => {
  it('justify every runtime dependency', () => {
    const { dependencies, optionalDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
    const pages = filesUnder('docs/adr', ['.md']).map((path) => readFileSync(join(ROOT, path), 'utf8'))
    const unexplained = Object.keys({ ...dependencies, ...optionalDependencies }).filter(
      (name) => !pages.some((page) => page.includes(`**${name}**`)),
    )
    expect(unexplained).toEqual([])
  })
})
