/** Follows one object by name until it is as wanted: by level, from a list and the watch after it, whatever happens to the watch. */
import type { KubeObject } from '../api/object.ts'
import { isExpired } from '../api/status.ts'
import type { Client, ResourceRef } from '../client/client.ts'

export interface ObjectName {
  resource: ResourceRef
  name: string
  /** Absent for resources of the whole cluster. */
  namespace?: string | undefined
}

/**
 * Calls `done` with each state of the object (undefined: it is not there) until that is true.
 * Rejects with the signal's reason when it aborts, and with StatusError when the server refuses.
 */
export async function untilObject(
  client: Client,
  { resource, name, namespace }: ObjectName,
  done: (object: KubeObject | undefined) => boolean,
  signal: AbortSignal,
): Promise<void> {
  const untyped: ResourceRef<KubeObject> = { ...resource, type: undefined as never }
  const where = { namespace: resource.namespaced ? namespace : undefined, fieldSelector: `metadata.name=${name}`, signal }
  for (;;) {
    signal.throwIfAborted()
    const list = await client.list(untyped, where)
    if (done(list.items[0])) return
    try {
      for await (const events of client.watch(untyped, { ...where, resourceVersion: list.metadata.resourceVersion })) {
        for (const { type, object } of events) {
          if (type !== 'BOOKMARK' && done(type === 'DELETED' ? undefined : object)) return
        }
      }
    } catch (error) {
      if (signal.aborted) throw signal.reason
      if (!isExpired(error)) throw error
    }
  }
}
