/** What merges, field sets and field paths ask of a schema. */
import type { Field, ListSchema, Schema } from './schema.ts'

/** What stands under `name` in an object of this schema; undefined when the schema says nothing about it. */
export interface Child {
  readonly schema: Schema
  /** Absent for the entries of a map. */
  readonly field: Field | undefined
}

export function child(schema: Schema, name: string): Child | undefined {
  if (schema.kind === 'map') return { schema: schema.element, field: undefined }
  if (schema.kind !== 'struct') return undefined
  const field = schema.fields.get(name)
  return field && { schema: field.schema, field }
}

/** The keys that identify an element of an associative list, in their order; undefined for every other schema. */
export function elementKeys(schema: Schema): readonly string[] | undefined {
  return schema.kind === 'list' && schema.listType === 'map' ? schema.keys : undefined
}

/** The default of a key field of a list's elements: an absent key counts as this (`protocol` of a port as `TCP`). */
export function elementKeyDefault(schema: ListSchema, key: string): unknown {
  return schema.element.kind === 'struct' ? schema.element.fields.get(key)?.default : undefined
}

/** Whether apply owns a value of this schema as a whole. `field` is the one it stands in, when it stands in one. */
export function isAtomic(schema: Schema, field: Field | undefined): boolean {
  if (field?.atomic) return true
  switch (schema.kind) {
    case 'struct':
    case 'map':
      return schema.atomic
    case 'list':
      return schema.listType === 'atomic'
    default:
      return true
  }
}

/** Follows a path of field names; the schema at its end, or undefined. */
export function schemaAt(schema: Schema, path: readonly string[]): Schema | undefined {
  let at: Schema | undefined = schema
  for (const name of path) at = at && child(at, name)?.schema
  return at
}
