/**
 * What an update of a Service keeps without saying so, and what a change of its type drops: addresses and ports that were given
 * out belong to the Service until it stops needing them. Pure; Kubernetes' `patchAllocatedValues` and `dropTypeDependentFields`.
 */
import type { Service, ServicePort, ServiceSpec } from '../../../api/types.ts'

export const needsAddress = (spec: ServiceSpec): boolean => spec.type !== 'ExternalName'
export const needsNodePorts = (spec: ServiceSpec): boolean => spec.type === 'NodePort' || givesBalancerPorts(spec)
const givesBalancerPorts = (spec: ServiceSpec) => spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false
export const needsHealthPort = (spec: ServiceSpec): boolean =>
  spec.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local'
export const isHeadless = (spec: ServiceSpec): boolean => spec.clusterIP === 'None' || spec.clusterIPs?.[0] === 'None'

/** `clusterIP` is the first of `clusterIPs`: whichever of the two a client set or cleared, the other follows. */
export function pairAddresses(service: Service, old?: Service): void {
  const { spec } = service
  if (!spec) return
  if (spec.clusterIPs?.length === 0) delete spec.clusterIPs
  const before = old?.spec
  if (!before) {
    if (spec.clusterIP && !spec.clusterIPs) spec.clusterIPs = [spec.clusterIP]
    return
  }
  const sameList = JSON.stringify(spec.clusterIPs ?? []) === JSON.stringify(before.clusterIPs ?? [])
  if ((spec.clusterIP ?? '') !== (before.clusterIP ?? '') && sameList) {
    if (spec.clusterIP) spec.clusterIPs = [spec.clusterIP, ...(spec.clusterIPs ?? []).slice(1)]
    else delete spec.clusterIPs
  }
}

/** Fills in what was given out before and is still needed. */
export function keepAllocated(service: Service, old: Service): void {
  const [spec, before] = [service.spec, old.spec]
  if (!spec || !before) return
  if (needsAddress(before) && needsAddress(spec)) {
    if (!spec.clusterIP && before.clusterIP) spec.clusterIP = before.clusterIP
    if (!spec.clusterIPs && spec.clusterIP === before.clusterIP && before.clusterIPs) spec.clusterIPs = [...before.clusterIPs]
  }
  if (needsNodePorts(before) && needsNodePorts(spec)) keepNodePorts(spec.ports ?? [], before.ports ?? [])
  if (needsHealthPort(before) && needsHealthPort(spec) && before.healthCheckNodePort) {
    spec.healthCheckNodePort ||= before.healthCheckNodePort
  }
}

function keepNodePorts(ports: ServicePort[], before: readonly ServicePort[]): void {
  const used = new Set(ports.map((port) => port.nodePort))
  for (const port of ports) {
    if (port.nodePort) continue
    const same = before.find((other) => other.port === port.port && (other.protocol ?? 'TCP') === (port.protocol ?? 'TCP'))
    if (same?.nodePort && !used.has(same.nodePort)) port.nodePort = same.nodePort
  }
}

/** Removes what the new type has no use for, where the client only left it as it was. */
export function dropUnneeded(service: Service, old: Service): void {
  const [spec, before] = [service.spec, old.spec]
  if (!spec || !before) return
  if (needsAddress(before) && !needsAddress(spec) && spec.clusterIP === before.clusterIP) {
    delete spec.clusterIP
    delete spec.clusterIPs
    delete spec.ipFamilies
    delete spec.ipFamilyPolicy
  }
  if (hasNodePorts(before) && !hasNodePorts(spec) && samePorts(spec, before))
    for (const port of spec.ports ?? []) delete port.nodePort
  if (needsHealthPort(before) && !needsHealthPort(spec) && spec.healthCheckNodePort === before.healthCheckNodePort) {
    delete spec.healthCheckNodePort
  }
  if (before.type === 'LoadBalancer' && spec.type !== 'LoadBalancer') {
    if (spec.allocateLoadBalancerNodePorts === before.allocateLoadBalancerNodePorts) delete spec.allocateLoadBalancerNodePorts
    if (spec.loadBalancerClass === before.loadBalancerClass) delete spec.loadBalancerClass
  }
  if (isExternal(before) && !isExternal(spec) && spec.externalTrafficPolicy === before.externalTrafficPolicy) {
    delete spec.externalTrafficPolicy
  }
  if (
    before.type !== 'ExternalName' &&
    spec.type === 'ExternalName' &&
    spec.internalTrafficPolicy === before.internalTrafficPolicy
  ) {
    delete spec.internalTrafficPolicy
  }
}

const hasNodePorts = (spec: ServiceSpec) => spec.type === 'NodePort' || spec.type === 'LoadBalancer'
const isExternal = (spec: ServiceSpec) => hasNodePorts(spec) || (spec.externalIPs?.length ?? 0) > 0

/** Whether both have the same node ports, in whatever order. */
function samePorts(a: ServiceSpec, b: ServiceSpec): boolean {
  const listed = (spec: ServiceSpec) => (spec.ports ?? []).map((port) => port.nodePort ?? 0).sort()
  return JSON.stringify(listed(a)) === JSON.stringify(listed(b))
}
