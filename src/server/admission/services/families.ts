/** IP families of a Service on a cluster that has IPv4 only: defaults, and what cannot be had. Pure. */
import { forbidden, invalid } from '../../../api/field-errors.ts'
import type { FieldError } from '../../../api/status.ts'
import type { ServiceSpec } from '../../../api/types.ts'
import { isHeadless } from './carry-over.ts'

/** Fills in `ipFamilyPolicy` and `ipFamilies`; answers what is wrong with what the client asked for. */
export function setFamilies(spec: ServiceSpec): FieldError[] {
  const free = isHeadless(spec) && Object.keys(spec.selector ?? {}).length === 0
  const wantsBoth = (spec.clusterIPs?.length ?? 0) > 1 || (spec.ipFamilies?.length ?? 0) > 1
  spec.ipFamilyPolicy ??= wantsBoth || free ? 'RequireDualStack' : 'SingleStack'
  // Endpoints of a headless Service without selector are somebody else's, of whatever family.
  if (free) {
    if (!spec.ipFamilies?.length) spec.ipFamilies = ['IPv4']
    if (spec.ipFamilies.length === 1 && spec.ipFamilyPolicy !== 'SingleStack') {
      spec.ipFamilies = [...spec.ipFamilies, spec.ipFamilies[0] === 'IPv4' ? 'IPv6' : 'IPv4']
    }
    return []
  }
  const errors: FieldError[] = []
  if (spec.ipFamilyPolicy === 'RequireDualStack') {
    errors.push(invalid('spec.ipFamilyPolicy', spec.ipFamilyPolicy, 'this cluster is not configured for dual-stack services'))
  }
  for (const [index, family] of (spec.ipFamilies ?? []).entries()) {
    if (family !== 'IPv4') errors.push(invalid(`spec.ipFamilies[${index}]`, family, 'not configured on this cluster'))
  }
  if (wantsBoth && spec.ipFamilyPolicy === 'SingleStack') {
    errors.push(
      forbidden('spec.ipFamilyPolicy', `must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified`),
    )
  }
  if (!spec.ipFamilies?.length) spec.ipFamilies = ['IPv4']
  return errors
}
