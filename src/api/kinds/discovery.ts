/** discovery.k8s.io/v1: EndpointSlice. */
import { ipAddress, ipFamily } from '../addresses.ts'
import { equal } from '../equal.ts'
import { duplicate, type Errors, invalid, notSupported, required, tooMany } from '../field-errors.ts'
import { type Complaints, dnsLabel, dnsSubdomain, labelValue, portNumber, qualifiedName } from '../names.ts'
import type { KubeObject } from '../object.ts'
import type { DiscoveryV1EndpointPort, Endpoint, EndpointSlice } from '../types.ts'
import { warnOfAddress } from './address-warnings.ts'
import { ageColumn, column } from './columns.ts'
import { type DefinitionInput, defineGroup } from './define.ts'
import { checkReachable } from './reachable.ts'
import { checkImmutable, collect, obey } from './rules.ts'

/** As many as kubectl shows before it says how many more there are. */
const SHOWN = 3

function some(texts: readonly string[]): string {
  const more = texts.length - SHOWN
  return more > 0 ? `${texts.slice(0, SHOWN).join(',')} + ${more} more...` : texts.join(',')
}

function ports(slice: EndpointSlice): string {
  return slice.ports?.length ? some(slice.ports.map((port) => String(port.port || port.name || '*'))) : '<unset>'
}

function addresses(slice: EndpointSlice): string {
  const all = (slice.endpoints ?? []).flatMap((endpoint) => endpoint.addresses)
  return all.length > 0 ? some(all) : '<unset>'
}

const ADDRESS_TYPES = ['FQDN', 'IPv4', 'IPv6']
const PROTOCOLS = ['SCTP', 'TCP', 'UDP']
const MAX_ADDRESSES = 100
const MAX_ENDPOINTS = 1000
const MAX_PORTS = 20000
const MAX_HINTS = 8
const HOST_LABEL = 'kubernetes.io/hostname'

const slice_ = (object: KubeObject) => object as unknown as EndpointSlice

function setDefaults(slice: EndpointSlice): void {
  for (const port of slice.ports ?? []) {
    port.name ??= ''
    port.protocol ??= 'TCP'
  }
}

function check(slice: EndpointSlice, errors: Errors): void {
  const { addressType } = slice
  const endpoints = slice.endpoints ?? []
  const ports = slice.ports ?? []
  if (!addressType) errors.push(required('addressType'))
  else if (!ADDRESS_TYPES.includes(addressType)) errors.push(notSupported('addressType', addressType, ADDRESS_TYPES))
  if (endpoints.length > MAX_ENDPOINTS) errors.push(tooMany('endpoints', endpoints.length, MAX_ENDPOINTS))
  else {
    for (let index = 0; index < endpoints.length; index++) {
      checkEndpoint(endpoints[index] as Endpoint, addressType, `endpoints[${index}]`, errors)
    }
  }
  const names = new Set<string>()
  if (ports.length > MAX_PORTS) return void errors.push(tooMany('ports', ports.length, MAX_PORTS))
  ports.forEach((port, index) => {
    checkSlicePort(port, names, `ports[${index}]`, errors)
  })
}

function checkEndpoint(endpoint: Endpoint, type: string, path: string, errors: Errors): void {
  const addresses = endpoint.addresses ?? []
  if (addresses.length === 0) errors.push(required(`${path}.addresses`, 'must contain at least 1 address'))
  if (addresses.length > MAX_ADDRESSES) errors.push(tooMany(`${path}.addresses`, addresses.length, MAX_ADDRESSES))
  addresses.forEach((address, index) => {
    checkAddress(address, type, `${path}.addresses[${index}]`, errors)
  })
  if (endpoint.nodeName !== undefined) obey(endpoint.nodeName, dnsSubdomain, `${path}.nodeName`, errors)
  if (endpoint.hostname !== undefined) obey(endpoint.hostname, dnsLabel, `${path}.hostname`, errors)
  checkHints(endpoint.hints?.forZones, labelValue, `${path}.hints.forZones`, errors)
  checkHints(endpoint.hints?.forNodes, dnsSubdomain, `${path}.hints.forNodes`, errors)
}

/** Whom an endpoint is meant for: a few, by name. */
function checkHints(
  hints: { name: string }[] | undefined,
  rule: (value: string) => Complaints,
  path: string,
  errors: Errors,
): void {
  if (!hints) return
  if (hints.length > MAX_HINTS) return void errors.push(tooMany(path, hints.length, MAX_HINTS))
  const seen = new Set<string>()
  hints.forEach(({ name }, index) => {
    if (seen.has(name)) errors.push(duplicate(`${path}[${index}].name`, name))
    seen.add(name)
    obey(name ?? '', rule, `${path}[${index}].name`, errors)
  })
}

