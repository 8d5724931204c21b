/** Rules for Services: `ValidateService`. Whether an address or node port can be had is the server's to say. */
import { cidr, ipAddress, ipFamily } from '../addresses.ts'
import { equal } from '../equal.ts'
import type { Errors } from '../field-errors.ts'
import { duplicate, forbidden, invalid, notSupported, required } from '../field-errors.ts'
import { dnsLabel, dnsSubdomain, portNumber, qualifiedName } from '../names.ts'
import type { Service, ServicePort, ServiceSpec } from '../types.ts'
import { checkReachable } from './reachable.ts'
import { checkLabels, checkPort, obey, oneOf } from './rules.ts'

const TYPES = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']
const PROTOCOLS = ['SCTP', 'TCP', 'UDP']
const MAX_AFFINITY_SECONDS = 86400
const HINTS = 'service.kubernetes.io/topology-aware-hints'
const MODE = 'service.kubernetes.io/topology-mode'

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
  checkPorts(spec, errors)
  if (spec.selector) checkLabels(spec.selector, 'spec.selector', errors)
  checkAffinity(spec, errors)
  checkClusterIPs(spec, errors)
  spec.externalIPs?.forEach((ip, index) => {
    if (ipAddress(ip).length > 0) obey(ip, ipAddress, `spec.externalIPs[${index}]`, errors)
    else checkReachable(ip, `spec.externalIPs[${index}]`, errors)
  })
  checkHints(service, errors)
  checkTraffic(spec, errors)
  checkBalancer(spec, errors)
}

/** The old and the new spelling of one annotation must agree. */
function checkHints({ metadata }: Service, errors: Errors): void {
  const hints = metadata.annotations?.[HINTS]
  const mode = metadata.annotations?.[MODE]
  if (hints === undefined || mode === undefined || hints === mode) return
  errors.push(invalid(`metadata.annotations[${MODE}]`, mode, `must match annotations[${HINTS}] when both are specified`))
}

