/** Rules for the security context of a pod, and the profiles that pods and containers share. */
import type { Errors } from '../field-errors.ts'
import { duplicate, forbidden, invalid, notSupported, required } from '../field-errors.ts'
import { userId } from '../names.ts'
import type { AppArmorProfile, PodSecurityContext, PodSpec, SeccompProfile } from '../types.ts'
import { oneOf } from './rules.ts'

const SYSCTL_SEGMENT = '[a-z0-9]([-_a-z0-9]*[a-z0-9])?'
const SYSCTL = `(${SYSCTL_SEGMENT}[\\./])*${SYSCTL_SEGMENT}`
const sysctlPattern = new RegExp(`^${SYSCTL}$`)
const MAX_SYSCTL_LENGTH = 253
const PROFILE_TYPES = ['Localhost', 'RuntimeDefault', 'Unconfined']

export function checkPodSecurityContext(
  context: PodSecurityContext | undefined,
  spec: PodSpec,
  path: string,
  errors: Errors,
): void {
  if (!context) return
  const checkId = (value: number | undefined, at: string) => {
    if (value !== undefined) for (const complaint of userId(value)) errors.push(invalid(at, value, complaint))
  }
  checkId(context.fsGroup, `${path}.fsGroup`)
  checkId(context.runAsUser, `${path}.runAsUser`)
  checkId(context.runAsGroup, `${path}.runAsGroup`)
  context.supplementalGroups?.forEach((group, index) => {
    checkId(group, `${path}.supplementalGroups[${index}]`)
  })
  if (spec.shareProcessNamespace && spec.hostPID) {
    const detail = 'ShareProcessNamespace and HostPID cannot both be enabled'
    errors.push(invalid(`${path}.shareProcessNamespace`, true, detail))
  }
  checkSysctls(context, path, errors)
  if (context.fsGroupChangePolicy !== undefined) {
    oneOf(context.fsGroupChangePolicy, ['Always', 'OnRootMismatch'], `${path}.fsGroupChangePolicy`, errors)
  }
  if (context.supplementalGroupsPolicy !== undefined) {
    oneOf(context.supplementalGroupsPolicy, ['Merge', 'Strict'], `${path}.supplementalGroupsPolicy`, errors)
  }
  checkSeccomp(context.seccompProfile, `${path}.seccompProfile`, errors)
  checkAppArmor(context.appArmorProfile, `${path}.appArmorProfile`, errors)
}

function checkSysctls(context: PodSecurityContext, path: string, errors: Errors): void {
  const seen = new Set<string>()
  context.sysctls?.forEach(({ name = '' }, index) => {
    const at = `${path}.sysctls[${index}].name`
    if (name === '') errors.push(required(at))
    else if (name.length > MAX_SYSCTL_LENGTH || !sysctlPattern.test(name)) {
      errors.push(invalid(at, name, `must have at most ${MAX_SYSCTL_LENGTH} characters and match regex ^${SYSCTL}$`))
    } else if (seen.has(name)) errors.push(duplicate(at, name))
    seen.add(name)
  })
}

export function checkSeccomp(profile: SeccompProfile | undefined, path: string, errors: Errors): void {
  if (!profile) return
  if (!profile.type) errors.push(required(`${path}.type`, 'type is required when seccompProfile is set'))
  else if (!PROFILE_TYPES.includes(profile.type)) errors.push(notSupported(`${path}.type`, profile.type, PROFILE_TYPES))
  checkLocalhost(profile, 'seccomp', path, errors)
}

export function checkAppArmor(profile: AppArmorProfile | undefined, path: string, errors: Errors): void {
  if (!profile) return
  if (!profile.type) errors.push(required(`${path}.type`, 'type is required when appArmorProfile is set'))
  else if (!PROFILE_TYPES.includes(profile.type)) errors.push(notSupported(`${path}.type`, profile.type, PROFILE_TYPES))
  checkLocalhost(profile, 'AppArmor', path, errors)
}

function checkLocalhost(profile: SeccompProfile, kind: string, path: string, errors: Errors): void {
  const at = `${path}.localhostProfile`
  if (profile.type === 'Localhost') {
    if (!profile.localhostProfile) {
      const detail =
        kind === 'seccomp' ? 'must be set when seccomp type is Localhost' : 'must be set when AppArmor type is Localhost'
      errors.push(required(at, detail))
    }
  } else if (profile.localhostProfile) {
    if (kind === 'seccomp') errors.push(invalid(at, profile.localhostProfile, 'can only be set when seccomp type is Localhost'))
    else errors.push(forbidden(at, 'can only be set when AppArmor type is Localhost'))
  }
}
