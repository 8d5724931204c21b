/** Service: its columns and subresources. Addresses and node ports are given out by the server. */
import type { Column } from '../definition.ts'
import type { KubeObject } from '../object.ts'
import type { Service } from '../types.ts'
import { ageColumn, column, labelsColumn } from './columns.ts'
import type { DefinitionInput } from './define.ts'
import { serviceStrategy } from './service-strategy.ts'

const columns: readonly Column[] = [
  column('Type', (object) => object.spec?.type ?? ''),
  column('Cluster-IP', (object) => object.spec?.clusterIPs?.[0] || object.spec?.clusterIP || '<none>'),
  column('External-IP', (object) => externalIp(object as Service)),
  column('Port(s)', (object) => ports(object as Service)),
  ageColumn,
  labelsColumn((object) => object.spec?.selector),
]

function externalIp(service: Service): string {
  const spec = service.spec ?? {}
  const ips = spec.externalIPs ?? []
  switch (spec.type) {
    case 'ExternalName':
      return spec.externalName ?? ''
    case 'LoadBalancer': {
      const given = (service.status?.loadBalancer?.ingress ?? []).map((i) => i.ip || i.hostname || '').filter((ip) => ip !== '')
      return [...[...new Set(given)].sort(), ...ips].join(',') || '<pending>'
    }
    case 'ClusterIP':
    case 'NodePort':
      return ips.join(',') || '<none>'
    default:
      return '<unknown>'
  }
}

function ports(service: Service): string {
  const texts = (service.spec?.ports ?? []).map((p) => {
    const nodePort = p.nodePort ? `:${p.nodePort}` : ''
    return `${p.port}${nodePort}/${p.protocol ?? 'TCP'}`
  })
  return texts.join(',') || '<none>'
}

export const service: DefinitionInput = {
  kind: 'Service',
  plural: 'services',
  shortNames: ['svc'],
  categories: ['all'],
  status: true,
  subresources: [
    {
      name: 'proxy',
      kind: { group: '', version: 'v1', kind: 'ServiceProxyOptions' },
      verbs: ['create', 'delete', 'get', 'patch', 'update'],
    },
  ],
  columns,
  selectableFields: {
    'spec.clusterIP': (object: KubeObject) => object.spec?.clusterIP ?? '',
    'spec.type': (object: KubeObject) => object.spec?.type ?? '',
  },
  strategy: serviceStrategy,
}
