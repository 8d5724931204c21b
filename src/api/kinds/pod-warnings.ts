/**
 * What Kubernetes warns of in pods and templates that are right, but perhaps not meant so. Most pods give no reason for any: what
 * is asked of each is cheap, and paths are built only where there is something to say.
 */
import { quote } from '../field-errors.ts'
import { dnsLabel } from '../names.ts'
import { canonicalQuantity, quantityMilliValue, tryParseQuantity } from '../quantity.ts'
import type { Container, ObjectMeta, PodAffinity, PodSpec, PodTemplateSpec, ResourceRequirements, Volume } from '../types.ts'
import { warnOfAddress } from './address-warnings.ts'
import { nodeLabelComplaint, warnOfNodeTerm } from './node-labels.ts'
import { warnOfPorts } from './port-warnings.ts'
import { warnOfOverlappingFiles } from './volume-warnings.ts'

/** A name that becomes a host name should be a label. `use` says where it is used. */
export function warnOfName(name: string | undefined, use: string, warnings: string[]): void {
  const complaints = dnsLabel(name ?? '')
  if (complaints.length === 0) return
  const advice = 'which can result in surprising behavior; a DNS label is recommended'
  warnings.push(`metadata.name: this is used in ${use}, ${advice}: [${complaints.join(' ')}]`)
}

/** `path` is that of the template. */
export function warnOfTemplate(template: PodTemplateSpec | undefined, path: string, warnings: string[]): void {
  if (template?.spec) warnOfPod(template.spec, template.metadata, `${path}.`, warnings)
}

/** `prefix` stands before `spec` and `metadata`: empty for pods, `spec.template.` for templates. */
export function warnOfPod(spec: PodSpec, metadata: ObjectMeta | undefined, prefix: string, warnings: string[]): void {
  const path = `${prefix}spec`
  warnOfPlacement(spec, path, warnings)
  if (metadata?.annotations) warnOfAnnotations(spec, metadata.annotations, prefix, warnings)
  if (spec.volumes) warnOfVolumes(spec.volumes, path, warnings)
  warnOfRepeated(spec, path, warnings)
  if (spec.overhead) warnOfFractions(spec.overhead, `${path}.overhead`, warnings)
  for (const list of CONTAINERS) {
    const containers = spec[list] as Container[] | undefined
    for (let index = 0; index < (containers?.length ?? 0); index++) {
      warnOfContainer(containers?.[index] as Container, `${path}.${list}[${index}]`, warnings)
    }
  }
  warnOfPorts(spec, path, warnings)
  if ((spec.terminationGracePeriodSeconds ?? 0) < 0) {
    warnings.push(`${path}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1`)
  }
  warnOfPodAffinity(spec.affinity?.podAffinity, `${path}.affinity.podAffinity`, warnings)
  warnOfPodAffinity(spec.affinity?.podAntiAffinity, `${path}.affinity.podAntiAffinity`, warnings)
  spec.dnsConfig?.nameservers?.forEach((ip, index) => {
    warnOfAddress(ip, () => `${path}.dnsConfig.nameservers[${index}]`, warnings)
  })
  spec.hostAliases?.forEach(({ ip }, index) => {
    warnOfAddress(ip, () => `${path}.hostAliases[${index}].ip`, warnings)
  })
}

const CONTAINERS = ['initContainers', 'containers', 'ephemeralContainers'] as const
const NO_SELECTOR = 'a null labelSelector results in matching no pod'
const REQUIRED = 'requiredDuringSchedulingIgnoredDuringExecution'
const PREFERRED = 'preferredDuringSchedulingIgnoredDuringExecution'

