/**
 * Admission: what stands between an authorized write and the store. Mutators run first, in order; then the kind's own
 * validation; then every validator, in order. What must be unique in the cluster (Service addresses, quota) is taken by
 * the last validators, which may still edit the object, and given back by `release` when the write did not happen.
 */
import type { ResourceDefinition } from '../../api/definition.ts'
import type { KubeObject } from '../../api/object.ts'
import type { UserInfo } from '../contract.ts'

export interface AdmissionPlugin {
  readonly name: string
  /** Cheap filter; a plugin is not called for what it does not handle. */
  handles(request: AdmissionRequest): boolean
  /** Edits `request.object` in place. Throws a StatusError to refuse. */
  mutate?(request: AdmissionRequest): void | Promise<void>
  /** Throws a StatusError to refuse. */
  validate?(request: AdmissionRequest): void | Promise<void>
  /**
   * Called when `validate` of this plugin passed and the object was not written after all (a later refusal, a conflict,
   * a failed commit). Never called for a dry run. A plugin that is not told forgets after a while by itself.
   */
  release?(request: AdmissionRequest): void
}

export interface AdmissionRequest {
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT'
  readonly definition: ResourceDefinition
  readonly subresource: string
  readonly namespace: string
  readonly name: string
  readonly user: UserInfo
  readonly dryRun: boolean
  /** The object to be written: the writer's own copy. Undefined for DELETE. */
  object: KubeObject | undefined
  /** What is stored now: shared, read-only. Undefined for CREATE. */
  readonly old: KubeObject | undefined
  /** The options object of the call (CreateOptions, DeleteOptions, …). */
  readonly options: Readonly<Record<string, unknown>>
  /** Texts for `Warning` headers. */
  warn(text: string): void
}

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
