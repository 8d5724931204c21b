/** Rules for Services: `ValidateService`. Whether an address or node port can be had is the server's to say. */
import { cidr, ipAddress } from '../addresses.ts'
import { equal } from '../equal.ts'
import type { Errors } from '../field-errors.ts'
import { duplicate, forbidden, invalid, notSupported, required } from '../field-errors.ts'
import { dnsLabel, dnsSubdomain, portNumber, qualifiedName } from '../names.ts'
import type { Service, ServicePort, ServiceSpec } from '../types.ts'
import { checkLabels, checkPort, obey, oneOf } from './rules.ts'

const TYPES = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']
const PROTOCOLS = ['SCTP', 'TCP', 'UDP']
const MAX_AFFINITY_SECONDS = 86400
/** Where kubelets listen. */
const KUBELET_PORT = 10250

/** Whether somebody outside the cluster may get at it. */
export function isExternallyReachable(spec: ServiceSpec): boolean {
  const { type } = spec
  return type === 'LoadBalancer' || type === 'NodePort' || (type === 'ClusterIP' && (spec.externalIPs?.length ?? 0) > 0)
}

export function checkService(service: Service, errors: Errors): void {
  const spec = service.spec ?? {}
  const { type = '' } = spec
  const headless = spec.clusterIP === 'None' || spec.clusterIPs?.[0] === 'None'
  if (!spec.ports?.length && !headless && type !== 'ExternalName') errors.push(required('spec.ports'))
  checkType(spec, errors)
  checkPorts(spec, headless, errors)
  if (spec.selector) checkLabels(spec.selector, 'spec.selector', errors)
  checkAffinity(spec, errors)
  checkClusterIPs(spec, errors)
  spec.externalIPs?.forEach((ip, index) => {
    obey(ip, ipAddress, `spec.externalIPs[${index}]`, errors)
  })
  checkTraffic(spec, errors)
  checkBalancer(spec, errors)
}

function checkType(spec: ServiceSpec, errors: Errors): void {
  const { type = '' } = spec
  if (type === '') errors.push(required('spec.type'))
  else if (!TYPES.includes(type)) errors.push(notSupported('spec.type', type, TYPES))
  if (type === 'ExternalName') {
    const name = spec.externalName?.replace(/\.$/, '')
    if (!name) errors.push(required('spec.externalName'))
    else obey(name, dnsSubdomain, 'spec.externalName', errors)
    if (spec.clusterIPs?.length) errors.push(forbidden('spec.clusterIPs', 'may not be set when type is ExternalName'))
    if (spec.ipFamilies?.length) errors.push(forbidden('spec.ipFamilies', 'may not be set for ExternalName services'))
    if (spec.ipFamilyPolicy !== undefined)
      errors.push(forbidden('spec.ipFamilyPolicy', 'may not be set for ExternalName services'))
  } else if (type === 'LoadBalancer') {
    if (spec.clusterIP === 'None')
      errors.push(invalid('spec.clusterIPs[0]', 'None', "may not be set to 'None' for LoadBalancer services"))
  } else if (type === 'NodePort' && spec.clusterIP === 'None') {
    errors.push(invalid('spec.clusterIPs[0]', 'None', "may not be set to 'None' for NodePort services"))
  }
}

function checkPorts(spec: ServiceSpec, headless: boolean, errors: Errors): void {
  const ports = spec.ports ?? []
  const names = new Set<string>()
  const taken = new Set<string>()
  const nodePorts = new Set<string>()
  const nodePortsAllowed = spec.type === 'NodePort' || spec.type === 'LoadBalancer'
  for (let index = 0; index < ports.length; index++) {
    const port = ports[index] as ServicePort
    const path = `spec.ports[${index}]`
    checkServicePort(port, ports.length > 1, headless, names, path, errors)
    if (spec.type === 'LoadBalancer' && port.port === KUBELET_PORT) {
      errors.push(invalid(path, port.port, 'may not expose port 10250 externally since it is used by kubelet'))
    }
    if (port.nodePort) {
      if (!nodePortsAllowed) errors.push(forbidden(`${path}.nodePort`, `may not be used when \`type\` is '${spec.type ?? ''}'`))
      else checkTaken(nodePorts, `${port.protocol}/${port.nodePort}`, () => duplicate(`${path}.nodePort`, port.nodePort), errors)
    }
    const asGo = { Name: '', Protocol: port.protocol ?? '', AppProtocol: null, Port: port.port, TargetPort: 0, NodePort: 0 }
    checkTaken(taken, `${port.protocol}/${port.port}`, () => duplicate(path, asGo), errors)
  }
}

function checkTaken(taken: Set<string>, key: string, error: () => Errors[number], errors: Errors): void {
  if (taken.has(key)) errors.push(error())
  taken.add(key)
}

function checkServicePort(
  port: ServicePort,
  named: boolean,
  headless: boolean,
  names: Set<string>,
  path: string,
  errors: Errors,
): void {
  if (port.name) {
    if (dnsLabel(port.name).length > 0) obey(port.name, dnsLabel, `${path}.name`, errors)
    if (names.has(port.name)) errors.push(duplicate(`${path}.name`, port.name))
    names.add(port.name)
  } else if (named) errors.push(required(`${path}.name`))
  for (const complaint of portNumber(port.port ?? 0)) errors.push(invalid(`${path}.port`, port.port ?? 0, complaint))
  if (port.protocol && !PROTOCOLS.includes(port.protocol)) errors.push(notSupported(`${path}.protocol`, port.protocol, PROTOCOLS))
  if (!port.protocol) errors.push(required(`${path}.protocol`))
  if (!headless || port.targetPort !== port.port) checkPort(port.targetPort, `${path}.targetPort`, errors)
  if (port.appProtocol !== undefined) obey(port.appProtocol, qualifiedName, `${path}.appProtocol`, errors)
}

