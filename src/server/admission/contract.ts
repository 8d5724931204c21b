/** How admission plugins see the cluster besides the request they are asked about. */
import type { UserInfo } from '../../api/admission.ts'
import type { KubeObject } from '../../api/object.ts'

export type { AdmissionPlugin, AdmissionRequest } from '../../api/admission.ts'

/** How plugins and authorizers read the cluster without passing the verbs: newest committed objects, shared, read-only. */
export interface ObjectReader {
  get(group: string, plural: string, namespace: string, name: string): KubeObject | undefined
  list(group: string, plural: string, namespace?: string): readonly KubeObject[]
  /** Called with each committed change of a resource, synchronously and in order; returns the unsubscriber. */
  watch(
    group: string,
    plural: string,
    listener: (object: KubeObject, change: 'created' | 'updated' | 'deleted') => void,
  ): () => void
}

/** Whether a user may do something: how plugins ask the authorizer. */
export type Asks = (question: PermissionQuestion) => boolean | Promise<boolean>

export interface PermissionQuestion {
  user: UserInfo
  verb: string
  group: string
  version: string
  resource: string
  subresource?: string
  namespace?: string
  name?: string
}