function warnOfPlacement(spec: PodSpec, path: string, warnings: string[]): void {
  for (const key in spec.nodeSelector) {
    const complaint = nodeLabelComplaint(key)
    if (complaint) warnings.push(`${path}.nodeSelector[${key}]: ${complaint}`)
  }
  const nodes = spec.affinity?.nodeAffinity
  nodes?.[REQUIRED]?.nodeSelectorTerms?.forEach((term, index) => {
    warnOfNodeTerm(term, false, `${path}.affinity.nodeAffinity.${REQUIRED}.nodeSelectorTerms[${index}]`, warnings)
  })
  nodes?.[PREFERRED]?.forEach(({ preference }, index) => {
    warnOfNodeTerm(preference, true, `${path}.affinity.nodeAffinity.${PREFERRED}[${index}].preference`, warnings)
  })
  spec.topologySpreadConstraints?.forEach(({ topologyKey, labelSelector }, index) => {
    const at = `${path}.topologySpreadConstraints[${index}]`
    const complaint = nodeLabelComplaint(topologyKey)
    if (complaint) warnings.push(`${at}.topologyKey: ${topologyKey} is ${complaint}`)
    if (!labelSelector) warnings.push(`${at}.labelSelector: ${NO_SELECTOR}`)
  })
}

function warnOfPodAffinity(affinity: PodAffinity | undefined, path: string, warnings: string[]): void {
  affinity?.[REQUIRED]?.forEach(({ labelSelector }, index) => {
    if (!labelSelector) warnings.push(`${path}.${REQUIRED}[${index}].labelSelector: ${NO_SELECTOR}`)
  })
  affinity?.[PREFERRED]?.forEach(({ podAffinityTerm }, index) => {
    if (!podAffinityTerm?.labelSelector) {
      warnings.push(`${path}.${PREFERRED}[${index}].podAffinityTerm.labelSelector: ${NO_SELECTOR}`)
    }
  })
}

const USELESS_ANNOTATIONS: readonly (readonly [key: string, message: string])[] = [
  ['scheduler.alpha.kubernetes.io/critical-pod', 'non-functional in v1.16+; use the "priorityClassName" field instead'],
  ['security.alpha.kubernetes.io/sysctls', 'non-functional in v1.11+; use the "sysctls" field instead'],
  ['security.alpha.kubernetes.io/unsafe-sysctls', 'non-functional in v1.11+; use the "sysctls" field instead'],
]
const SECCOMP_POD = 'seccomp.security.alpha.kubernetes.io/pod'
const SECCOMP_CONTAINER = 'container.seccomp.security.alpha.kubernetes.io/'
const APP_ARMOR = 'container.apparmor.security.beta.kubernetes.io/'

function warnOfAnnotations(spec: PodSpec, annotations: Record<string, string>, prefix: string, warnings: string[]): void {
  const warn = (key: string, message: string) => warnings.push(`${prefix}metadata.annotations[${key}]: ${message}`)
  for (const [key, message] of USELESS_ANNOTATIONS) if (annotations[key] !== undefined) warn(key, message)
  const seccomp = 'non-functional in v1.27+; use the "seccompProfile" field instead'
  if (annotations[SECCOMP_POD] !== undefined && !spec.securityContext?.seccompProfile) warn(SECCOMP_POD, seccomp)
  for (const list of CONTAINERS) {
    for (const { name, securityContext } of (spec[list] ?? []) as Container[]) {
      if (annotations[SECCOMP_CONTAINER + name] !== undefined && !securityContext?.seccompProfile) {
        warn(SECCOMP_CONTAINER + name, seccomp)
      }
      const hasProfile = spec.securityContext?.appArmorProfile ?? securityContext?.appArmorProfile
      if (annotations[APP_ARMOR + name] !== undefined && !hasProfile) {
        warn(APP_ARMOR + name, 'deprecated since v1.30; use the "appArmorProfile" field instead')
      }
    }
  }
}

