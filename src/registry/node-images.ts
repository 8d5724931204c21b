/**
 * The digest that a name has among the images on the nodes, as their status lists them (a kubelet's too): how an image that
 * was built or loaded on a node, and lies in no registry, is found by its digest. Pure.
 */
import type { Node } from '../api/types.ts'
import { type ImageReference, parseReference } from './reference.ts'

export interface OnNodes {
  /** Undefined when no node has the tag, or nodes disagree. */
  digest: string | undefined
  /** Why there is none. */
  why: string
}

export function digestOnNodes(nodes: readonly Node[], reference: ImageReference): OnNodes {
  const digests = new Set(nodes.flatMap((node) => digestOnNode(node, reference) ?? []))
  const [digest] = digests
  if (digests.size === 1) return { digest, why: '' }
  return { digest: undefined, why: digests.size === 0 ? 'no node has it' : 'nodes have different images of that name' }
}

/** The tags of a repository that nodes have, with their digests; a tag on which nodes disagree is left out. */
export function tagsOnNodes(nodes: readonly Node[], reference: ImageReference): Map<string, string> {
  const tags = new Map<string, string>()
  const disputed = new Set<string>()
  for (const node of nodes) {
    for (const { names = [] } of node.status?.images ?? []) {
      const digest = digestAmong(names, reference.name)
      if (digest === undefined) continue
      for (const tag of names.flatMap((name) => tagOf(name, reference.name) ?? [])) {
        if ((tags.get(tag) ?? digest) !== digest) disputed.add(tag)
        tags.set(tag, digest)
      }
    }
  }
  for (const tag of disputed) tags.delete(tag)
  return tags
}

function digestOnNode(node: Node, { name, tag }: ImageReference): string | undefined {
  for (const { names = [] } of node.status?.images ?? []) {
    if (names.some((text) => tagOf(text, name) === tag)) return digestAmong(names, name)
  }
  return undefined
}

/** The first one: a node lists what a tag means before other digests of the same content. */
function digestAmong(names: readonly string[], repository: string): string | undefined {
  for (const text of names) {
    // Most names are of other repositories, and a name is not cheap to read.
    if (!text.includes('@')) continue
    const parsed = readName(text)
    if (parsed?.name === repository && parsed.digest !== undefined) return parsed.digest
  }
  return undefined
}

function tagOf(text: string, repository: string): string | undefined {
  if (text.includes('@')) return undefined
  const parsed = readName(text)
  return parsed?.name === repository ? parsed.tag : undefined
}

/** A kubelet may list what is no name, such as `<none>@<none>`. */
function readName(text: string): ImageReference | undefined {
  try {
    return parseReference(text)
  } catch {
    return undefined
  }
}
