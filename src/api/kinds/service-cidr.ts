/** ServiceCIDR and IPAddress: where Service addresses come from, and who has which. */
import type { IPAddress } from '../types.ts'
import { ageColumn, column } from './columns.ts'
import { type DefinitionInput, statusStrategy } from './define.ts'

export const serviceCidr: DefinitionInput = {
  kind: 'ServiceCIDR',
  plural: 'servicecidrs',
  namespaced: false,
  status: true,
  columns: [column('CIDRs', (object) => (object.spec?.cidrs ?? []).join(',')), ageColumn],
  strategy: statusStrategy(() => ({}), { countsGeneration: false }),
}

/** `services/default/kubernetes`: who holds the address. */
function parent(address: IPAddress): string {
  const reference = address.spec?.parentRef
  if (!reference) return '<none>'
  const resource = reference.group ? `${reference.resource}.${reference.group}` : reference.resource
  return [resource, reference.namespace, reference.name].filter((part) => part).join('/')
}

export const ipAddress: DefinitionInput = {
  kind: 'IPAddress',
  plural: 'ipaddresses',
  shortNames: ['ip'],
  namespaced: false,
  columns: [column('ParentRef', (object) => parent(object as IPAddress)), ageColumn],
}