/** Drivers that went, by the field of the volume. */
const OLD_DRIVERS: readonly (readonly [field: keyof Volume, message: string, shown?: string])[] = [
  ['photonPersistentDisk', 'deprecated in v1.11, non-functional in v1.16+'],
  ['gitRepo', 'deprecated in v1.11, and disabled by default in v1.33+'],
  ['scaleIO', 'deprecated in v1.16, non-functional in v1.22+'],
  ['flocker', 'deprecated in v1.22, non-functional in v1.25+'],
  ['storageos', 'deprecated in v1.22, non-functional in v1.25+', 'storageOS'],
  ['quobyte', 'deprecated in v1.22, non-functional in v1.25+'],
  ['glusterfs', 'deprecated in v1.25, non-functional in v1.26+'],
  ['cephfs', 'deprecated in v1.28, non-functional in v1.31+'],
  ['rbd', 'deprecated in v1.28, non-functional in v1.31+'],
]

function warnOfVolumes(volumes: readonly Volume[], path: string, warnings: string[]): void {
  volumes.forEach((volume, index) => {
    for (const [field, message, shown = field] of OLD_DRIVERS) {
      if (volume[field] !== undefined) warnings.push(`${path}.volumes[${index}].${shown}: ${message}`)
    }
    const claim = volume.ephemeral?.volumeClaimTemplate?.spec
    if (claim) warnOfClaim(claim.resources, `${path}.volumes[${index}].ephemeral.volumeClaimTemplate.spec`, warnings)
  })
  warnOfOverlappingFiles(volumes, warnings)
}

function warnOfRepeated(spec: PodSpec, path: string, warnings: string[]): void {
  const ips = new Set<string>()
  spec.hostAliases?.forEach(({ ip }, index) => {
    if (ips.has(ip)) warnings.push(`${path}.hostAliases[${index}].ip: duplicate ip ${quote(ip)}`)
    ips.add(ip)
  })
  const names = new Set<string>()
  const empty: string[] = []
  spec.imagePullSecrets?.forEach(({ name = '' }, index) => {
    const at = `${path}.imagePullSecrets[${index}].name`
    if (names.has(name)) warnings.push(`${at}: duplicate name ${quote(name)}`)
    if (name === '') empty.push(`${at}: invalid empty name ""`)
    names.add(name)
  })
  warnings.push(...empty)
}

/** Bytes come whole. */
function warnOfFractions(amounts: Record<string, string> | undefined, path: string, warnings: string[], only?: string): void {
  for (const name of only ? [only] : ['memory', 'ephemeral-storage']) {
    const text = amounts?.[name]
    const quantity = text === undefined ? undefined : tryParseQuantity(text)
    if (text === undefined || !quantity || quantityMilliValue(quantity) % 1000 === 0) continue
    warnings.push(`${path}[${name}]: fractional byte value "${canonicalQuantity(text)}" is invalid, must be an integer`)
  }
}

/** What a claim asks for; `path` is that of its spec. */
export function warnOfClaim(resources: ResourceRequirements | undefined, path: string, warnings: string[]): void {
  warnOfFractions(resources?.requests, `${path}.resources.requests`, warnings, 'storage')
  warnOfFractions(resources?.limits, `${path}.resources.limits`, warnings, 'storage')
}

function warnOfContainer({ resources, env }: Container, path: string, warnings: string[]): void {
  if (resources) {
    warnOfFractions(resources.limits, `${path}.resources.limits`, warnings)
    warnOfFractions(resources.requests, `${path}.resources.requests`, warnings)
  }
  if (!env || env.length < 2) return
  const names = new Set<string>()
  env.forEach(({ name, value = '', valueFrom }, index) => {
    const reference = `$(${name})`
    // A value may build on the one before: X=a, X=$(X)b.
    const builds = !valueFrom && value !== reference && value.includes(reference)
    if (names.has(name) && !builds) {
      const message = `hides previous definition of ${quote(name)}, which may be dropped when using apply`
      warnings.push(`${path}.env[${index}]: ${message}`)
    }
    names.add(name)
  })
}
