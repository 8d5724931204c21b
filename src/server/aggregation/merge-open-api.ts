/** Puts what other servers describe in OpenAPI v2 into this server's own document: their paths, and the definitions those use. Pure. */
import { equalJson } from '../objects/json.ts'

export interface Swagger {
  readonly paths?: Readonly<Record<string, object>>
  readonly definitions?: Readonly<Record<string, Definition>>
}

type Definition = Readonly<Record<string, unknown>>
const KINDS = 'x-kubernetes-group-version-kind'
const PREFIX = '#/definitions/'

/** Of `other`, what lies below `/apis/GROUP/`. Paths that are there already stay as they are; definitions of the same name that say something else get another one. */
export function mergeSwagger<T extends Swagger>(own: T, other: Swagger, group: string): T {
  const added = Object.entries(other.paths ?? {}).filter(
    ([path]) => path.startsWith(`/apis/${group}/`) && own.paths?.[path] === undefined,
  )
  const needed = reachable(added, other.definitions ?? {})
  const names = newNames(own.definitions ?? {}, needed)
  const definitions: Record<string, Definition> = { ...own.definitions }
  for (const [name, definition] of needed) {
    const before = definitions[names.get(name) ?? name]
    definitions[names.get(name) ?? name] = before ? withKindsOf(before, definition) : renamed(definition, names)
  }
  return { ...own, paths: { ...own.paths, ...Object.fromEntries(renamed(added, names)) }, definitions }
}

/** The definitions that something refers to, directly or through others. */
function reachable(from: unknown, definitions: Readonly<Record<string, Definition>>): Map<string, Definition> {
  const found = new Map<string, Definition>()
  const waiting = [...references(from)]
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const definition = definitions[name]
    if (!definition || found.has(name)) continue
    found.set(name, definition)
    waiting.push(...references(definition))
  }
  return found
}

function references(value: unknown, found = new Set<string>()): Set<string> {
  if (Array.isArray(value)) for (const item of value) references(item, found)
  else if (typeof value === 'object' && value !== null)
    for (const [key, member] of Object.entries(value)) {
      if (key === '$ref' && typeof member === 'string' && member.startsWith(PREFIX)) found.add(member.slice(PREFIX.length))
      else references(member, found)
    }
  return found
}

/** For names that mean something else here: `NAME_v2`, `NAME_v3`. What refers to such a one is another thing, too. */
function newNames(own: Readonly<Record<string, Definition>>, others: ReadonlyMap<string, Definition>): Map<string, string> {
  const differing = new Set<string>()
  for (const [name, definition] of others) if (own[name] && !isSame(own[name], definition)) differing.add(name)
  for (let before = -1; before !== differing.size; ) {
    before = differing.size
    for (const [name, definition] of others)
      if (own[name] && [...references(definition)].some((one) => differing.has(one))) differing.add(name)
  }
  const names = new Map<string, string>()
  for (const name of differing) {
    let count = 2
    while (own[`${name}_v${count}`] || others.has(`${name}_v${count}`)) count += 1
    names.set(name, `${name}_v${count}`)
  }
  return names
}

/** Which kinds a type is, every server says of its own. */
function isSame(a: Definition, b: Definition): boolean {
  const { [KINDS]: _, ...one } = a
  const { [KINDS]: __, ...other } = b
  return equalJson(one, other)
}

function withKindsOf(own: Definition, other: Definition): Definition {
  const kinds = [own, other].flatMap((one) => (one[KINDS] ?? []) as object[])
  if (kinds.length === 0) return own
  return { ...own, [KINDS]: kinds.filter((kind, index) => kinds.findIndex((one) => equalJson(one, kind)) === index) }
}

function renamed<T>(value: T, names: ReadonlyMap<string, string>): T {
  if (names.size === 0) return value
  if (Array.isArray(value)) return value.map((item) => renamed(item, names)) as T
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([key, member]) => {
    const name = key === '$ref' && typeof member === 'string' ? names.get(member.slice(PREFIX.length)) : undefined
    return [key, name === undefined ? renamed(member, names) : `${PREFIX}${name}`]
  })
  return Object.fromEntries(entries) as T
}