function checkAffinity(spec: ServiceSpec, errors: Errors): void {
  oneOf(spec.sessionAffinity, ['ClientIP', 'None'], 'spec.sessionAffinity', errors, true)
  const config = spec.sessionAffinityConfig
  if (spec.sessionAffinity === 'None') {
    if (config) {
      errors.push(forbidden('spec.sessionAffinityConfig', 'must not be set when session affinity is None'))
    }
    return
  }
  const seconds = config?.clientIP?.timeoutSeconds
  if (seconds !== undefined && (seconds <= 0 || seconds > MAX_AFFINITY_SECONDS)) {
    const detail = `must be greater than 0 and less than ${MAX_AFFINITY_SECONDS}`
    errors.push(invalid('spec.sessionAffinityConfig.clientIP.timeoutSeconds', seconds, detail))
  }
}

function checkClusterIPs(spec: ServiceSpec, errors: Errors): void {
  if (spec.type === 'ExternalName') return
  const list = spec.clusterIPs ?? (spec.clusterIP ? [spec.clusterIP] : [])
  if (spec.clusterIP !== undefined && spec.clusterIPs?.length && spec.clusterIPs[0] !== spec.clusterIP) {
    errors.push(invalid('spec.clusterIPs', spec.clusterIPs, 'first value must match `clusterIP`'))
  }
  list.forEach((ip, index) => {
    const path = `spec.clusterIPs[${index}]`
    if (ip === '') return
    if (ip === 'None') {
      if (list.length > 1) errors.push(invalid(path, list, "'None' must be the first and only value"))
    } else obey(ip, ipAddress, path, errors)
  })
  if (list.length > 2) errors.push(invalid('spec.clusterIPs', list, 'may only hold up to 2 values'))
  spec.ipFamilies?.forEach((family, index) => {
    oneOf(family, ['IPv4', 'IPv6'], `spec.ipFamilies[${index}]`, errors, true)
  })
  oneOf(spec.ipFamilyPolicy, ['PreferDualStack', 'RequireDualStack', 'SingleStack'], 'spec.ipFamilyPolicy', errors)
}

function checkTraffic(spec: ServiceSpec, errors: Errors): void {
  const external = spec.externalTrafficPolicy
  if (isExternallyReachable(spec)) oneOf(external, ['Cluster', 'Local'], 'spec.externalTrafficPolicy', errors, true)
  else if (external) {
    errors.push(invalid('spec.externalTrafficPolicy', external, 'may only be set for externally-accessible services'))
  }
  if (spec.healthCheckNodePort && !(spec.type === 'LoadBalancer' && external === 'Local')) {
    const detail = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
    errors.push(invalid('spec.healthCheckNodePort', spec.healthCheckNodePort, detail))
  }
  oneOf(spec.internalTrafficPolicy, ['Cluster', 'Local'], 'spec.internalTrafficPolicy', errors)
  const distribution = ['PreferClose', 'PreferSameNode', 'PreferSameZone']
  oneOf(spec.trafficDistribution, distribution, 'spec.trafficDistribution', errors)
}

function checkBalancer(spec: ServiceSpec, errors: Errors): void {
  if (spec.type === 'LoadBalancer') {
    if (spec.allocateLoadBalancerNodePorts === undefined) errors.push(required('spec.allocateLoadBalancerNodePorts'))
    if (spec.loadBalancerClass !== undefined) obey(spec.loadBalancerClass, qualifiedName, 'spec.loadBalancerClass', errors)
  } else {
    if (spec.allocateLoadBalancerNodePorts !== undefined) {
      errors.push(forbidden('spec.allocateLoadBalancerNodePorts', "may only be used when `type` is 'LoadBalancer'"))
    }
    if (spec.loadBalancerClass !== undefined) {
      errors.push(forbidden('spec.loadBalancerClass', "may only be used when `type` is 'LoadBalancer'"))
    }
  }
  if (!spec.loadBalancerSourceRanges?.length) return
  if (spec.type !== 'LoadBalancer') {
    const detail = "may only be used when `type` is 'LoadBalancer'"
    errors.push(forbidden('spec.LoadBalancerSourceRanges', detail))
  }
  spec.loadBalancerSourceRanges.forEach((range, index) => {
    obey(range.trim(), cidr, `spec.LoadBalancerSourceRanges[${index}]`, errors)
  })
}

export function checkServiceUpdate(service: Service, old: Service, errors: Errors): void {
  checkService(service, errors)
  const [spec, before] = [service.spec ?? {}, old.spec ?? {}]
  if (spec.type !== 'ExternalName' && before.type !== 'ExternalName') {
    const first = before.clusterIPs?.[0] ?? before.clusterIP
    const now = spec.clusterIPs?.[0] ?? spec.clusterIP
    if (first && now !== first)
      errors.push(invalid('spec.clusterIPs[0]', spec.clusterIPs ?? [now ?? ''], 'may not change once set'))
  }
  if (
    spec.type === 'LoadBalancer' &&
    before.type === 'LoadBalancer' &&
    !equal(spec.loadBalancerClass, before.loadBalancerClass)
  ) {
    errors.push(invalid('spec.loadBalancerClass', spec.loadBalancerClass, 'may not change once set'))
  }
}
