/** How plugins refuse: a 403 that names the object, as apimachinery's `admission.NewForbidden` words it. */
import { forbidden, type StatusError } from '../../api/status.ts'
import type { AdmissionRequest } from './contract.ts'

export function refused(request: AdmissionRequest, why: string): StatusError {
  return forbidden({ group: request.definition.group, plural: request.definition.plural }, nameOf(request), why)
}

/** The object's name, or what its name will be generated from. */
export function nameOf({ name, object }: AdmissionRequest): string {
  return name || object?.metadata?.name || object?.metadata?.generateName || 'Unknown'
}

/** Several complaints in one text, as Go's aggregated errors print them. */
export function joinComplaints(complaints: readonly string[]): string {
  const distinct = [...new Set(complaints)]
  return distinct.length === 1 ? (distinct[0] ?? '') : `[${distinct.join(', ')}]`
}

/** A write of this resource itself, not of a subresource. */
export function isAbout({ definition, subresource }: AdmissionRequest, group: string, plural: string): boolean {
  return definition.plural === plural && definition.group === group && subresource === ''
}
