/** A cheap look at a schema, before anything about expressions is loaded. */
import type { JsonSchema } from '../schema/schema.ts'

/** Whether any place within the schema has rules in CEL. */
export function schemaHasRules(schema: JsonSchema): boolean {
  return somewhere(schema, (one) => (one['x-kubernetes-validations']?.length ?? 0) > 0)
}

/** Whether any place within the schema has a pattern, or a default, which must be what the schema says. */
export function schemaHasPatternsOrDefaults(schema: JsonSchema): boolean {
  return somewhere(schema, ({ pattern, default: value }) => Boolean(pattern) || value !== undefined)
}

function somewhere(schema: JsonSchema, holds: (schema: JsonSchema) => boolean): boolean {
  if (holds(schema)) return true
  const { items, additionalProperties, properties } = schema
  const below = [
    ...Object.values(properties ?? {}),
    ...(Array.isArray(items) ? items : items ? [items] : []),
    ...(typeof additionalProperties === 'object' ? [additionalProperties] : []),
  ]
  return below.some((one) => somewhere(one, holds))
}
