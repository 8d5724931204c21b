/** Rules for Ingresses. */
import { ipAddress, ipFamily } from '../addresses.ts'
import { type Errors, invalid, notSupported, required } from '../field-errors.ts'
import { dnsLabel, dnsSubdomain, pathSegment, portName, portNumber, wildcardSubdomain } from '../names.ts'
import type { HTTPIngressPath, Ingress, IngressBackend, TypedLocalObjectReference } from '../types.ts'
import { obey } from './rules.ts'

const PATH_TYPES = ['Exact', 'ImplementationSpecific', 'Prefix']
const FORBIDDEN_PARTS = ['//', '/./', '/../', '%2f', '%2F']
const FORBIDDEN_ENDS = ['/..', '/.']

export function checkIngress(ingress: Ingress, errors: Errors): void {
  const spec = ingress.spec ?? {}
  if (!spec.rules?.length && !spec.defaultBackend) {
    const value = { IngressClassName: spec.ingressClassName ?? null, DefaultBackend: null, TLS: spec.tls ?? null, Rules: null }
    errors.push(invalid('spec', value, 'either `defaultBackend` or `rules` must be specified'))
  }
  if (spec.defaultBackend) checkBackend(spec.defaultBackend, 'spec.defaultBackend', errors)
  if (spec.ingressClassName !== undefined) obey(spec.ingressClassName, dnsSubdomain, 'spec.ingressClassName', errors)
  spec.tls?.forEach((tls, index) => {
    tls.hosts?.forEach((host, i) => {
      obey(host, hostRule(host), `spec.tls[${index}].hosts[${i}]`, errors)
    })
    if (tls.secretName) obey(tls.secretName, dnsSubdomain, `spec.tls[${index}].secretName`, errors)
  })
  spec.rules?.forEach((rule, index) => {
    const path = `spec.rules[${index}]`
    if (rule.host) {
      if (ipFamily(rule.host)) errors.push(invalid(`${path}.host`, rule.host, 'must be a DNS name, not an IP address'))
      obey(rule.host, hostRule(rule.host), `${path}.host`, errors)
    }
    if (!rule.http) return
    if (!rule.http.paths?.length) errors.push(required(`${path}.http.paths`))
    rule.http.paths?.forEach((entry, i) => {
      checkPath(entry, `${path}.http.paths[${i}]`, errors)
    })
  })
}

const hostRule = (host: string) => (host.includes('*') ? wildcardSubdomain : dnsSubdomain)

function checkPath(entry: HTTPIngressPath, path: string, errors: Errors): void {
  const { pathType, path: value = '' } = entry
  const absolute = value.startsWith('/')
  const refuse = (detail: string) => errors.push(invalid(`${path}.path`, value, detail))
  if (!pathType) errors.push(required(`${path}.pathType`, 'pathType must be specified'))
  else if (pathType === 'ImplementationSpecific') {
    if (value !== '' && !absolute) refuse('must be an absolute path')
  } else if (pathType === 'Exact' || pathType === 'Prefix') {
    if (!absolute) refuse('must be an absolute path')
    if (value !== '') {
      for (const part of FORBIDDEN_PARTS) if (value.includes(part)) refuse(`must not contain '${part}'`)
      for (const end of FORBIDDEN_ENDS) if (value.endsWith(end)) refuse(`cannot end with '${end}'`)
    }
  } else errors.push(notSupported(`${path}.pathType`, pathType, PATH_TYPES))
  checkBackend(entry.backend ?? {}, `${path}.backend`, errors)
}

/** Another object of the namespace, or of the cluster. */
export function checkReference({ apiGroup, kind, name }: TypedLocalObjectReference, path: string, errors: Errors): void {
  if (typeof apiGroup === 'string') obey(apiGroup, dnsSubdomain, `${path}.apiGroup`, errors)
  if (kind) obey(kind, pathSegment, `${path}.kind`, errors)
  else errors.push(required(`${path}.kind`, 'kind is required'))
  if (name) obey(name, pathSegment, `${path}.name`, errors)
  else errors.push(required(`${path}.name`, 'name is required'))
}

/** Where the ingress can be reached. */
export function checkIngressStatus({ status }: Ingress, errors: Errors): void {
  status?.loadBalancer?.ingress?.forEach(({ ip, hostname }, index) => {
    const path = `status.loadBalancer.ingress[${index}]`
    if (ip) obey(ip, ipAddress, `${path}.ip`, errors)
    if (!hostname) return
    obey(hostname, dnsSubdomain, `${path}.hostname`, errors)
    if (ipFamily(hostname)) errors.push(invalid(`${path}.hostname`, hostname, 'must be a DNS name, not an IP address'))
  })
}

function checkBackend(backend: IngressBackend, path: string, errors: Errors): void {
  const { service, resource } = backend
  if (service && resource) errors.push(invalid(path, '', 'cannot set both resource and service backends'))
  else if (resource) checkReference(resource, `${path}.resource`, errors)
  else if (service) {
    if (!service.name) errors.push(required(`${path}.service.name`))
    else obey(service.name, dnsLabel, `${path}.service.name`, errors)
    const { name, number } = service.port ?? {}
    if (name && number) errors.push(invalid(path, '', 'cannot set both port name & port number'))
    else if (number) {
      for (const complaint of portNumber(number)) errors.push(invalid(`${path}.service.port.number`, number, complaint))
    } else if (name) obey(name, portName, `${path}.service.port.name`, errors)
    else errors.push(required(path, 'port name or number is required'))
  } else errors.push(invalid(path, '', 'resource or service backend is required'))
}
