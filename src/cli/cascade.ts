/** What goes when objects are deleted: everything that they own, and what that owns in turn. Reads metadata only. */
import { type Candidate, handleOf } from './names/candidate.ts'
import { namedResources } from './names/metadata.ts'
import { contentsOf, ownedBy } from './owned.ts'
import type { Selected } from './select-objects.ts'
import type { Session } from './session.ts'

export interface Going {
  readonly handle: string
  /** `replicasets`, `pods`: how it is counted. */
  readonly plural: string
  readonly children: readonly Going[]
}

export interface Cascade {
  readonly going: readonly Going[]
  /** Kinds that the user may not list: more may go than is known. */
  readonly unreadable: readonly string[]
}

/** More siblings of a kind than this are counted, not named. */
const MAX_NAMED = 5

export async function cascadeOf(selected: readonly Selected[], session: Session): Promise<Cascade> {
  const resources = (await namedResources(session)).filter(({ namespaced, verbs }) => namespaced && verbs.includes('delete'))
  const contents = selected.filter(isNamespace).map(({ name }) => name)
  const namespaces = new Set([...contents, ...selected.flatMap(({ namespace }) => namespace ?? [])])
  const { all, unreadable } = await contentsOf(namespaces, resources, session)
  return { going: planCascade(selected, all), unreadable }
}

function isNamespace({ resource }: Pick<Selected, 'resource'>): boolean {
  return resource.group === '' && resource.plural === 'namespaces'
}

/** Each object stands below the first of its owners that goes. Decides, reads nothing. */
export function planCascade(selected: readonly Selected[], all: readonly Candidate[]): Going[] {
  const owned = ownedBy(all)
  const seen = new Set<string>()
  const below = (candidate: Candidate): Going => {
    const { uid = '' } = candidate.metadata
    seen.add(uid)
    const children = (owned.get(uid) ?? []).filter((child) => !seen.has(child.metadata.uid ?? ''))
    return { handle: handleOf(candidate), plural: candidate.resource.plural, children: children.map(below) }
  }
  return selected.map((one) => {
    const { resource, name, namespace } = one
    if (isNamespace(one)) {
      const inside = all.filter((candidate) => candidate.namespace === name && !candidate.metadata.ownerReferences?.length)
      return { handle: handleOf(one), plural: resource.plural, children: inside.map(below) }
    }
    const known = all.find((other) => other.resource === resource && other.name === name && other.namespace === namespace)
    return known ? below(known) : { handle: handleOf(one), plural: resource.plural, children: [] }
  })
}

/** An indented tree. Many of a kind are a count. */
export function cascadeLines(going: readonly Going[], indent = ''): string[] {
  const counts = new Map<string, number>()
  for (const { plural } of going) counts.set(plural, (counts.get(plural) ?? 0) + 1)
  const lines: string[] = []
  const counted = new Set<string>()
  for (const one of going) {
    const count = counts.get(one.plural)!
    if (indent === '' || count <= MAX_NAMED) lines.push(`${indent}${one.handle}`, ...cascadeLines(one.children, `${indent}  `))
    else if (!counted.has(one.plural)) {
      counted.add(one.plural)
      const inside = countsOf(going.filter(({ plural }) => plural === one.plural).flatMap(({ children }) => children))
      lines.push(`${indent}${count} ${one.plural}${inside ? ` with ${inside}` : ''}`)
    }
  }
  return lines
}

/** `1 replicaset, 3 pods`, of all that is below; empty for nothing. */
export function countsOf(going: readonly Going[]): string {
  const counts = new Map<string, number>()
  const count = (one: Going) => {
    counts.set(one.plural, (counts.get(one.plural) ?? 0) + 1)
    for (const child of one.children) count(child)
  }
  for (const one of going) count(one)
  return [...counts].map(([plural, number]) => `${number} ${number === 1 ? plural.replace(/s$/, '') : plural}`).join(', ')
}
