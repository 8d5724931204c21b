/** The checks that the Pod Security level `restricted` adds: current best practice. Texts are Kubernetes' own. */
import type { PodSpec, Volume } from '../../../api/types.ts'
import type { Check } from './baseline.ts'
import { type AnyContainer, allContainers, named, plural, quoted } from './containers.ts'

const VOLUME_TYPES = new Set([
  ...['configMap', 'csi', 'downwardAPI', 'emptyDir', 'ephemeral', 'image', 'persistentVolumeClaim', 'projected', 'secret'],
])
const isWindows = (spec: PodSpec) => spec.os?.name === 'windows'
const where = (spec: PodSpec, test: (container: AnyContainer) => unknown) => allContainers(spec).filter(test)

const allowPrivilegeEscalation: Check = (spec) => {
  if (isWindows(spec)) return undefined
  const bad = where(spec, (container) => container.securityContext?.allowPrivilegeEscalation !== false)
  if (bad.length === 0) return undefined
  return {
    reason: 'allowPrivilegeEscalation != false',
    detail: `${named(bad)} must set securityContext.allowPrivilegeEscalation=false`,
  }
}

const capabilities: Check = (spec) => {
  if (isWindows(spec)) return undefined
  const added = new Set<string>()
  const keeping = where(spec, (container) => !container.securityContext?.capabilities?.drop?.includes('ALL'))
  const adding = where(spec, (container) => {
    const forbidden = (container.securityContext?.capabilities?.add ?? []).filter((name) => name !== 'NET_BIND_SERVICE')
    for (const name of forbidden) added.add(name)
    return forbidden.length > 0
  })
  const details: string[] = []
  if (keeping.length > 0) details.push(`${named(keeping)} must set securityContext.capabilities.drop=["ALL"]`)
  if (adding.length > 0)
    details.push(`${named(adding)} must not include ${quoted([...added].sort())} in securityContext.capabilities.add`)
  return details.length > 0 ? { reason: 'unrestricted capabilities', detail: details.join('; ') } : undefined
}

const volumeTypes: Check = (spec) => {
  const bad = (spec.volumes ?? [])
    .map((volume) => ({ name: volume.name, type: typeOf(volume) }))
    .filter(({ type }) => !VOLUME_TYPES.has(type))
  if (bad.length === 0) return undefined
  const types = [...new Set(bad.map(({ type }) => type))].sort()
  const who = `${plural(bad.length, 'volume', 'volumes')} ${quoted(bad.map(({ name }) => name))}`
  const what = `${plural(bad.length, 'uses', 'use')} restricted volume ${plural(types.length, 'type', 'types')} ${quoted(types)}`
  return { reason: 'restricted volume types', detail: `${who} ${what}` }
}

/** The field that says where a volume comes from. */
function typeOf(volume: Volume): string {
  return Object.keys(volume).find((key) => key !== 'name' && volume[key as keyof Volume] !== undefined) ?? 'unknown'
}

const runAsNonRoot: Check = (spec) => {
  const details: string[] = []
  const ofPod = spec.securityContext?.runAsNonRoot
  if (ofPod === false) details.push('pod must not set securityContext.runAsNonRoot=false')
  const denying = where(spec, (container) => container.securityContext?.runAsNonRoot === false)
  if (denying.length > 0) details.push(`${named(denying)} must not set securityContext.runAsNonRoot=false`)
  const silent = where(spec, (container) => container.securityContext?.runAsNonRoot === undefined)
  if (details.length === 0 && silent.length > 0 && ofPod !== true) {
    details.push(`pod or ${named(silent)} must set securityContext.runAsNonRoot=true`)
  }
  return details.length > 0 ? { reason: 'runAsNonRoot != true', detail: details.join('; ') } : undefined
}

const runAsUser: Check = (spec) => {
  const setters: string[] = spec.securityContext?.runAsUser === 0 ? ['pod'] : []
  const bad = where(spec, (container) => container.securityContext?.runAsUser === 0)
  if (bad.length > 0) setters.push(named(bad))
  return setters.length > 0 ? { reason: 'runAsUser=0', detail: `${setters.join(' and ')} must not set runAsUser=0` } : undefined
}

const seccompProfile: Check = (spec) => {
  if (isWindows(spec)) return undefined
  const isGood = (type: string | undefined) => type === 'RuntimeDefault' || type === 'Localhost'
  const wrong = new Set<string>()
  const isBad = (type: string | undefined) => {
    if (type === undefined || isGood(type)) return false
    wrong.add(type)
    return true
  }
  const ofPod = spec.securityContext?.seccompProfile?.type
  const setters: string[] = isBad(ofPod) ? ['pod'] : []
  const bad = where(spec, (container) => isBad(container.securityContext?.seccompProfile?.type))
  if (bad.length > 0) setters.push(named(bad))
  if (setters.length > 0) {
    const types = quoted([...wrong].sort())
    return {
      reason: 'seccompProfile',
      detail: `${setters.join(' and ')} must not set securityContext.seccompProfile.type to ${types}`,
    }
  }
  const silent = where(spec, (container) => container.securityContext?.seccompProfile?.type === undefined)
  if (silent.length === 0 || isGood(ofPod)) return undefined
  const detail = `pod or ${named(silent)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`
  return { reason: 'seccompProfile', detail }
}

/** In the order Kubernetes reports them, behind what is left of the level below. */
export const restrictedChecks: readonly Check[] = [
  allowPrivilegeEscalation,
  capabilities,
  volumeTypes,
  runAsNonRoot,
  runAsUser,
  seccompProfile,
]
