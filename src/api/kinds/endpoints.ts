/** Endpoints: deprecated, still written for older readers. */
import { ipAddress } from '../addresses.ts'
import { type Errors, invalid, notSupported, required } from '../field-errors.ts'
import { dnsLabel, dnsSubdomain, portNumber, qualifiedName } from '../names.ts'
import type { KubeObject } from '../object.ts'
import type { EndpointAddress, EndpointPort, EndpointSubset, Endpoints } from '../types.ts'
import { warnOfAddress } from './address-warnings.ts'
import { ageColumn, column } from './columns.ts'
import type { DefinitionInput } from './define.ts'
import { checkReachable } from './reachable.ts'
import { collect, obey } from './rules.ts'

/** As many addresses as kubectl shows before it says how many more there are. */
const SHOWN = 3

const PROTOCOLS = ['SCTP', 'TCP', 'UDP']

function setDefaults(endpoints: Endpoints): void {
  for (const subset of endpoints.subsets ?? []) for (const port of subset.ports ?? []) port.protocol ||= 'TCP'
}

const validate = (object: KubeObject) =>
  collect((errors) => {
    ;(object as Endpoints).subsets?.forEach((subset, index) => {
      checkSubset(subset, `subsets[${index}]`, errors)
    })
  })

function checkSubset(subset: EndpointSubset, path: string, errors: Errors): void {
  if (!subset.addresses?.length && !subset.notReadyAddresses?.length) {
    errors.push(required(path, 'must specify `addresses` or `notReadyAddresses`'))
  }
  for (const list of ['addresses', 'notReadyAddresses'] as const) {
    subset[list]?.forEach((address, index) => {
      checkAddress(address, `${path}.${list}[${index}]`, errors)
    })
  }
  subset.ports?.forEach((port, index) => {
    checkPort(port, (subset.ports?.length ?? 0) > 1, `${path}.ports[${index}]`, errors)
  })
}

function checkAddress(address: EndpointAddress, path: string, errors: Errors): void {
  obey(address.ip ?? '', ipAddress, `${path}.ip`, errors)
  if (address.hostname) obey(address.hostname, dnsLabel, `${path}.hostname`, errors)
  if (address.nodeName !== undefined) obey(address.nodeName, dnsSubdomain, `${path}.nodeName`, errors)
  checkReachable(address.ip ?? '', `${path}.ip`, errors)
}

function checkPort(port: EndpointPort, named: boolean, path: string, errors: Errors): void {
  if (port.appProtocol !== undefined) obey(port.appProtocol, qualifiedName, `${path}.appProtocol`, errors)
  if (port.name) obey(port.name, dnsLabel, `${path}.name`, errors)
  else if (named) errors.push(required(`${path}.name`))
  for (const complaint of portNumber(port.port ?? 0)) errors.push(invalid(`${path}.port`, port.port ?? 0, complaint))
  if (!port.protocol) errors.push(required(`${path}.protocol`))
  else if (!PROTOCOLS.includes(port.protocol)) errors.push(notSupported(`${path}.protocol`, port.protocol, PROTOCOLS))
}

function warningsOf({ subsets }: Endpoints): string[] {
  const warnings: string[] = []
  subsets?.forEach((subset, index) => {
    for (const list of ['addresses', 'notReadyAddresses'] as const) {
      subset[list]?.forEach(({ ip }, i) => {
        warnOfAddress(ip, () => `subsets[${index}].${list}[${i}].ip`, warnings)
      })
    }
  })
  return warnings
}

export const endpoints: DefinitionInput = {
  kind: 'Endpoints',
  plural: 'endpoints',
  singular: 'endpoints',
  shortNames: ['ep'],
  deprecation: 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
  columns: [column('Endpoints', (object) => summary(object as Endpoints)), ageColumn],
  strategy: {
    defaults: (object) => setDefaults(object as Endpoints),
    validate,
    validateUpdate: validate,
    warnings: (object) => warningsOf(object as Endpoints),
    allowCreateOnUpdate: true,
  },
}

function summary(endpoints: Endpoints): string {
  const shown: string[] = []
  let count = 0
  for (const subset of endpoints.subsets ?? []) {
    const ports = subset.ports?.length ? subset.ports.map((p) => `:${p.port}`) : ['']
    for (const port of ports) {
      for (const address of subset.addresses ?? []) {
        count += 1
        if (shown.length < SHOWN) shown.push(port && address.ip.includes(':') ? `[${address.ip}]${port}` : address.ip + port)
      }
    }
  }
  if (count === 0) return '<none>'
  return shown.join(',') + (count > SHOWN ? ` + ${count - SHOWN} more...` : '')
}
