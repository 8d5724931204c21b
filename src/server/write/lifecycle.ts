/** When an object that is to go may go. */
import type { KubeObject } from '../../api/object.ts'
import type { Resource } from '../registry.ts'

/** Namespaces end in a way of their own: by phase and `spec.finalizers`, for their contents go first. */
export function isNamespaceResource({ definition }: Resource): boolean {
  return definition.plural === 'namespaces' && definition.group === ''
}

/** Whether somebody still has to do something before the object may disappear. */
export function hasFinalizers(object: KubeObject, resource: Resource): boolean {
  if ((object.metadata.finalizers ?? []).length > 0) return true
  return isNamespaceResource(resource) && (object.spec?.finalizers ?? []).length > 0
}

/** An object that is being deleted goes with its last finalizer, unless its grace period is still running. */
export function isReadyToGo(object: KubeObject, resource: Resource): boolean {
  if (object.metadata.deletionTimestamp === undefined || hasFinalizers(object, resource)) return false
  return (object.metadata.deletionGracePeriodSeconds ?? 0) === 0
}
