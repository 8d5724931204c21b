/** The typed and the dynamic client: verbs on resources, over any Transport. Objects that come back are shared: read-only. */
import type { KubeList, KubeObject, WatchEvent } from '../api/object.ts'
import type { Transport } from './transport.ts'

/** Names a resource and, to the compiler, the type of its objects. Built-in ones are constants in `resources.ts`. */
export interface ResourceRef<T = unknown> {
  readonly group: string
  readonly version: string
  readonly plural: string
  readonly kind: string
  readonly namespaced: boolean
  /** Never set: carries the type. */
  readonly type?: T
}

export interface ListParameters {
  namespace?: string | undefined
  labelSelector?: string | undefined
  fieldSelector?: string | undefined
  limit?: number | undefined
  continue?: string | undefined
  resourceVersion?: string | undefined
  resourceVersionMatch?: string | undefined
  signal?: AbortSignal | undefined
}

export interface WriteParameters {
  namespace?: string | undefined
  subresource?: string | undefined
  fieldManager?: string | undefined
  fieldValidation?: 'Strict' | 'Warn' | 'Ignore' | undefined
  dryRun?: boolean | undefined
  force?: boolean | undefined
  signal?: AbortSignal | undefined
}

export interface DeleteParameters {
  namespace?: string | undefined
  gracePeriodSeconds?: number | undefined
  propagationPolicy?: 'Background' | 'Foreground' | 'Orphan' | undefined
  preconditions?: { uid?: string; resourceVersion?: string } | undefined
  dryRun?: boolean | undefined
  signal?: AbortSignal | undefined
}

export type PatchType = 'json' | 'merge' | 'strategic' | 'apply'

export interface Client {
  readonly transport: Transport
  get<T>(
    resource: ResourceRef<T>,
    name: string,
    parameters?: { namespace?: string | undefined; subresource?: string; signal?: AbortSignal },
  ): Promise<T>
  /** One page when `limit` is given, the whole collection otherwise. */
  list<T>(resource: ResourceRef<T>, parameters?: ListParameters): Promise<KubeList<T>>
  /** The namespace comes from the object unless given. */
  create<T>(resource: ResourceRef<T>, object: T, parameters?: WriteParameters): Promise<T>
  /** POST to a subresource of a named object (binding, eviction, token). */
  createSubresource<R>(
    resource: ResourceRef,
    name: string,
    subresource: string,
    body: object,
    parameters?: WriteParameters,
  ): Promise<R>
  update<T>(resource: ResourceRef<T>, object: T, parameters?: WriteParameters): Promise<T>
  updateStatus<T>(resource: ResourceRef<T>, object: T, parameters?: WriteParameters): Promise<T>
  patch<T>(resource: ResourceRef<T>, name: string, type: PatchType, patch: object, parameters?: WriteParameters): Promise<T>
  /** Answers what the server answered: a Status, or the object for kinds deleted gracefully. */
  delete(resource: ResourceRef, name: string, parameters?: DeleteParameters): Promise<KubeObject>
  deleteCollection(resource: ResourceRef, parameters?: ListParameters & DeleteParameters): Promise<KubeObject>
  /** Batches of events as they come. Bookmarks are included when asked for. Throws StatusError for an ERROR event (410: list again). */
  watch<T>(
    resource: ResourceRef<T>,
    parameters?: ListParameters & { allowBookmarks?: boolean; sendInitialEvents?: boolean },
  ): AsyncIterable<WatchEvent<T>[]>
}
