/**
 * Reads the facts that `generate-schema.ts` needs out of Go source files: struct fields with their tags and markers, named types,
 * and typed string constants. It understands the regular shape of Kubernetes' `types.go`, not Go.
 */
export interface GoField {
  /** Absent for an embedded struct. */
  name: string | undefined
  type: string
  tags: ReadonlyMap<string, string>
  markers: Markers
}
export interface GoType {
  name: string
  /** The right-hand side of the declaration, or undefined for a struct. */
  underlying: string | undefined
  fields: GoField[]
  markers: Markers
  file: GoFile
}
export interface GoFile {
  /** Import alias → import path. */
  imports: Map<string, string>
  types: GoType[]
  /** Typed string constants: type name → constant name → value, in source order. */
  constants: Map<string, Map<string, string>>
  groupName: string | undefined
}
/** Marker name (without the plus sign) → values, in order; a marker without a value has ''. */
export type Markers = ReadonlyMap<string, readonly string[]>

/** Parses one file. */
export function parseGoFile(source: string): GoFile {
  const file: GoFile = { imports: new Map(), types: [], constants: new Map(), groupName: undefined }
  let comments: string[] = []
  let struct: GoType | undefined
  let inImports = false
  for (const line of source.split('\n')) {
    const text = line.trim()
    if (text.startsWith('//')) {
      comments.push(text.slice(2).trim())
      continue
    }
    if (text === '') {
      if (!struct) comments = keepMarkersBeforeBlank(comments)
      continue
    }
    if (inImports) inImports = readImport(file, text)
    else if (text === 'import (') inImports = true
    else if (struct) {
      if (line === '}') struct = undefined
      else readField(struct, text, comments)
    } else struct = readDeclaration(file, line, comments)
    comments = []
  }
  return file
}

/** Markers may stand in a comment block of their own, one blank line above the declaration's own comment. */
function keepMarkersBeforeBlank(comments: string[]): string[] {
  return comments.filter((comment) => comment.startsWith('+'))
}

function readImport(file: GoFile, text: string): boolean {
  if (text === ')') return false
  const match = /^(?:(\w+)\s+)?"([^"]+)"$/.exec(text)
  if (match) file.imports.set(match[1] ?? match[2]!.split('/').pop()!, match[2]!)
  return true
}

function readDeclaration(file: GoFile, line: string, comments: string[]): GoType | undefined {
  const single = /^import (?:(\w+) )?"([^"]+)"/.exec(line)
  if (single) file.imports.set(single[1] ?? single[2]!.split('/').pop()!, single[2]!)
  const group = /^(?:const )?\s*GroupName\s*=\s*"([^"]*)"/.exec(line)
  if (group) file.groupName = group[1]
  const constant = /^(?:const )?\s*(\w+)\s+(\w+)\s*=\s*"([^"]*)"/.exec(line)
  if (constant) {
    const values = file.constants.get(constant[2]!) ?? new Map<string, string>()
    file.constants.set(constant[2]!, values.set(constant[1]!, constant[3]!))
  }
  const type = /^type (\w+) (?:= )?(.+?)( \{\})?(?:\s*\/\/.*)?$/.exec(line)
  if (!type) return undefined
  const isStruct = type[2] === 'struct {' || type[2] === 'struct' || type[2] === 'struct{}'
  const declared: GoType = {
    name: type[1]!,
    underlying: isStruct ? undefined : type[2],
    fields: [],
    markers: readMarkers(comments),
    file,
  }
  file.types.push(declared)
  return type[2] === 'struct {' ? declared : undefined
}

function readField(struct: GoType, text: string, comments: string[]): void {
  const match = /^(?:(\w+)\s+)?([\w.*[\]{}]+)\s*(?:`([^`]*)`)?(?:\s*\/\/.*)?$/.exec(text)
  if (!match) return
  const tags = new Map<string, string>()
  for (const tag of (match[3] ?? '').matchAll(/(\w+):"([^"]*)"/g)) tags.set(tag[1]!, tag[2]!)
  struct.fields.push({ name: match[1], type: match[2]!, tags, markers: readMarkers(comments) })
}

function readMarkers(comments: readonly string[]): Markers {
  const markers = new Map<string, string[]>()
  for (const comment of comments) {
    const match = /^\+([\w:.-]+)(?:=(.*))?$/.exec(comment)
    if (!match) continue
    const values = markers.get(match[1]!) ?? []
    values.push(match[2] ?? '')
    markers.set(match[1]!, values)
  }
  return markers
}
