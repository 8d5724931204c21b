/** ServiceCIDR and IPAddress: where Service addresses come from, and who has which. */
import { canonicalIpAddress, cidr } from '../addresses.ts'
import { type Errors, invalid, required } from '../field-errors.ts'
import type { KubeObject } from '../object.ts'
import type { IPAddress } from '../types.ts'
import { ageColumn, column } from './columns.ts'
import { type DefinitionInput, statusStrategy } from './define.ts'
import { checkConditions, checkImmutable, collect, obey, requireText } from './rules.ts'

function checkRange(object: KubeObject, errors: Errors): void {
  const ranges: string[] = object.spec?.cidrs ?? []
  if (ranges.length === 0) errors.push(required('spec.cidrs', 'at least one CIDR required'))
  if (ranges.length > 2) errors.push(invalid('spec.cidrs', ranges, 'may only hold up to 2 values'))
  ranges.forEach((range, index) => {
    obey(range, cidr, `spec.cidrs[${index}]`, errors)
  })
}

export const serviceCidr: DefinitionInput = {
  kind: 'ServiceCIDR',
  plural: 'servicecidrs',
  namespaced: false,
  status: true,
  columns: [column('CIDRs', (object) => (object.spec?.cidrs ?? []).join(',')), ageColumn],
  strategy: statusStrategy(() => ({}), {
    validate: (object) => collect((errors) => checkRange(object, errors)),
    validateUpdate: (object, old) =>
      collect((errors) => checkImmutable(object.spec?.cidrs, old.spec?.cidrs, 'spec.cidrs', errors)),
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
    requireText(reference.resource, 'spec.parentRef.resource', errors)
    requireText(reference.name, 'spec.parentRef.name', errors)
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
