/**
 * Watches of single objects, shared by all pods that name them: a node sees the ConfigMaps and Secrets its pods use and the
 * owners they ask for, and no others. Claims and volumes are read anew each time they are asked for, which is all that a node is allowed. Knows no pod.
 */
import type { KubeObject } from '../../api/object.ts'
import { isNotFound } from '../../api/status.ts'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Client, ResourceRef } from '../../client/client.ts'
import {
  configMaps,
  cronJobs,
  daemonSets,
  deployments,
  jobs,
  persistentVolumeClaims,
  persistentVolumes,
  replicaSets,
  replicationControllers,
  secrets,
  statefulSets,
} from '../../client/resources.ts'
import { createInformer, type Informer } from '../../watch/index.ts'

/** A watch that nobody needs is kept this long: the next pod of a controller names the same objects. */
const LINGER_MS = 30_000

/** Kinds that own pods. */
type OwnerKind = 'ReplicationController' | 'ReplicaSet' | 'Deployment' | 'StatefulSet' | 'DaemonSet' | 'Job' | 'CronJob'

export type WatchedKind = 'ConfigMap' | 'Secret' | 'PersistentVolumeClaim' | 'PersistentVolume' | OwnerKind

const WATCHED: Partial<Record<WatchedKind, ResourceRef<KubeObject>>> = {
  ConfigMap: configMaps as ResourceRef<KubeObject>,
  Secret: secrets as ResourceRef<KubeObject>,
  ReplicationController: replicationControllers as ResourceRef<KubeObject>,
  ReplicaSet: replicaSets as ResourceRef<KubeObject>,
  Deployment: deployments as ResourceRef<KubeObject>,
  StatefulSet: statefulSets as ResourceRef<KubeObject>,
  DaemonSet: daemonSets as ResourceRef<KubeObject>,
  Job: jobs as ResourceRef<KubeObject>,
  CronJob: cronJobs as ResourceRef<KubeObject>,
}
const READ: Partial<Record<WatchedKind, ResourceRef<KubeObject>>> = {
  PersistentVolumeClaim: persistentVolumeClaims as ResourceRef<KubeObject>,
  PersistentVolume: persistentVolumes as ResourceRef<KubeObject>,
}

export interface ObjectWatch {
  readonly current: KubeObject | undefined
  /** Resolves when it is known whether the object exists; for kinds that are not watched, whether it exists now. */
  whenSynced(signal: AbortSignal): Promise<void>
  release(): void
}

export interface ObjectWatches {
  /** `namespace` is empty for what has none. The listener hears of every change of a watched kind after this call. */
  acquire(kind: WatchedKind, namespace: string, name: string, listener: () => void): ObjectWatch
}

interface Entry {
  informer: Informer
  key: string
  users: number
  stop: AbortController
  cancelStop: () => void
}

export function createObjectWatches(options: { client: Client; clock: Clock; log: Log; signal: AbortSignal }): ObjectWatches {
  const { client, clock, log, signal } = options
  const entries = new Map<string, Entry>()

  function open(resource: ResourceRef<KubeObject>, namespace: string, name: string): Entry {
    const stop = new AbortController()
    const informer = createInformer<KubeObject>({
      client,
      clock,
      log,
      resource,
      ...(namespace && { namespace }),
      fieldSelector: `metadata.name=${name}`,
      signal: AbortSignal.any([signal, stop.signal]),
    })
    return { informer, key: namespace ? `${namespace}/${name}` : name, users: 0, stop, cancelStop: () => {} }
  }

  function release(id: string, entry: Entry): void {
    entry.users -= 1
    if (entry.users > 0) return
    entry.cancelStop = clock.after(
      LINGER_MS,
      () => {
        entries.delete(id)
        entry.stop.abort()
      },
      { unref: true },
    )
  }

  return {
    acquire(kind, namespace, name, listener) {
      const resource = WATCHED[kind]
      if (!resource) return read(client, READ[kind] as ResourceRef<KubeObject>, namespace, name)
      const id = `${kind}/${namespace}/${name}`
      const entry = entries.get(id) ?? open(resource, namespace, name)
      entries.set(id, entry)
      entry.users += 1
      entry.cancelStop()
      let replayed = false
      const unsubscribe = entry.informer.subscribe(() => {
        if (replayed) listener()
      })
      replayed = true
      let released = false
      return {
        get current() {
          return entry.informer.store.get(entry.key)
        },
        whenSynced: (waitSignal) => entry.informer.whenSynced(waitSignal),
        release() {
          if (released) return
          released = true
          unsubscribe()
          release(id, entry)
        },
      }
    },
  }
}

function read(client: Client, resource: ResourceRef<KubeObject>, namespace: string, name: string): ObjectWatch {
  let current: KubeObject | undefined
  return {
    get current() {
      return current
    },
    async whenSynced(signal) {
      try {
        current = await client.get(resource, name, { ...(namespace && { namespace }), signal })
      } catch (error) {
        if (!isNotFound(error)) throw error
        current = undefined
      }
    },
    release() {},
  }
}
