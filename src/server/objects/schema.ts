/** The schema of a resource's objects. */
import { builtinSchema } from '../../api/schema/builtin.ts'
import type { StructSchema } from '../../api/schema/schema.ts'
import type { Resource } from '../registry.ts'

export function schemaOf(resource: Resource): StructSchema {
  const { schema } = resource.definition
  return typeof schema === 'string' ? builtinSchema(schema) : (schema as StructSchema)
}
