/** What differs between the kinds whose pods the server's own controller replaces. */
import type { KubeObject } from '../../api/object.ts'
import type { PodTemplateSpec } from '../../api/types.ts'
import type { Client, ResourceRef } from '../../client/client.ts'
import type { Follower } from '../follow.ts'
import type { RollbackOptions, RollOptions, SideProgress } from '../progress.ts'

export interface ServedObject extends KubeObject {
  spec?: { template: PodTemplateSpec; minReadySeconds?: number | undefined } | undefined
}

/** A template that the object had, or has. */
export interface Revision {
  number: number
  /** The object that keeps it. */
  name: string
  template: PodTemplateSpec | undefined
  annotations: Readonly<Record<string, string>>
  createdAt: string | undefined
  replicas?: number | undefined
}

export interface ServedKind<T extends ServedObject = ServedObject> {
  /** `deployment`, as in `deployment/web`. */
  readonly word: string
  readonly resource: ResourceRef<T>
  /** `stuck`: the server itself has given up. `held`: a canary runs, and the server goes no further. */
  stateOf(object: T): 'complete' | 'held' | 'stuck' | 'paused' | 'rolling'
  countsOf(object: T): { wanted: number; updated: number; available: number; all: number }
  /** What is said of pace, as a part of `spec`. Throws RollError for what the kind does not take. */
  pace(options: RollOptions, object: T): object
  /** Parts of `spec` and annotations that undo what a pause or a canary had set. */
  release(object: T): ServedPatch
  /** Holds the rollout where it is; undefined where the server cannot. */
  pause?(object: T): ServedPatch
  /** What begins a canary; throws RollError for what can have none. Undefined where no object of the kind can. */
  canary?(options: RollOptions, object: T): ServedPatch
  /** What is to be written once the canary's pods are ready; undefined before, and where nothing is. */
  hold?(object: T, next: SideProgress): ServedPatch | undefined
  /** Goes on with what an interruption had paused, as it was going on before. */
  resume?(object: T): ServedPatch
  /** Newest first; the first is the template of now. */
  revisions(client: Client, object: T): Promise<Revision[]>
  /** More precise than the object's own counts. */
  follow?(follower: Follower, options: RollbackOptions): Promise<(object: T) => { old: SideProgress; new: SideProgress }>
  /** Once the template went back: pods that would keep the server from replacing them. */
  unblock?(client: Client, object: T): Promise<void>
}

export interface ServedPatch {
  spec?: object
  annotations?: Record<string, string | null>
}

/** Whether the server's controller has seen the latest specification. */
export function isSeen(object: KubeObject & { status?: { observedGeneration?: number | undefined } | undefined }): boolean {
  return (object.status?.observedGeneration ?? 0) >= (object.metadata.generation ?? 0)
}
