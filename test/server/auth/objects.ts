/** A memory store with its reader, and a way to put objects into it as committed state. */
import { randomBytes, randomUUID } from 'node:crypto'
import type { KubeObject } from '../../../src/api/object.ts'
import type { ObjectReader } from '../../../src/server/admission/contract.ts'
import { encoderOf } from '../../../src/server/objects/codec.ts'
import { createReader } from '../../../src/server/reader.ts'
import { createMemoryStore } from '../../../src/store/memory.ts'
import type { Store } from '../../../src/store/store.ts'

export interface Objects {
  store: Store
  reader: ObjectReader
  /** Creates or replaces; answers what was written, with its uid. */
  put(group: string, plural: string, object: KubeObject): Promise<KubeObject>
  remove(group: string, plural: string, namespace: string, name: string): Promise<void>
}

export function createObjects(): Objects {
  const store = createMemoryStore()
  const keyOf = (group: string, plural: string, namespace: string | undefined, name: string) =>
    `${group || 'core'}/${plural}/${namespace ? `${namespace}/` : ''}${name}`
  return {
    store,
    reader: createReader(store),
    async put(group, plural, object) {
      const { metadata, ...rest } = object
      const made = { kind: 'X', apiVersion: 'v1', metadata: { uid: randomUUID(), ...metadata }, ...rest }
      const key = keyOf(group, plural, metadata.namespace, metadata.name ?? '')
      const known = store.get(key)
      if (known) await store.update(key, known.revision, encoderOf(made))
      else await store.create(key, encoderOf(made))
      return made
    },
    async remove(group, plural, namespace, name) {
      const key = keyOf(group, plural, namespace, name)
      const known = store.get(key)!
      await store.delete(key, known.revision, encoderOf(JSON.parse(known.value.toString())))
    },
  }
}

export const random = (bytes: number): Buffer => randomBytes(bytes)

/** Stands at a given time until told otherwise. */
export function createClock(start = Date.UTC(2026, 0, 1)) {
  let now = start
  return {
    now: () => now,
    monotonic: () => now,
    after: () => () => {},
    advance(ms: number) {
      now += ms
    },
  }
}
