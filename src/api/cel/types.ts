/** The types of expressions, and which may stand for which. `max` bounds sizes, for estimates of what an expression may cost. */
export type Type =
  | { readonly kind: Simple; readonly max?: number | undefined }
  | { readonly kind: 'list'; readonly element: Type; readonly max?: number | undefined }
  | { readonly kind: 'map'; readonly key: Type; readonly value: Type; readonly max?: number | undefined }
  /** `open`: it may have more fields than these, of which nothing is known. */
  | {
      readonly kind: 'object'
      readonly name: string
      readonly fields: ReadonlyMap<string, Type>
      readonly open?: boolean
      readonly max?: undefined
    }
  | { readonly kind: 'optional'; readonly value: Type; readonly max?: undefined }
  | { readonly kind: 'opaque'; readonly name: string; readonly max?: undefined }
  | { readonly kind: 'param'; readonly name: string; readonly max?: undefined }
  | { readonly kind: 'type'; readonly of: Type; readonly max?: undefined }

export type Simple = 'bool' | 'int' | 'uint' | 'double' | 'string' | 'bytes' | 'null' | 'dyn' | 'timestamp' | 'duration' | 'error'

const SIMPLE = new Set(['bool', 'int', 'uint', 'double', 'string', 'bytes', 'null', 'dyn', 'timestamp', 'duration'])

export const simple = (kind: Simple): Type => ({ kind })
export const DYN = simple('dyn')
export const BOOL = simple('bool')
export const INT = simple('int')
export const STRING = simple('string')
/** Of what has been complained about already: fits everywhere. */
export const ERROR = simple('error')
export const listOf = (element: Type, max?: number): Type => ({ kind: 'list', element, ...(max !== undefined && { max }) })
export const mapOf = (key: Type, value: Type, max?: number): Type => ({
  kind: 'map',
  key,
  value,
  ...(max !== undefined && { max }),
})

export function showType(type: Type): string {
  switch (type.kind) {
    case 'list':
      return `list(${showType(type.element)})`
    case 'map':
      return `map(${showType(type.key)}, ${showType(type.value)})`
    case 'optional':
      return `optional_type(${showType(type.value)})`
    case 'type':
      return `type(${showType(type.of)})`
    case 'object':
    case 'opaque':
    case 'param':
      return type.name
    default:
      return type.kind === 'error' ? '!error!' : type.kind
  }
}

export const isDyn = (type: Type): boolean => type.kind === 'dyn' || type.kind === 'error'

/** What type variables stand for, as far as arguments said. */
export type Bindings = Map<string, Type>

/** Whether a value of `given` can be passed where `wanted` is declared; binds type variables on the way. */
export function fits(wanted: Type, given: Type, bindings: Bindings): boolean {
  if (wanted.kind === 'param') {
    const bound = bindings.get(wanted.name)
    if (!bound || isDyn(bound)) {
      bindings.set(wanted.name, given)
      return true
    }
    return isDyn(given) || fits(bound, given, bindings) || fits(given, bound, bindings)
  }
  if (isDyn(wanted) || isDyn(given)) return true
  if (given.kind === 'null') return ['null', 'object', 'timestamp', 'duration', 'opaque', 'optional'].includes(wanted.kind)
  if (wanted.kind === 'null') return fits(given, wanted, bindings)
  if (wanted.kind !== given.kind) return false
  switch (wanted.kind) {
    case 'list':
      return fits(wanted.element, (given as typeof wanted).element, bindings)
    case 'map':
      return (
        fits(wanted.key, (given as typeof wanted).key, bindings) && fits(wanted.value, (given as typeof wanted).value, bindings)
      )
    case 'optional':
      return fits(wanted.value, (given as typeof wanted).value, bindings)
    case 'object':
    case 'opaque':
      return wanted.name === (given as typeof wanted).name
    default:
      return true
  }
}

/** The type with its variables replaced by what they stand for. */
export function resolve(type: Type, bindings: Bindings): Type {
  switch (type.kind) {
    case 'param':
      return bindings.get(type.name) ?? DYN
    case 'list':
      return { ...type, element: resolve(type.element, bindings) }
    case 'map':
      return { ...type, key: resolve(type.key, bindings), value: resolve(type.value, bindings) }
    case 'optional':
      return { ...type, value: resolve(type.value, bindings) }
    case 'type':
      return { ...type, of: resolve(type.of, bindings) }
    default:
      return type
  }
}

/** `list<A>`, `map<string, int>`, `kubernetes.Quantity`: how declarations of functions write types. Throws for what is none. */
export function parseType(text: string): Type {
  const trimmed = text.trim()
  if (/^[A-Z]$/.test(trimmed)) return { kind: 'param', name: trimmed }
  if (SIMPLE.has(trimmed)) return simple(trimmed as Simple)
  const generic = /^(list|map|optional|type)<(.*)>$/.exec(trimmed)
  if (!generic) return { kind: 'opaque', name: trimmed }
  const [first = 'dyn', second = 'dyn'] = splitTypes(generic[2]!)
  if (generic[1] === 'list') return listOf(parseType(first))
  if (generic[1] === 'map') return mapOf(parseType(first), parseType(second))
  return generic[1] === 'type' ? { kind: 'type', of: parseType(first) } : { kind: 'optional', value: parseType(first) }
}

/** Splits at commas that are not within angle brackets. */
export function splitTypes(text: string): string[] {
  const parts: string[] = []
  let depth = 0
  let part = ''
  for (const letter of text) {
    if (letter === '<') depth++
    else if (letter === '>') depth--
    if (letter === ',' && depth === 0) {
      parts.push(part)
      part = ''
    } else part += letter
  }
  return part.trim() === '' ? parts : [...parts, part]
}
