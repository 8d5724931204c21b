/**
 * What decoding is for a custom resource: fields that its structural schema does not name are dropped, and so are nulls where
 * null is not allowed. Metadata is decoded as everywhere. Wrong types are left for validation to report.
 */
import type { Schema, StructSchema } from './schema.ts'
import { DecodeError, MAX_PROBLEMS, renderPath, Walk, withoutUndefined } from './walk.ts'

type JsonObject = Record<string, unknown>
type Path = (string | number)[]

/** Edits the value in place. Throws DecodeError for what is no object, and for malformed metadata. */
export function pruneCustom(schema: StructSchema, value: unknown, strict: boolean): { value: unknown; problems: string[] } {
  if (!isObject(value)) throw new DecodeError('json: cannot unmarshal a custom resource that is no object')
  const pruner = new Pruner(strict)
  const pruned = pruner.prune(schema, value, [])
  return { value: pruned, problems: pruner.problems.sort().slice(0, MAX_PROBLEMS) }
}

class Pruner {
  readonly problems: string[] = []
  readonly #strict: boolean
  constructor(strict: boolean) {
    this.#strict = strict
  }

  prune(schema: Schema, value: unknown, path: Path): unknown {
    if (typeof value !== 'object' || value === null) return value
    if (schema.kind === 'struct')
      return schema.source ? this.#pruneStruct(schema, value, path) : this.#decode(schema, value, path)
    if (schema.kind === 'list' && Array.isArray(value)) {
      value.forEach((item: unknown, index) => {
        value[index] = this.prune(schema.element, item, [...path, index])
      })
    } else if (schema.kind === 'map' && isObject(value)) {
      for (const [key, item] of Object.entries(value)) {
        const kept = this.prune(schema.element, item, [...path, key])
        if (kept !== item) value[key] = kept
      }
    }
    return value
  }

  #pruneStruct(schema: StructSchema, value: object, path: Path): unknown {
    if (Array.isArray(value)) return value
    const object = value as JsonObject
    let dropped = false
    for (const [key, given] of Object.entries(object)) {
      const field = schema.fields.get(key)
      if (field ? given !== null || field.schema.nullable : schema.preserveUnknown) {
        if (field) object[key] = this.prune(field.schema, given, [...path, key])
        continue
      }
      if (!field && this.#strict) this.problems.push(`unknown field ${JSON.stringify(renderPath(path, key))}`)
      object[key] = undefined
      dropped = true
    }
    return dropped ? withoutUndefined(object) : object
  }

  #decode(schema: Schema, value: unknown, path: Path): unknown {
    const walk = new Walk(this.#strict, path)
    const decoded = walk.walk(schema, value)
    this.problems.push(...walk.problems)
    return decoded
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
