/** What every Kubernetes object has. The kinds' own types are generated into `types.ts` from the schema data. */
export interface KubeObject {
  apiVersion?: string | undefined
  kind?: string | undefined
  metadata: Metadata
  // Kinds differ in everything else; code that knows its kind uses the generated types, which are assignable to this one.
  // biome-ignore lint/suspicious/noExplicitAny: the fields of an unknown kind are unknown.
  [field: string]: any
}

export interface Metadata {
  name?: string | undefined
  generateName?: string | undefined
  namespace?: string | undefined
  uid?: string | undefined
  resourceVersion?: string | undefined
  generation?: number | undefined
  creationTimestamp?: string | undefined
  deletionTimestamp?: string | undefined
  deletionGracePeriodSeconds?: number | undefined
  labels?: Record<string, string> | undefined
  annotations?: Record<string, string> | undefined
  ownerReferences?: OwnerReference[] | undefined
  finalizers?: string[] | undefined
  managedFields?: ManagedFieldsEntry[] | undefined
  selfLink?: string | undefined
}

export interface OwnerReference {
  apiVersion: string
  kind: string
  name: string
  uid: string
  controller?: boolean | undefined
  blockOwnerDeletion?: boolean | undefined
}

export interface ManagedFieldsEntry {
  manager?: string | undefined
  operation?: string | undefined
  apiVersion?: string | undefined
  time?: string | undefined
  fieldsType?: string | undefined
  fieldsV1?: Record<string, unknown> | undefined
  subresource?: string | undefined
}

export interface KubeList<T = KubeObject> {
  apiVersion?: string | undefined
  kind?: string | undefined
  metadata: { resourceVersion?: string | undefined; continue?: string | undefined; remainingItemCount?: number | undefined }
  items: T[]
}

export type WatchEventType = 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'
export interface WatchEvent<T = KubeObject> {
  type: WatchEventType
  object: T
}
