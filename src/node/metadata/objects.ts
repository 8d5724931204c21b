/** What the metadata of a node's pods is read from, and who is told when it changes. */
import { NODE_FIELDS, nodeFieldsOf } from '../../api/downward/node-fields.ts'
import type { ConfigMap, EndpointSlice, Node, Pod, Service } from '../../api/types.ts'
import type { Informer } from '../../watch/index.ts'
import type { ImageState } from '../runtime/runtime.ts'
import type { ObjectWatch, ObjectWatches } from '../sources/object-watches.ts'
import { visibleNode } from './node-tree.ts'

/** A pod as the metadata service sees it; all of it as it is now. */
export interface MetadataPod {
  readonly uid: string
  pod(): Pod
  addresses(): { podIps: readonly string[]; hostIps: readonly string[] }
  /** The image a container was made of, once it is present. */
  image(container: string): ImageState | undefined
  /** Takes an sd_notify message; the container may be left out where only one can be meant. */
  notify(container: string | undefined, text: string): { status: number; body: string }
}

export interface MetadataObjectsOptions {
  nodeName: string
  clusterDomain: string
  nodes: Informer<Node>
  services: Informer<Service>
  /** Endpoints are watched once a pod asks for them. */
  slices: () => Informer<EndpointSlice>
  watches: ObjectWatches
}

export class MetadataObjects {
  readonly #options: MetadataObjectsOptions
  readonly #unsubscribe: (() => void)[] = []
  readonly #changed: (namespace: string | undefined) => void
  #slices: Informer<EndpointSlice> | undefined
  #nodeFields: ObjectWatch | undefined

  /** `changed` names the namespace whose pods may care; `undefined` is all. */
  constructor(options: MetadataObjectsOptions, changed: (namespace: string | undefined) => void) {
    this.#options = options
    this.#changed = changed
    const { nodes, services, nodeName } = options
    this.#unsubscribe.push(
      nodes.subscribe(({ key }) => key === nodeName && changed(undefined)),
      services.subscribe(({ object, old }) => changed((object ?? old)?.metadata.namespace)),
    )
  }

  get watches(): ObjectWatches {
    return this.#options.watches
  }

  get clusterDomain(): string {
    return this.#options.clusterDomain
  }

  /** What pods may see of the node, by the list that holds now. */
  node(): Node | undefined {
    const list = this.#nodeFields?.current as ConfigMap | undefined
    return visibleNode(this.#options.nodes.store.get(this.#options.nodeName), nodeFieldsOf(list))
  }

  async whenNodeFieldsKnown(signal: AbortSignal): Promise<void> {
    const { namespace, name } = NODE_FIELDS
    this.#nodeFields ??= this.watches.acquire('ConfigMap', namespace, name, () => this.#changed(undefined))
    await this.#nodeFields.whenSynced(signal)
  }

  services(namespace: string): readonly Service[] {
    return this.#options.services.store.list(namespace)
  }

  slices(namespace: string): readonly EndpointSlice[] {
    return this.#slices?.store.list(namespace) ?? []
  }

  async whenSlicesKnown(signal: AbortSignal): Promise<void> {
    if (!this.#slices) {
      this.#slices = this.#options.slices()
      this.#unsubscribe.push(this.#slices.subscribe(({ object, old }) => this.#changed((object ?? old)?.metadata.namespace)))
    }
    await this.#slices.whenSynced(signal)
  }

  close(): void {
    for (const unsubscribe of this.#unsubscribe) unsubscribe()
    this.#nodeFields?.release()
  }
}
