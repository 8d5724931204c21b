/** Who owns a pod, and who owns that: followed over watches of the single objects, once somebody asks. */
import type { KubeObject, OwnerReference } from '../../api/object.ts'
import type { Pod } from '../../api/types.ts'
import type { ObjectWatch, ObjectWatches, WatchedKind } from '../sources/object-watches.ts'
import type { OwnerFacts } from './tree.ts'

/** A longer chain is told up to here. */
const MAX_OWNERS = 5

/** Kinds whose labels and annotations are read; of others a pod learns what the reference to them says. */
const READABLE: Readonly<Record<string, WatchedKind>> = {
  'v1/ReplicationController': 'ReplicationController',
  'apps/v1/ReplicaSet': 'ReplicaSet',
  'apps/v1/Deployment': 'Deployment',
  'apps/v1/StatefulSet': 'StatefulSet',
  'apps/v1/DaemonSet': 'DaemonSet',
  'batch/v1/Job': 'Job',
  'batch/v1/CronJob': 'CronJob',
}

export class OwnerChain {
  readonly #watches: ObjectWatches
  readonly #changed: () => void
  readonly #known = new Map<string, ObjectWatch>()

  constructor(watches: ObjectWatches, changed: () => void) {
    this.#watches = watches
    this.#changed = changed
  }

  /** The chain as far as it is known now; what is new in it begins to be watched. */
  of(pod: Pod): OwnerFacts[] {
    const found: OwnerFacts[] = []
    let reference = controllerOf(pod)
    while (reference && found.length < MAX_OWNERS) {
      const { apiVersion, kind, name, uid } = reference
      const object = this.#read(pod.metadata.namespace ?? '', reference)
      found.push({ apiVersion, kind, name, uid, object })
      reference = object && controllerOf(object)
    }
    return found
  }

  /** Resolves when the whole chain has been read once. */
  async whenKnown(pod: Pod, signal: AbortSignal): Promise<void> {
    for (let waited = -1; waited < this.#known.size; ) {
      waited = this.#known.size
      this.of(pod)
      await Promise.all([...this.#known.values()].map((watch) => watch.whenSynced(signal)))
    }
  }

  release(): void {
    for (const watch of this.#known.values()) watch.release()
    this.#known.clear()
  }

  /** An object of another uid has only the name in common. */
  #read(namespace: string, { apiVersion, kind, name, uid }: OwnerReference): KubeObject | undefined {
    const readable = READABLE[`${apiVersion}/${kind}`]
    if (!readable) return undefined
    const key = `${readable}/${name}`
    let watch = this.#known.get(key)
    if (!watch) {
      watch = this.#watches.acquire(readable, namespace, name, this.#changed)
      this.#known.set(key, watch)
    }
    return watch.current?.metadata.uid === uid ? watch.current : undefined
  }
}

function controllerOf(object: KubeObject): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find(({ controller }) => controller) as OwnerReference | undefined
}
