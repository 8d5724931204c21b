/** Fills in the defaults that a schema carries: `+default` of the built-ins, `default` of a structural schema. */
import type { Field, Schema, StructSchema } from './schema.ts'

type JsonObject = Record<string, unknown>

interface Plan {
  /** Fields that have a default, or something with one within. */
  readonly fields: readonly { readonly field: Field; readonly descends: boolean }[]
}

const plans = new WeakMap<StructSchema, Plan>()
const reaching = new WeakMap<StructSchema, boolean>()

/** Edits the value in place. It has been decoded or pruned before; what has the wrong type is left alone. */
export function applyDefaults(schema: Schema, value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  if (schema.kind === 'struct') applyToStruct(schema, value as JsonObject)
  else if (schema.kind === 'list') {
    if (Array.isArray(value) && reachesDefault(schema.element)) for (const item of value) applyDefaults(schema.element, item)
  } else if (schema.kind === 'map' && reachesDefault(schema.element))
    for (const item of Object.values(value)) applyDefaults(schema.element, item)
}

function applyToStruct(schema: StructSchema, object: JsonObject): void {
  if (Array.isArray(object)) return
  for (const { field, descends } of planFor(schema).fields) {
    if (object[field.name] === undefined && field.default !== undefined) object[field.name] = copy(field.default)
    if (descends) applyDefaults(field.schema, object[field.name])
  }
}

function copy(value: unknown): unknown {
  return typeof value === 'object' ? structuredClone(value) : value
}

function planFor(schema: StructSchema): Plan {
  let plan = plans.get(schema)
  if (!plan) {
    const fields = [...schema.fields.values()].map((field) => ({ field, descends: reachesDefault(field.schema) }))
    plan = { fields: fields.filter(({ field, descends }) => descends || field.default !== undefined) }
    plans.set(schema, plan)
  }
  return plan
}

/** Whether anything within this schema has a default, so that walking there can pay. */
function reachesDefault(schema: Schema): boolean {
  if (schema.kind === 'list' || schema.kind === 'map') return reachesDefault(schema.element)
  if (schema.kind !== 'struct') return false
  const known = reaching.get(schema)
  if (known !== undefined) return known
  const seen = new Set<StructSchema>()
  const search = (node: Schema): boolean => {
    if (node.kind === 'list' || node.kind === 'map') return search(node.element)
    if (node.kind !== 'struct' || seen.has(node)) return false
    if (reaching.get(node) === true) return true
    seen.add(node)
    for (const field of node.fields.values()) if (field.default !== undefined || search(field.schema)) return true
    return false
  }
  const found = search(schema)
  // A search without result has been everywhere, so none of what it saw leads to a default.
  if (!found) for (const node of seen) reaching.set(node, false)
  else reaching.set(schema, true)
  return found
}
