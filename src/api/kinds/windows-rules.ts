/** Rules about operating systems: what Windows containers may say of themselves, and what pods of one system may not. */
import { type Errors, forbidden, invalid, notSupported, required } from '../field-errors.ts'
import { dnsSubdomain } from '../names.ts'
import type { Container, EphemeralContainer, PodSpec, WindowsSecurityContextOptions } from '../types.ts'
import { obey } from './rules.ts'

const SYSTEMS = ['linux', 'windows']
const MAX_CREDENTIAL_KIB = 64
const MAX_DOMAIN_LENGTH = 256
const MAX_USER_LENGTH = 104
const NETBIOS_NAME = /^[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}$/
const DNS_NAME = /^[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$/
const NO_USER_CHARACTERS = /["/\\:;|=,+*?<>@[\]]/
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused.
const CONTROL = /[\u0000-\u001f\u007f]/

export function checkWindowsOptions(options: WindowsSecurityContextOptions | undefined, path: string, errors: Errors): void {
  if (!options) return
  const { gmsaCredentialSpecName: name, gmsaCredentialSpec: credential, runAsUserName: user } = options
  if (name !== undefined) obey(name, dnsSubdomain, `${path}.gmsaCredentialSpecName`, errors)
  const refuse = (detail: string) => errors.push(invalid(`${path}.gmsaCredentialSpec`, credential, detail))
  if (credential === '') refuse('gmsaCredentialSpec cannot be an empty string')
  else if ((credential?.length ?? 0) > MAX_CREDENTIAL_KIB * 1024)
    refuse(`gmsaCredentialSpec size must be under ${MAX_CREDENTIAL_KIB} KiB`)
  if (user !== undefined) {
    for (const complaint of userComplaints(user)) errors.push(invalid(`${path}.runAsUserName`, user, `runAsUserName${complaint}`))
  }
}

/** `DOMAIN\\user` or `user`. */
function userComplaints(text: string): string[] {
  if (text === '') return [' cannot be an empty string']
  if (CONTROL.test(text)) return [' cannot contain control characters']
  const parts = text.split('\\')
  if (parts.length > 2) return [' cannot contain more than one backslash']
  const user = parts.at(-1) ?? ''
  const domain = parts.length === 2 ? (parts[0] ?? '') : undefined
  const complaints: string[] = []
  if ((domain?.length ?? 0) >= MAX_DOMAIN_LENGTH)
    complaints.push(`'s Domain length must be under ${MAX_DOMAIN_LENGTH} characters`)
  if (domain !== undefined && !NETBIOS_NAME.test(domain) && !DNS_NAME.test(domain))
    complaints.push("'s Domain doesn't match the NetBios nor the DNS format")
  if (user === '') complaints.push("'s User cannot be empty")
  if (user.length > MAX_USER_LENGTH) complaints.push(`'s User length must not be longer than ${MAX_USER_LENGTH} characters`)
  if (/^[. ]+$/.test(user)) complaints.push("'s User cannot contain only periods or spaces")
  if (NO_USER_CHARACTERS.test(user)) complaints.push('\'s User cannot contain the following characters: "/\\:;|=,+*?<>@[]')
  return complaints
}

/** A pod that names its system says nothing that only another one knows. */
export function checkSystem(spec: PodSpec, path: string, errors: Errors): void {
  const { os } = spec
  if (!os) return
  if (!os.name) errors.push(required(`${path}.os.name`, 'cannot be empty'))
  else if (!SYSTEMS.includes(os.name)) errors.push(notSupported(`${path}.os`, os.name, SYSTEMS))
  else if (os.name === 'linux') forbidWindows(spec, path, errors)
  else forbidLinux(spec, path, errors)
}

function forbidWindows(spec: PodSpec, path: string, errors: Errors): void {
  const detail = 'windows options cannot be set for a linux pod'
  if (spec.securityContext?.windowsOptions) errors.push(forbidden(`${path}.securityContext.windowsOptions`, detail))
  for (const [container, at] of containersOf(spec, path)) {
    if (container.securityContext?.windowsOptions) errors.push(forbidden(`${at}.securityContext.windowsOptions`, detail))
  }
}

const POD_FIELDS = ['hostUsers', 'shareProcessNamespace'] as const
const POD_SWITCHES = ['hostPID', 'hostIPC'] as const
const POD_CONTEXT = [
  ...([
    'appArmorProfile',
    'seLinuxOptions',
    'seccompProfile',
    'fsGroup',
    'fsGroupChangePolicy',
    'runAsUser',
    'runAsGroup',
  ] as const),
  ...(['supplementalGroups', 'supplementalGroupsPolicy', 'seLinuxChangePolicy'] as const),
]
const CONTAINER_CONTEXT = [
  ...(['appArmorProfile', 'seLinuxOptions', 'seccompProfile', 'capabilities', 'readOnlyRootFilesystem', 'privileged'] as const),
  ...(['allowPrivilegeEscalation', 'procMount', 'runAsUser', 'runAsGroup'] as const),
]

function forbidLinux(spec: PodSpec, path: string, errors: Errors): void {
  const refuse = (field: string) => errors.push(forbidden(field, 'cannot be set for a windows pod'))
  for (const field of POD_FIELDS) if (spec[field] !== undefined) refuse(`${path}.${field}`)
  for (const field of POD_SWITCHES) if (spec[field]) refuse(`${path}.${field}`)
  const context = spec.securityContext
  for (const field of POD_CONTEXT) if (context?.[field] !== undefined) refuse(`${path}.securityContext.${field}`)
  if (context?.sysctls?.length) refuse(`${path}.securityContext.sysctls`)
  for (const [container, at] of containersOf(spec, path)) {
    for (const field of CONTAINER_CONTEXT) {
      if (container.securityContext?.[field] !== undefined) refuse(`${at}.securityContext.${field}`)
    }
  }
}

function containersOf(spec: PodSpec, path: string): (readonly [Container | EphemeralContainer, string])[] {
  return (['initContainers', 'containers', 'ephemeralContainers'] as const).flatMap((list) =>
    (spec[list] ?? []).map((container, index) => [container, `${path}.${list}[${index}]`] as const),
  )
}
