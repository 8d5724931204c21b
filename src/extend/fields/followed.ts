/** What pods' paths lead to, from informers' caches: followed from the first who asks, so that every change reaches the pods. */
import type { Related } from '../../api/downward/value.ts'
import type { KubeObject } from '../../api/object.ts'
import type { ResourceRef } from '../../client/client.ts'
import { type OwnerResources, ownerResources } from '../../client/related.ts'
import { namespaces, nodes, services } from '../../client/resources.ts'
import type { Enqueue, ReconcileContext } from '../../reconcile/reconciler.ts'
import { Dependents } from './dependents.ts'

export class Followed {
  readonly #context: ReconcileContext
  readonly #enqueue: Enqueue
  readonly #dependents = new Dependents()
  readonly #subscribed = new Set<string>()
  readonly #owners: OwnerResources

  constructor(context: ReconcileContext, enqueue: Enqueue) {
    this.#context = context
    this.#enqueue = enqueue
    this.#owners = ownerResources(context.client)
  }

  /** Answers for one look at a pod, and notes what was asked: `done` makes that what the pod depends on. */
  lookup(pod: string): { related: Related; done: () => void } {
    const asked = new Set<string>()
    const get = async (resource: ResourceRef, name: string, namespace = ''): Promise<KubeObject | undefined> => {
      const key = namespace ? `${namespace}/${name}` : name
      asked.add(`${nameOf(resource)}/${key}`)
      const informer = this.#context.informer(resource as ResourceRef<KubeObject>)
      this.#subscribe(resource as ResourceRef<KubeObject>)
      await informer.whenSynced(this.#context.signal)
      return informer.store.get(key)
    }
    const related: Related = {
      node: (name) => get(nodes, name),
      namespace: (name) => get(namespaces, name),
      service: (namespace, name) => get(services, name, namespace),
      owner: async (reference, namespace) => {
        const resource = await this.#owners.of(reference)
        const found = resource && (await get(resource, reference.name, resource.namespaced ? namespace : ''))
        return found?.metadata.uid === reference.uid ? found : undefined
      },
    }
    return { related, done: () => this.#dependents.set(pod, asked) }
  }

  forget(pod: string): void {
    this.#dependents.set(pod, new Set())
  }

  #subscribe(resource: ResourceRef<KubeObject>): void {
    const name = nameOf(resource)
    if (this.#subscribed.has(name)) return
    this.#subscribed.add(name)
    this.#context.informer(resource).subscribe(({ key }) => {
      for (const pod of this.#dependents.of(`${name}/${key}`)) this.#enqueue(pod)
    })
  }
}

function nameOf({ group, plural }: ResourceRef): string {
  return `${plural}.${group}`
}
