/** What Kubernetes warns of in Services. */
import type { Service, ServiceSpec } from '../types.ts'
import { warnOfAddress, warnOfRange } from './address-warnings.ts'

const HINTS = 'service.kubernetes.io/topology-aware-hints'

export function serviceWarnings({ metadata, spec = {} }: Service): string[] {
  const warnings: string[] = []
  if (metadata?.annotations?.[HINTS] !== undefined) {
    warnings.push(`annotation ${HINTS} is deprecated, please use service.kubernetes.io/topology-mode instead`)
  }
  const headless = spec.type === 'ClusterIP' && spec.clusterIP === 'None'
  if (!headless) {
    spec.clusterIPs?.forEach((ip, index) => {
      warnOfAddress(ip, () => `spec.clusterIPs[${index}]`, warnings)
    })
  } else warnOfHeadless(spec, warnings)
  warnOfOutside(spec, headless, warnings)
  if (spec.trafficDistribution === 'PreferClose') {
    warnings.push('spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"')
  }
  return warnings
}

function warnOfHeadless(spec: ServiceSpec, warnings: string[]): void {
  if (spec.loadBalancerIP) warnings.push('spec.loadBalancerIP is ignored for headless services')
  if (spec.externalIPs?.length) warnings.push('spec.externalIPs is ignored for headless services')
  if (spec.sessionAffinity !== 'None') warnings.push('spec.SessionAffinity is ignored for headless services')
}

/** How the Service is reached from elsewhere. */
function warnOfOutside(spec: ServiceSpec, headless: boolean, warnings: string[]): void {
  const ips = spec.externalIPs ?? []
  const elsewhere = spec.type === 'ExternalName'
  ips.forEach((ip, index) => {
    warnOfAddress(ip, () => `spec.externalIPs[${index}]`, warnings)
  })
  if (ips.length > 0 && !headless && !elsewhere) {
    warnings.push('spec.externalIPs is deprecated and may no longer be implemented in some clusters')
  }
  if (spec.loadBalancerIP) warnOfAddress(spec.loadBalancerIP, () => 'spec.loadBalancerIP', warnings)
  spec.loadBalancerSourceRanges?.forEach((range, index) => {
    warnOfRange(range, () => `spec.loadBalancerSourceRanges[${index}]`, warnings)
  })
  if (elsewhere && ips.length > 0) warnings.push('spec.externalIPs is ignored when spec.type is "ExternalName"')
  if (!elsewhere && spec.externalName) warnings.push('spec.externalName is ignored when spec.type is not "ExternalName"')
}
