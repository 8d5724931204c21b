/** ControllerRevision: an immutable snapshot of a template. */

import type { KubeObject } from '../object.ts'
import { ageColumn, column } from './columns.ts'
import type { DefinitionInput } from './define.ts'

export const controllerRevision: DefinitionInput = {
  kind: 'ControllerRevision',
  plural: 'controllerrevisions',
  columns: [column('Controller', controller), column('Revision', (object) => object.revision ?? 0, 'integer'), ageColumn],
}

function controller(object: KubeObject): string {
  const owner = object.metadata.ownerReferences?.find((reference) => reference.controller)
  if (!owner) return '<none>'
  const group = owner.apiVersion.includes('/') ? `.${owner.apiVersion.split('/')[0]}` : ''
  return `${owner.kind.toLowerCase()}${group}/${owner.name}`
}
