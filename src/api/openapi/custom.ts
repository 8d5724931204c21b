/** What a custom resource's JSON schema is in an OpenAPI document. */
import type { JsonSchema } from '../schema/schema.ts'
import type { Dialect } from './components.ts'

type Node = Record<string, unknown>

/** What Swagger 2.0 has no word for; a schema without them says less, and never anything wrong. */
const NOT_IN_V2 = new Set(['nullable', 'oneOf', 'anyOf', 'allOf', 'not', 'x-kubernetes-validations'])

export function customNode(schema: JsonSchema, dialect: Dialect): Node {
  if (dialect === 'v2' && schema['x-kubernetes-int-or-string']) return { 'x-kubernetes-int-or-string': true }
  const node: Node = {}
  for (const [key, value] of Object.entries(schema)) {
    if (value === undefined || value === null || (dialect === 'v2' && NOT_IN_V2.has(key))) continue
    node[key] = convert(key, value, dialect)
  }
  // kubectl takes a field that the schema does not name for a mistake unless nothing at all is said about the fields.
  if (dialect === 'v2' && schema['x-kubernetes-preserve-unknown-fields']) delete node.properties
  return node
}

function convert(key: string, value: unknown, dialect: Dialect): unknown {
  if (key === 'properties') {
    const properties = Object.entries(value as Record<string, JsonSchema>)
    return Object.fromEntries(properties.map(([name, property]) => [name, customNode(property, dialect)]))
  }
  if (key === 'items' && Array.isArray(value)) return customNode(value[0] as JsonSchema, dialect)
  if ((key === 'items' || key === 'not' || key === 'additionalProperties') && typeof value === 'object')
    return customNode(value as JsonSchema, dialect)
  if (key === 'allOf' || key === 'anyOf' || key === 'oneOf')
    return (value as JsonSchema[]).map((part) => customNode(part, dialect))
  return value
}
