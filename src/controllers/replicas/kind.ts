/** What differs between ReplicaSets and ReplicationControllers, for the engine they share. */
import type { KubeObject } from '../../api/object.ts'
import type { LabelSelector } from '../../api/selectors.ts'
import type { PodTemplateSpec } from '../../api/types.ts'
import type { ResourceRef } from '../../client/client.ts'
import type { Cache } from '../../watch/informer.ts'
import type { ReplicasStatus } from './plan.ts'

export interface ReplicaOwner extends KubeObject {
  spec?:
    | { replicas?: number | undefined; minReadySeconds?: number | undefined; template?: PodTemplateSpec | undefined }
    | undefined
  status?: ReplicasStatus | undefined
}

export interface ReplicaKind<T extends ReplicaOwner> {
  /** The controller's name, which is also the source of its events. */
  readonly name: string
  readonly resource: ResourceRef<T>
  readonly reportsTerminating: boolean
  selectorOf(owner: T): LabelSelector
  /** The owners whose pods do the same work as this one's, itself included. */
  relatives(owner: T, owners: Cache<T>): readonly T[]
}
