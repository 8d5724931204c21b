/** The two kinds that a client rolls itself, seen as one: a count, a selector and a template. */
import { labelSelector } from '../api/selectors.ts'
import type { ReplicaSet, ReplicationController } from '../api/types.ts'
import type { ResourceRef } from '../client/client.ts'
import { replicaSets, replicationControllers } from '../client/resources.ts'
import type { SideProgress } from './progress.ts'
import { TEMPLATE_LABEL, templateHash } from './template.ts'

export type Controller = ReplicationController | ReplicaSet
export type ReplicaKind = 'ReplicationController' | 'ReplicaSet'

export function resourceOf(kind: ReplicaKind): ResourceRef<Controller> {
  return kind === 'ReplicationController' ? replicationControllers : (replicaSets as ResourceRef<Controller>)
}

/** `rc/web`, `rs/web`: how messages and commands name it. */
export function handleOf(kind: ReplicaKind, name: string): string {
  return `${kind === 'ReplicationController' ? 'rc' : 'rs'}/${name}`
}

export function nameOf(controller: Controller): string {
  return controller.metadata.name ?? ''
}

export function replicasOf(controller: Controller): number {
  return controller.spec?.replicas ?? 1
}

/** The template's hash: as labelled, or computed where it never was. */
export function hashOf(controller: Controller): string {
  return controller.metadata.labels?.[TEMPLATE_LABEL] ?? templateHash(controller.spec?.template)
}

/** The equality part of the selector. */
export function matchLabels(kind: ReplicaKind, controller: Controller): Readonly<Record<string, string>> {
  if (kind === 'ReplicationController') return (controller as ReplicationController).spec?.selector ?? {}
  return (controller as ReplicaSet).spec?.selector.matchLabels ?? {}
}

/** Whether the server's controller has seen the latest specification. */
export function isObserved(controller: Controller): boolean {
  return (controller.status?.observedGeneration ?? 0) >= (controller.metadata.generation ?? 0)
}

/**
 * Whether the template label is in place. A ReplicaSet's selector is immutable, so an old one may go on matching the new one's
 * pods; those are never orphans (the new controller makes them with its owner reference), so it cannot take them.
 */
export function isSeparate(kind: ReplicaKind, controller: Controller): boolean {
  const hash = controller.metadata.labels?.[TEMPLATE_LABEL]
  if (!hash || controller.spec?.template?.metadata?.labels?.[TEMPLATE_LABEL] !== hash) return false
  return kind === 'ReplicaSet' || matchLabels(kind, controller)[TEMPLATE_LABEL] === hash
}

/** Whether it would take pods with these labels that nobody owns. */
export function selects(kind: ReplicaKind, controller: Controller, labels: Readonly<Record<string, string>>): boolean {
  if (kind === 'ReplicaSet') return labelSelector((controller as ReplicaSet).spec?.selector).matches(labels)
  const wanted = Object.entries(matchLabels(kind, controller))
  return wanted.length > 0 && wanted.every(([key, value]) => labels[key] === value)
}

export function isTerminating(controller: Controller): boolean {
  return controller.metadata.deletionTimestamp !== undefined
}

export function progressOf(controller: Controller | undefined, name: string): SideProgress {
  return {
    name: controller ? nameOf(controller) : name,
    replicas: controller ? replicasOf(controller) : 0,
    ready: controller?.status?.readyReplicas ?? 0,
  }
}