function checkType(spec: ServiceSpec, errors: Errors): void {
  const { type = '' } = spec
  if (type === '') errors.push(required('spec.type'))
  else if (!TYPES.includes(type)) errors.push(notSupported('spec.type', type, TYPES))
  if (type === 'ExternalName') {
    const name = spec.externalName?.replace(/\.$/, '')
    if (!name) errors.push(required('spec.externalName'))
    else obey(name, dnsSubdomain, 'spec.externalName', errors)
    if (spec.clusterIPs?.length) errors.push(forbidden('spec.clusterIPs', 'may not be set for ExternalName services'))
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

function checkPorts(spec: ServiceSpec, errors: Errors): void {
  const ports = spec.ports ?? []
  const names = new Set<string>()
  const taken = new Set<string>()
  const nodePorts = new Set<string>()
  for (let index = 0; index < ports.length; index++) {
    const port = ports[index] as ServicePort
    const path = `spec.ports[${index}]`
    checkServicePort(port, ports.length > 1, names, path, errors)
    if (port.nodePort) {
      if (spec.type === 'ClusterIP') errors.push(forbidden(`${path}.nodePort`, "may not be used when `type` is 'ClusterIP'"))
      checkTaken(nodePorts, `${port.protocol}/${port.nodePort}`, () => duplicate(`${path}.nodePort`, port.nodePort), errors)
    }
    const asGo = { Name: '', Protocol: port.protocol ?? '', AppProtocol: null, Port: port.port, TargetPort: 0, NodePort: 0 }
    checkTaken(taken, `${port.protocol}/${port.port}`, () => duplicate(path, asGo), errors)
  }
}

function checkTaken(taken: Set<string>, key: string, error: () => Errors[number], errors: Errors): void {
  if (taken.has(key)) errors.push(error())
  taken.add(key)
}

function checkServicePort(port: ServicePort, named: boolean, names: Set<string>, path: string, errors: Errors): void {
  if (port.name) {
    if (dnsLabel(port.name).length > 0) obey(port.name, dnsLabel, `${path}.name`, errors)
    if (names.has(port.name)) errors.push(duplicate(`${path}.name`, port.name))
    names.add(port.name)
  } else if (named) errors.push(required(`${path}.name`))
  for (const complaint of portNumber(port.port ?? 0)) errors.push(invalid(`${path}.port`, port.port ?? 0, complaint))
  if (port.protocol && !PROTOCOLS.includes(port.protocol)) errors.push(notSupported(`${path}.protocol`, port.protocol, PROTOCOLS))
  if (!port.protocol) errors.push(required(`${path}.protocol`))
  checkPort(port.targetPort, `${path}.targetPort`, errors)
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
  if (!spec.clusterIP && spec.clusterIPs?.length) {
    errors.push(invalid('spec.clusterIPs', spec.clusterIPs, 'must be empty when `clusterIP` is not specified'))
  }
  checkFamilies(spec, errors)
  const count = errors.length
  list.forEach((ip, index) => {
    if (index > 0 || ip !== 'None') obey(ip, ipAddress, `spec.clusterIPs[${index}]`, errors)
    else if (list.length > 1) errors.push(invalid('spec.clusterIPs', list, "'None' must be the first and only value"))
  })
  const sound = errors.length === count
  if (list.length > 2) errors.push(invalid('spec.clusterIPs', list, 'may only hold up to 2 values'))
  if (sound) checkAddressFamilies(list, spec.ipFamilies ?? [], errors)
}

function checkFamilies(spec: ServiceSpec, errors: Errors): void {
  const seen = new Set<string>()
  spec.ipFamilies?.forEach((family, index) => {
    const path = `spec.ipFamilies[${index}]`
    if (family !== 'IPv4' && family !== 'IPv6') errors.push(notSupported(path, family ?? '', ['IPv4', 'IPv6']))
    if (seen.has(family)) errors.push(duplicate(path, family))
    seen.add(family)
  })
  oneOf(spec.ipFamilyPolicy, ['PreferDualStack', 'RequireDualStack', 'SingleStack'], 'spec.ipFamilyPolicy', errors)
}

/** One address of each family, in the order of the families. */
function checkAddressFamilies(list: readonly string[], families: readonly string[], errors: Errors): void {
  const actual = list.map(ipFamily)
  if (list.length > 1 && new Set(actual).size < 2) {
    errors.push(invalid('spec.clusterIPs', list, 'may specify no more than one IP for each IP family'))
  }
  if (list[0] === 'None') return
  actual.forEach((family, index) => {
    const wanted = families[index]
    if ((wanted !== 'IPv4' && wanted !== 'IPv6') || wanted === family) return
    errors.push(
      invalid(`spec.clusterIPs[${index}]`, list[index], `expected an ${wanted} value as indicated by \`ipFamilies[${index}]\``),
    )
  })
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

const addressesOf = (spec: ServiceSpec) => spec.clusterIPs ?? (spec.clusterIP ? [spec.clusterIP] : [])

/** The first address stays; a second one comes and goes with the policy. */
function checkAddressesKept(now: string[], then: string[], spec: ServiceSpec, errors: Errors): void {
  const refuse = (index: number, why: string) => errors.push(invalid(`spec.clusterIPs[${index}]`, now, why))
  if (now.length === then.length) {
    then.forEach((ip, index) => {
      if (ip !== now[index]) refuse(index, 'may not change once set')
    })
    return
  }
  if (now.length === 0) refuse(0, 'primary clusterIP can not be unset')
  if (then.length > 0 && now.length > 0 && now[0] !== then[0]) refuse(0, 'may not change once set')
  if (then.length > now.length && now.length === 1 && spec.ipFamilyPolicy !== 'SingleStack') {
    const detail = "must be set to 'SingleStack' when releasing the secondary clusterIP"
    errors.push(invalid('spec.ipFamilyPolicy', spec.ipFamilyPolicy, detail))
  }
}

function checkFamiliesKept(spec: ServiceSpec, before: ServiceSpec, errors: Errors): void {
  const [now, then] = [spec.ipFamilies ?? [], before.ipFamilies ?? []]
  const refuse = (why: string) => errors.push(invalid('spec.ipFamilies[0]', now, why))
  if (now.length === then.length) {
    then.forEach((family, index) => {
      if (family !== now[index]) refuse('may not change once set')
    })
    return
  }
  if (then.length > now.length && addressesOf(spec).length === 0) refuse('primary ipFamily can not be unset')
  if (now.length > 0 && then.length > 0 && now[0] !== then[0]) refuse('may not change once set')
  if (then.length > now.length && now.length === 1 && spec.ipFamilyPolicy !== 'SingleStack') {
    const detail = "must be set to 'SingleStack' when releasing the secondary ipFamily"
    errors.push(invalid('spec.ipFamilyPolicy', spec.ipFamilyPolicy, detail))
  }
}

/** What a load balancer's controller says it has set up. */
export function checkBalancerStatus(service: Service, errors: Errors): void {
  const path = 'status.loadBalancer.ingress'
  const points = service.status?.loadBalancer?.ingress ?? []
  if (points.length > 0 && service.spec?.type !== 'LoadBalancer') {
    errors.push(forbidden(path, "may only be used when `spec.type` is 'LoadBalancer'"))
    return
  }
  points.forEach(({ ip, ipMode, hostname }, index) => {
    const at = `${path}[${index}]`
    if (ip) obey(ip, ipAddress, `${at}.ip`, errors)
    if (ip && ipMode === undefined) errors.push(required(`${at}.ipMode`, 'must be specified when `ip` is set'))
    else if (!ip && ipMode !== undefined) errors.push(forbidden(`${at}.ipMode`, 'may not be specified when `ip` is not set'))
    else oneOf(ipMode, ['Proxy', 'VIP'], `${at}.ipMode`, errors)
    if (!hostname) return
    obey(hostname, dnsSubdomain, `${at}.hostname`, errors)
    if (ipFamily(hostname)) errors.push(invalid(`${at}.hostname`, hostname, 'must be a DNS name, not an IP address'))
  })
}

export function checkServiceUpdate(service: Service, old: Service, errors: Errors): void {
  checkService(service, errors)
  const [spec, before] = [service.spec ?? {}, old.spec ?? {}]
  if (spec.type !== 'ExternalName' && before.type !== 'ExternalName') {
    const [now, then] = [addressesOf(spec), addressesOf(before)]
    const [headless, wasHeadless] = [now, then].map((list) => list.length === 1 && list[0] === 'None')
    if (!headless || !wasHeadless) checkAddressesKept(now, then, spec, errors)
    if (!headless && !wasHeadless) checkFamiliesKept(spec, before, errors)
  }
  const checked = (of: ServiceSpec) => of.type === 'LoadBalancer' && of.externalTrafficPolicy === 'Local'
  if (checked(spec) && checked(before) && spec.healthCheckNodePort !== before.healthCheckNodePort) {
    errors.push(forbidden('spec.healthCheckNodePort', 'field is immutable'))
  }
  if (
    spec.type === 'LoadBalancer' &&
    before.type === 'LoadBalancer' &&
    !equal(spec.loadBalancerClass, before.loadBalancerClass)
  ) {
    errors.push(invalid('spec.loadBalancerClass', spec.loadBalancerClass, 'may not change once set'))
  }
}
