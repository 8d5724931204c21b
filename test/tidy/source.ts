/** Reads the tree's own source for tidy.test.ts: files, imports, cycles. A scanner by pattern, because the compiler has no JavaScript API. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('../../', import.meta.url))

export interface Import {
  /** From the root: `src/store/store.ts`; or the package's name. */
  target: string
  local: boolean
  /** Gone after compilation. */
  typeOnly: boolean
  /** `await import()`. */
  lazy: boolean
}

export interface SourceFile {
  /** From the root, with slashes. */
  path: string
  text: string
  lines: number
  imports: Import[]
}

/** Files under `folder` that end in one of `endings`, sorted; none when there is no such folder. */
export function filesUnder(folder: string, endings: readonly string[] = ['.ts']): string[] {
  const absolute = join(ROOT, folder)
  if (!existsSync(absolute)) return []
  return readdirSync(absolute, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.') && endings.some((ending) => entry.name.endsWith(ending)))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .filter((path) => !path.includes('node_modules/') && !path.includes('/dist/'))
    .sort()
}

export function readSource(path: string): SourceFile {
  const text = readFileSync(join(ROOT, path), 'utf8')
  return { path, text, lines: text.split('\n').length - 1, imports: importsOf(path, text) }
}

const STATEMENT =
  /^[ \t]*(import|export)\s+(type\s+)?((?:[\w*$]+\s*,?\s*)?(?:\{[^}]*\}|\*(?:\s+as\s+\w+)?)?)\s*(?:from\s*)?['"]([^'"\n]+)['"]/gm
const CALL = /(typeof\s+)?\bimport\(\s*['"]([^'"\n]+)['"]\s*\)/g
const REQUIRE = /createRequire\(import\.meta\.url\)\(\s*['"]([^'"\n]+)['"]\s*\)/g

export function importsOf(path: string, text: string): Import[] {
  const code = text
    .replace(/(?<=^|\s)\/\*[\s\S]*?\*\//gm, (comment) => comment.replace(/[^\n]/g, ' '))
    .replace(/^\s*\/\/.*$/gm, '')
  const found: Import[] = []
  const add = (specifier: string, typeOnly: boolean, lazy: boolean) => {
    const local = specifier.startsWith('.')
    const target = local ? normalize(join(dirname(path), specifier)).replaceAll('\\', '/') : specifier
    found.push({ target, local, typeOnly, lazy })
  }
  for (const [, , type, names = '', specifier = ''] of code.matchAll(STATEMENT)) add(specifier, !!type || onlyTypes(names), false)
  for (const [, type, specifier = ''] of code.matchAll(CALL)) add(specifier, !!type, !type)
  for (const [, specifier = ''] of code.matchAll(REQUIRE)) add(specifier, false, true)
  return found
}

/** `{ type A, type B }`: each name says so itself. */
function onlyTypes(names: string): boolean {
  const inside = /^\{([^}]*)\}$/.exec(names.trim())?.[1]
  if (inside === undefined) return false
  const parts = inside.split(',').filter((part) => part.trim() !== '')
  return parts.length > 0 && parts.every((part) => part.trim().startsWith('type '))
}

/** Strongly connected groups of more than one node, each sorted: every one is at least one cycle. */
export function cycles(edges: ReadonlyMap<string, ReadonlySet<string>>): string[][] {
  const order: string[] = []
  const seen = new Set<string>()
  const visit = (graph: ReadonlyMap<string, ReadonlySet<string>>, node: string, done: (node: string) => void) => {
    if (seen.has(node)) return
    seen.add(node)
    for (const next of graph.get(node) ?? []) visit(graph, next, done)
    done(node)
  }
  for (const node of edges.keys()) visit(edges, node, (done) => order.push(done))
  const reversed = new Map<string, Set<string>>()
  for (const [from, targets] of edges) for (const to of targets) reversed.set(to, (reversed.get(to) ?? new Set()).add(from))
  seen.clear()
  return order
    .reverse()
    .map((node) => {
      const group: string[] = []
      visit(reversed, node, (done) => group.push(done))
      return group.sort()
    })
    .filter((group) => group.length > 1)
}

/** The shape that `cycles` takes. Edges from a node to itself are left out. */
export function graph(pairs: Iterable<readonly [string, string]>): Map<string, Set<string>> {
  const edges = new Map<string, Set<string>>()
  for (const [from, to] of pairs) if (from !== to) edges.set(from, (edges.get(from) ?? new Set()).add(to))
  return edges
}
