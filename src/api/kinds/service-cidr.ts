/** ServiceCIDR and IPAddress: where Service addresses come from, and who has which. */
import { canonicalIpAddress, cidr, parseCidr } from '../addresses.ts'
import { type Errors, immutable, invalid, required } from '../field-errors.ts'
import { dnsSubdomain, pathSegment } from '../names.ts'
import type { KubeObject } from '../object.ts'
import type { IPAddress } from '../types.ts'
import { ageColumn, column } from './columns.ts'
import { type DefinitionInput, statusStrategy } from './define.ts'
import { checkConditions, checkImmutable, collect, obey, requireName } from './rules.ts'

function checkRange(object: KubeObject, errors: Errors): void {
  const ranges: string[] = object.spec?.cidrs ?? []
  const families = new Set(ranges.map((range) => parseCidr(range)?.family ?? 'none'))
  if (ranges.length === 0) return void errors.push(required('spec.cidrs', 'at least one CIDR required'))
  if (ranges.length > 2) return void errors.push(invalid('spec.cidrs', ranges, 'may only hold up to 2 values'))
  if (ranges.length === 2 && (families.size < 2 || families.has('none'))) {
    return void errors.push(invalid('spec.cidrs', ranges, ONE_OF_EACH))
  }
  ranges.forEach((range, index) => {
    obey(range, cidr, `spec.cidrs[${index}]`, errors)
  })
}

const ONE_OF_EACH = 'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/96'

/** Ranges stay; one of the other family may come, once. */
function checkRangeUpdate(object: KubeObject, old: KubeObject, errors: Errors): void {
  const ranges: string[] = object.spec?.cidrs ?? []
  const before: string[] = old.spec?.cidrs ?? []
  const grown = before.length === 1 && ranges.length === 2
  if (ranges.length !== before.length && !grown) return void errors.push(immutable('spec.cidrs', ranges))
  before.forEach((range, index) => {
    if (ranges[index] !== range) errors.push(immutable(`spec.cidrs[${index}]`, ranges[index]))
  })
  if (grown) checkRange(object, errors)
}

export const serviceCidr: DefinitionInput = {
  kind: 'ServiceCIDR',
  plural: 'servicecidrs',
  namespaced: false,
  status: true,
  columns: [column('CIDRs', (object) => (object.spec?.cidrs ?? []).join(',')), ageColumn],
  strategy: statusStrategy(() => ({}), {
    validate: (object) => collect((errors) => checkRange(object, errors)),
    validateUpdate: (object, old) => collect((errors) => checkRangeUpdate(object, old, errors)),
    validateStatusUpdate: (object) =>
      collect((errors) => checkConditions(object.status?.conditions, 'status.conditions', errors)),
    countsGeneration: false,
  }),
}

/** `services/default/kubernetes`: who holds the address. */
function parent(address: IPAddress): string {
  const reference = address.spec?.parentRef
  if (!reference) return '<none>'
  const resource = reference.group ? `${reference.resource}.${reference.group}` : reference.resource
  return [resource, reference.namespace, reference.name].filter((part) => part).join('/')
}

function checkAddress(object: KubeObject, errors: Errors): void {
  const name = object.metadata.name ?? ''
  if (name !== '') obey(name, canonicalIpAddress, 'metadata.name', errors)
  const reference = (object as IPAddress).spec?.parentRef
  if (!reference) errors.push(required('spec.parentRef'))
  else {
    const { group, resource, name, namespace } = reference
    if (group) obey(group, dnsSubdomain, 'spec.parentRef.group', errors)
    requireName(resource, pathSegment, 'spec.parentRef.resource', errors)
    requireName(name, pathSegment, 'spec.parentRef.name', errors)
    if (namespace) obey(namespace, pathSegment, 'spec.parentRef.namespace', errors)
  }
}

export const ipAddress: DefinitionInput = {
  kind: 'IPAddress',
  plural: 'ipaddresses',
  shortNames: ['ip'],
  namespaced: false,
  columns: [column('ParentRef', (object) => parent(object as IPAddress))],
  strategy: {
    validate: (object) => collect((errors) => checkAddress(object, errors)),
    validateUpdate: (object, old) =>
      collect((errors) => checkImmutable(object.spec?.parentRef, old.spec?.parentRef, 'spec.parentRef', errors)),
    nameRule: 'none',
  },
}
