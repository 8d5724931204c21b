/** Puts what a mutation made in the place of the object that the writer holds on to. */

import type { ObjectKind } from '../../api/definition.ts'
import type { KubeObject } from '../../api/object.ts'
import { builtinSchema } from '../../api/schema/builtin.ts'
import { DecodeError, decode } from '../../api/schema/decode.ts'
import { applyDefaults } from '../../api/schema/defaults.ts'
import type { StructSchema } from '../../api/schema/schema.ts'

/** Decodes what came from outside as the kind it must be, defaults included. Throws DecodeError. */
export function decoded(expected: ObjectKind, object: KubeObject): KubeObject {
  const { schema, strategy, kind, group } = expected
  if (object.kind !== kind) throw new DecodeError(`the kind must stay ${kind}${group ? `.${group}` : ''}, and is ${object.kind}`)
  const compiled = typeof schema === 'string' ? builtinSchema(schema) : (schema as StructSchema)
  const { value } = decode<KubeObject>(compiled, object)
  applyDefaults(compiled, value)
  strategy.defaults?.(value)
  return value
}

/** `target` and its metadata stay the same objects. */
export function replaceContent(target: KubeObject, next: KubeObject): void {
  // Options of a CONNECT have no metadata.
  const metadata: KubeObject['metadata'] | undefined = target.metadata
  if (metadata) assignAll(metadata, next.metadata ?? {})
  assignAll(target, next)
  if (metadata) target.metadata = metadata
}

function assignAll(target: object, next: object): void {
  const into = target as Record<string, unknown>
  for (const key of Object.keys(into)) if (!Object.hasOwn(next, key)) delete into[key]
  Object.assign(into, next)
}
