/**
 * How stored objects read in a version: by today's schema of that version. What was stored by this very schema is shown as it is, so
 * that its bytes can be sent; everything else (another version, an older schema) is pruned and gets its defaults first.
 */
import type { KubeObject } from '../object.ts'
import { decode } from '../schema/decode.ts'
import { applyDefaults } from '../schema/defaults.ts'
import type { StructSchema } from '../schema/schema.ts'

/** `since`: objects of this revision and later were written by this schema. */
export function readStored(schema: StructSchema, apiVersion: string, since: number): (stored: KubeObject) => KubeObject {
  const shown = new WeakMap<KubeObject, KubeObject>()
  return (stored) => {
    if (stored.apiVersion === apiVersion && Number(stored.metadata.resourceVersion) > since) return stored
    let object = shown.get(stored)
    if (!object) {
      object = decode<KubeObject>(schema, structuredClone({ ...stored, apiVersion })).value
      applyDefaults(schema, object)
      shown.set(stored, object)
    }
    return object
  }
}
