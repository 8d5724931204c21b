/** ARCHITECTURE.md's tree as paths, and the folders of a list of files. */
import { dirname } from 'node:path'

/** The paths that the first block beginning with a line `src/` names, by indentation of two: `src/node/runtime`, `src/cluster.ts`. */
export function treeOf(document: string): string[] {
  const block = /```\w*\n(src\/\s*\n[\s\S]*?)```/.exec(document)?.[1]
  if (!block) throw new Error('ARCHITECTURE.md has no block that begins with "src/"')
  const above: string[] = []
  const paths: string[] = []
  for (const line of block.split('\n')) {
    const [, indent, name] = /^( *)([\w.-]+\/?)(?:\s|$)/.exec(line) ?? []
    if (indent === undefined || name === undefined) continue
    const depth = indent.length / 2
    // Text that goes on under a description stands far to the right, and is no name.
    if (depth > above.length || !Number.isInteger(depth)) continue
    above.length = depth
    above.push(name.replace(/\/$/, ''))
    if (depth > 0) paths.push(above.join('/'))
  }
  return paths
}

/** Every folder above the files, without `src` itself. */
export function foldersOf(paths: readonly string[]): Set<string> {
  const folders = new Set<string>()
  for (const path of paths) for (let at = dirname(path); at.includes('/'); at = dirname(at)) folders.add(at)
  return folders
}
