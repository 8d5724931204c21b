/** Removes the objects of a definition that is going. Those with finalizers go when they may; the rest at once. */
import { isConflict, isNotFound } from '../../api/status.ts'
import { timestamp } from '../../base/clock.ts'
import type { UserInfo } from '../contract.ts'
import type { Core } from '../core.ts'
import { decoded } from '../objects/codec.ts'
import type { Resource } from '../registry.ts'
import { Query } from '../request/query.ts'
import type { ApiRequest } from '../request/request.ts'
import { deleteObject } from '../verbs/delete.ts'
import type { WriteCall } from '../write/call.ts'

export const CLEANUP_FINALIZER = 'customresourcecleanup.apiextensions.k8s.io'
/** How many objects are being deleted at the same time. */
const PARALLEL_DELETES = 32

export interface Cleanup {
  /** Deletes what is there, and says whether nothing is left. `wake` is called when an object that was left has gone. */
  isDone(): Promise<boolean>
  stop(): void
}

export function startCleanup(core: Core, resource: Resource, user: UserInfo, wake: () => void): Cleanup {
  const { group, plural } = resource.definition.storage ?? resource.definition
  const stop = core.reader.watch(group, plural, (_object, change) => {
    if (change === 'deleted') wake()
  })
  return {
    stop,
    async isDone() {
      const pending = [...core.store.list(resource.prefix).entries]
      const next = async () => {
        for (let entry = pending.shift(); entry; entry = pending.shift()) {
          const { name = '', namespace = '', deletionTimestamp } = decoded(entry).metadata
          if (deletionTimestamp === undefined) await removeOne(callOf(core, resource, user, namespace, name))
        }
      }
      await Promise.all(Array.from({ length: PARALLEL_DELETES }, next))
      return core.store.list(resource.prefix, { limit: 1 }).entries.length === 0
    },
  }
}

async function removeOne(call: WriteCall): Promise<void> {
  try {
    await deleteObject(call, {})
  } catch (error) {
    // Somebody else was faster.
    if (!isNotFound(error) && !isConflict(error)) throw error
  }
}

function callOf(core: Core, resource: Resource, user: UserInfo, namespace: string, name: string): WriteCall {
  const request: ApiRequest = {
    ...{ method: 'DELETE', path: `/apis/${resource.apiVersion}/${resource.name.plural}/${name}`, query: Query.of({}) },
    ...{
      header: () => undefined,
      headerNames: () => [],
      user,
      trusted: true,
      signal: core.closing,
      body: async () => undefined,
      warnings: [],
    },
  }
  return {
    ...{ core, request, resource, namespace, name, subresource: '', dryRun: false, force: false },
    ...{ fieldManager: 'kube-apiserver', options: { kind: 'DeleteOptions', apiVersion: 'meta.k8s.io/v1' } },
    now: timestamp(core.clock),
  }
}