/** A domain of at least two labels, which may end with the root's dot. */
function checkDomain(name: string, path: string, errors: Errors): void {
  if (name === '') return void errors.push(required(path))
  const domain = name.replace(/\.$/, '')
  const complaints = dnsSubdomain(domain)
  const labels = domain.split('.')
  const wrong = labels.find((label) => dnsLabel(label).length > 0)
  if (complaints.length > 0) errors.push(invalid(path, domain, complaints.join(',')))
  else if (labels.length < 2)
    errors.push(invalid(path, domain, 'should be a domain with at least two segments separated by dots'))
  else if (wrong !== undefined) errors.push(invalid(path, wrong, dnsLabel(wrong).join(',')))
}

function checkAddress(address: string, type: string, path: string, errors: Errors): void {
  if (type === 'FQDN') checkDomain(address, path, errors)
  if (type !== 'IPv4' && type !== 'IPv6') return
  obey(address, ipAddress, path, errors)
  const family = ipFamily(address)
  if (family && family !== type) errors.push(invalid(path, address, `must be an ${type} address`))
  checkReachable(address, path, errors)
}

function checkSlicePort(port: DiscoveryV1EndpointPort, names: Set<string>, path: string, errors: Errors): void {
  const name = port.name ?? ''
  if (name !== '') obey(name, dnsLabel, `${path}.name`, errors)
  if (names.has(name)) errors.push(duplicate(`${path}.name`, name))
  names.add(name)
  if (!port.protocol) errors.push(required(`${path}.protocol`))
  else if (!PROTOCOLS.includes(port.protocol)) errors.push(notSupported(`${path}.protocol`, port.protocol, PROTOCOLS))
  if (port.appProtocol !== undefined) obey(port.appProtocol, qualifiedName, `${path}.appProtocol`, errors)
  if (port.port !== undefined)
    for (const complaint of portNumber(port.port)) errors.push(invalid(`${path}.port`, port.port, complaint))
}

/** Labels of topology are gone with v1beta1: what they said of nodes moves to the node's name, if that was known before. */
function dropTopology(slice: EndpointSlice, old: EndpointSlice | undefined): void {
  if (!slice.endpoints?.some((endpoint) => endpoint.deprecatedTopology)) return
  if (old && equal(slice.endpoints, old.endpoints)) return
  const known = new Set(old?.endpoints?.map((endpoint) => endpoint.deprecatedTopology?.[HOST_LABEL]))
  for (const endpoint of slice.endpoints) {
    const host = endpoint.deprecatedTopology?.[HOST_LABEL]
    if (host !== undefined && known.has(host) && dnsSubdomain(host).length === 0) endpoint.nodeName ??= host
    delete endpoint.deprecatedTopology
  }
}

/** Those that the cluster's controllers write are right. */
const MANAGED = ['endpointslice-controller.k8s.io', 'endpointslicemirroring-controller.k8s.io']

function warningsOf(slice: EndpointSlice, old: EndpointSlice | undefined): string[] {
  const warnings: string[] = []
  if (!old && slice.addressType === 'FQDN') warnings.push('spec.addressType: FQDN endpoints are deprecated')
  if (slice.addressType !== 'IPv6' || MANAGED.includes(slice.metadata?.labels?.['endpointslice.kubernetes.io/managed-by'] ?? ''))
    return warnings
  slice.endpoints?.forEach(({ addresses }, index) => {
    addresses?.forEach((address, i) => {
      warnOfAddress(address, () => `endpoints[${index}].addresses[${i}]`, warnings)
    })
  })
  return warnings
}

const endpointSlice: DefinitionInput = {
  kind: 'EndpointSlice',
  plural: 'endpointslices',
  columns: [
    column('AddressType', (object) => object.addressType ?? ''),
    column('Ports', (object) => ports(object as unknown as EndpointSlice)),
    column('Endpoints', (object) => addresses(object as unknown as EndpointSlice)),
    ageColumn,
  ],
  strategy: {
    defaults: (object) => setDefaults(slice_(object)),
    prepareForCreate: (object) => dropTopology(slice_(object), undefined),
    prepareForUpdate: (object, old) => dropTopology(slice_(object), slice_(old)),
    validate: (object) => collect((errors) => check(slice_(object), errors)),
    validateUpdate: (object, old) =>
      collect((errors) => {
        check(slice_(object), errors)
        checkImmutable(object.addressType, old.addressType, 'addressType', errors)
      }),
    warnings: (object, old) => warningsOf(slice_(object), old && slice_(old)),
    countsGeneration: true,
    generationMetadata: ['labels'],
  },
}

export const discoveryDefinitions = defineGroup({ group: 'discovery.k8s.io', version: 'v1', package: 'discovery/v1' }, [
  endpointSlice,
])
