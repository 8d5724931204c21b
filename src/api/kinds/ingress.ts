/** Ingress and IngressClass. */
import type { Ingress, IngressClass } from '../types.ts'
import { ageColumn, column } from './columns.ts'
import { type DefinitionInput, statusStrategy } from './define.ts'

function hosts(ingress: Ingress): string {
  const names = [...new Set((ingress.spec?.rules ?? []).map((rule) => rule.host || '').filter((host) => host !== ''))]
  if (names.length === 0) return '*'
  return names.length > 3 ? `${names.slice(0, 3).join(',')} + ${names.length - 3} more...` : names.join(',')
}

function address(ingress: Ingress): string {
  const points = (ingress.status?.loadBalancer?.ingress ?? []).map((i) => i.ip || i.hostname || '').filter((a) => a !== '')
  return [...new Set(points)].join(',')
}

export const ingress: DefinitionInput = {
  kind: 'Ingress',
  plural: 'ingresses',
  shortNames: ['ing'],
  status: true,
  columns: [
    column('Class', (object) => object.spec?.ingressClassName ?? '<none>'),
    column('Hosts', (object) => hosts(object as Ingress)),
    column('Address', (object) => address(object as Ingress)),
    column('Ports', (object) => (object.spec?.tls?.length ? '80, 443' : '80')),
    ageColumn,
  ],
  strategy: statusStrategy(() => ({ loadBalancer: {} })),
}

function parameters(ingressClass: IngressClass): string {
  const reference = ingressClass.spec?.parameters
  if (!reference) return '<none>'
  return `${reference.kind}${reference.apiGroup ? `.${reference.apiGroup}` : ''}/${reference.name}`
}

export const ingressClass: DefinitionInput = {
  kind: 'IngressClass',
  plural: 'ingressclasses',
  namespaced: false,
  columns: [
    column('Controller', (object) => object.spec?.controller ?? ''),
    column('Parameters', (object) => parameters(object as IngressClass)),
    ageColumn,
  ],
}
