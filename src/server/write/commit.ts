/** The last step of a write: into the store, or for a dry run only into the shape of an entry. */
import type { KubeObject } from '../../api/object.ts'
import { custom } from '../../api/status.ts'
import { WriteFailed } from '../../store/errors.ts'
import type { Entry } from '../../store/store.ts'
import { encode, encoderOf } from '../objects/codec.ts'
import { prepareEntries } from '../objects/convert.ts'
import type { Resource } from '../registry.ts'
import type { WriteCall } from './call.ts'

/** The object as it is stored: in its storage version. */
async function storedForm(resource: Resource, object: KubeObject): Promise<KubeObject> {
  const { storage } = resource
  if (storage === resource) return object
  const { converter } = resource.definition
  if (converter) return await converter.toStorage(object)
  const { toStorage } = resource.definition
  const converted = toStorage ? toStorage(object) : object
  return { ...converted, kind: storage.definition.kind, apiVersion: storage.apiVersion }
}

/** What a dry run answers with: never stored, encoded only if somebody wants its bytes. `revision` 0: it has none. */
export function unsaved(key: string, object: KubeObject, revision: number): Entry {
  if (revision > 0) object.metadata.resourceVersion = String(revision)
  else delete object.metadata.resourceVersion
  let value: Buffer | undefined
  return {
    key,
    get value() {
      value ??= encode(object)
      return value
    },
    revision,
    decoded: object,
  }
}

/** Made ready to be shown in the version of the call. */
async function shown({ resource }: WriteCall, entry: Entry): Promise<Entry> {
  const pending = prepareEntries(resource, [entry])
  if (pending) await pending
  return entry
}

export async function commitCreate(call: WriteCall, key: string, object: KubeObject): Promise<Entry> {
  const stored = await storedForm(call.resource, object)
  if (call.dryRun) return await shown(call, unsaved(key, stored, 0))
  return await shown(call, await translateFailure(call.core.store.create(key, encoderOf(stored))))
}

export async function commitUpdate(call: WriteCall, old: Entry, object: KubeObject): Promise<Entry> {
  const stored = await storedForm(call.resource, object)
  if (call.dryRun) return await shown(call, unsaved(old.key, stored, old.revision))
  return await shown(call, await translateFailure(call.core.store.update(old.key, old.revision, encoderOf(stored))))
}

/** Removes the entry; `object` is its last state. */
export async function commitDelete(call: WriteCall, old: Entry, object: KubeObject): Promise<Entry> {
  const stored = await storedForm(call.resource, object)
  if (call.dryRun) return await shown(call, unsaved(old.key, stored, old.revision))
  return await shown(call, await translateFailure(call.core.store.delete(old.key, old.revision, encoderOf(stored))))
}

/** A store that cannot write answers with a plain 500: the write did not happen. Everything else passes through. */
async function translateFailure(writing: Promise<Entry>): Promise<Entry> {
  try {
    return await writing
  } catch (error) {
    if (!(error instanceof WriteFailed)) throw error
    const failure = custom(500, 'InternalError', `Internal error occurred: ${error.message}`, {
      causes: [{ message: error.message }],
    })
    failure.cause = error
    throw failure
  }
}
