/** The kinds that subresources take in the place of the resource's own: what admission sees, and how they are decoded. */
import type { ObjectKind } from '../../api/definition.ts'
import { groupVersion } from '../../api/definition.ts'
import { builtinSchema, packageOf } from '../../api/schema/builtin.ts'
import type { ExpectedKind } from '../request/body.ts'

const kinds = new Map<string, ObjectKind>()

/** Throws when there is no such built-in type: their names are constants of the program. */
export function partKind(group: string, version: string, kind: string): ObjectKind {
  const key = `${group}/${version}/${kind}`
  let known = kinds.get(key)
  if (!known) {
    known = { group, version, kind, schema: `${packageOf(group, version)}.${kind}`, strategy: {} }
    kinds.set(key, known)
  }
  return known
}

/** As a body is expected to be. */
export function expectedPart(part: ObjectKind): ExpectedKind {
  return { apiVersion: groupVersion(part), kind: part.kind, schema: builtinSchema(part.schema as string) }
}
