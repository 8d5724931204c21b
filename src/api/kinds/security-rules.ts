/** Rules for the security context of a pod, and the profiles that pods and containers share. */
import type { Errors } from '../field-errors.ts'
import { duplicate, invalid, notSupported, required, tooLong } from '../field-errors.ts'
import { userId } from '../names.ts'
import type { AppArmorProfile, PodSecurityContext, PodSpec, SeccompProfile } from '../types.ts'
import { checkDescendingPath } from './paths.ts'
import { oneOf } from './rules.ts'
import { checkWindowsOptions } from './windows-rules.ts'

const SYSCTL_SEGMENT = '[a-z0-9]([-_a-z0-9]*[a-z0-9])?'
const SYSCTL = `(${SYSCTL_SEGMENT}[\\./])*${SYSCTL_SEGMENT}`
const sysctlPattern = new RegExp(`^${SYSCTL}$`)
const MAX_SYSCTL_LENGTH = 253
/** The settings that belong to a namespace of the kernel's, which a pod may share with its host. */
const NETWORK_SYSCTL = /^net[./]/
const IPC_SYSCTL = /^(kernel[./](sem|shm|msg)|fs[./]mqueue[./])/
/** What a path may have. */
const MAX_PROFILE_LENGTH = 4095
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
  checkSysctls(context, spec, path, errors)
  if (context.fsGroupChangePolicy !== undefined) {
    oneOf(context.fsGroupChangePolicy, ['Always', 'OnRootMismatch'], `${path}.fsGroupChangePolicy`, errors)
  }
  if (context.supplementalGroupsPolicy !== undefined) {
    oneOf(context.supplementalGroupsPolicy, ['Merge', 'Strict'], `${path}.supplementalGroupsPolicy`, errors)
  }
  oneOf(context.seLinuxChangePolicy, ['MountOption', 'Recursive'], `${path}.seLinuxChangePolicy`, errors)
  checkSeccomp(context.seccompProfile, `${path}.seccompProfile`, errors)
  checkAppArmor(context.appArmorProfile, `${path}.appArmorProfile`, errors)
  checkWindowsOptions(context.windowsOptions, `${path}.windowsOptions`, errors)
}

function checkSysctls(context: PodSecurityContext, spec: PodSpec, path: string, errors: Errors): void {
  const seen = new Set<string>()
  context.sysctls?.forEach(({ name = '' }, index) => {
    const at = `${path}.sysctls[${index}].name`
    if (name === '') errors.push(required(at))
    else if (name.length > MAX_SYSCTL_LENGTH || !sysctlPattern.test(name)) {
      errors.push(invalid(at, name, `must have at most ${MAX_SYSCTL_LENGTH} characters and match regex ^${SYSCTL}$`))
    } else if (seen.has(name)) errors.push(duplicate(at, name))
    if (spec.hostNetwork && NETWORK_SYSCTL.test(name))
      errors.push(invalid(at, name, "may not be specified when 'hostNetwork' is true"))
    else if (spec.hostIPC && IPC_SYSCTL.test(name)) errors.push(invalid(at, name, "may not be specified when 'hostIPC' is true"))
    seen.add(name)
  })
}

export function checkSeccomp(profile: SeccompProfile | undefined, path: string, errors: Errors): void {
  if (!profile) return
  if (!profile.type) errors.push(required(`${path}.type`, 'type is required when seccompProfile is set'))
  else if (!PROFILE_TYPES.includes(profile.type)) errors.push(notSupported(`${path}.type`, profile.type, PROFILE_TYPES))
  const at = `${path}.localhostProfile`
  const file = profile.localhostProfile
  if (profile.type === 'Localhost') {
    if (file === undefined) errors.push(required(at, 'must be set when seccomp type is Localhost'))
    else checkDescendingPath(file, at, errors)
  } else if (file !== undefined) {
    const asGo = { Type: profile.type ?? '', LocalhostProfile: file }
    errors.push(invalid(at, asGo, 'can only be set when seccomp type is Localhost'))
  }
}

export function checkAppArmor(profile: AppArmorProfile | undefined, path: string, errors: Errors): void {
  if (!profile) return
  const at = `${path}.localhostProfile`
  const { type, localhostProfile: name } = profile
  if (!type) errors.push(required(`${path}.type`, 'type is required when appArmorProfile is set'))
  else if (!PROFILE_TYPES.includes(type)) errors.push(notSupported(`${path}.type`, type, PROFILE_TYPES))
  else if (type !== 'Localhost') {
    if (name !== undefined) errors.push(invalid(at, name, 'can only be set when AppArmor type is Localhost'))
  } else if (name === undefined) errors.push(required(at, 'must be set when AppArmor type is Localhost'))
  else if (name !== name.trim()) errors.push(invalid(at, name, 'must not be padded with whitespace'))
  else if (name === '') errors.push(required(at, 'must be set when AppArmor type is Localhost'))
  else if (name.length > MAX_PROFILE_LENGTH) errors.push(tooLong(at, MAX_PROFILE_LENGTH))
}
