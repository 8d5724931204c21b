/**
 * Admission: what stands between an authorized write and the store. Mutators run first, in order; then the kind's own
 * validation; then every validator, in order. What must be unique in the cluster (Service addresses, quota) is taken by
 * the last validators, which may still edit the object, and given back by `release` when the write did not happen.
 * The server runs plugins, its own and the extensions'; a webhook on a stock cluster runs the same extensions.
 */
import type { ObjectKind, ResourceDefinition } from './definition.ts'
import type { KubeObject } from './object.ts'

/** Who sends a request. */
export interface UserInfo {
  name: string
  uid?: string
  groups: readonly string[]
  extra?: Readonly<Record<string, readonly string[]>>
}

export interface AdmissionPlugin {
  readonly name: string
  /** Cheap filter; a plugin is not called for what it does not handle. */
  handles(request: AdmissionRequest): boolean
  /** Edits `request.object` in place. Throws a StatusError to refuse. */
  mutate?(request: AdmissionRequest): void | Promise<void>
  /** Whether `mutate` is also called for a delete, which has no object to edit. */
  readonly mutatesDeletes?: boolean
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
  /** What `object` and `old` are: the definition itself, or what the subresource takes in its stead (Scale, Binding, PodExecOptions). */
  readonly kind: ObjectKind
  readonly namespace: string
  readonly name: string
  readonly user: UserInfo
  readonly dryRun: boolean
  /** The object to be written: the writer's own copy. Undefined for DELETE. */
  object: KubeObject | undefined
  /** What is stored now: shared, read-only. Undefined for CREATE. */
  readonly old: KubeObject | undefined
  /** The options object of the call (CreateOptions, DeleteOptions, …); a CONNECT has none. */
  readonly options: Readonly<Record<string, unknown>> | undefined
  /** Texts for `Warning` headers. */
  warn(text: string): void
  /** For the audit log. */
  annotate?(key: string, value: string): void
  /** Whether the mutators run for the second time, because one of them asked for it. */
  again?: boolean
  /** Asks for a second pass of all mutators; in the second, it asks for nothing. */
  askAgain?(): void
}
