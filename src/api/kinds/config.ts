/** ConfigMap, Secret and ServiceAccount: small objects with data and no status. */
import { ageColumn, column } from './columns.ts'
import type { DefinitionInput } from './define.ts'

const size = (map: object | undefined) => Object.keys(map ?? {}).length

export const configMap: DefinitionInput = {
  kind: 'ConfigMap',
  plural: 'configmaps',
  shortNames: ['cm'],
  columns: [column('Data', (object) => size(object.data) + size(object.binaryData)), ageColumn],
}

export const secret: DefinitionInput = {
  kind: 'Secret',
  plural: 'secrets',
  columns: [column('Type', (object) => object.type ?? ''), column('Data', (object) => size(object.data)), ageColumn],
  selectableFields: { type: (object) => object.type ?? '' },
}

export const serviceAccount: DefinitionInput = {
  kind: 'ServiceAccount',
  plural: 'serviceaccounts',
  shortNames: ['sa'],
  subresources: [
    {
      name: 'token',
      kind: { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' },
      verbs: ['create'],
    },
  ],
  columns: [ageColumn],
  strategy: { returnsDeleted: true },
}
