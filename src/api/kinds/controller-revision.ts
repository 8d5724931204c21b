/** ControllerRevision: an immutable snapshot of a template. */
import type { Errors } from '../field-errors.ts'
import { required } from '../field-errors.ts'
import type { KubeObject } from '../object.ts'
import { ageColumn, column } from './columns.ts'
import type { DefinitionInput } from './define.ts'
import { checkImmutable, collect, nonNegative } from './rules.ts'

function controller(object: KubeObject): string {
  const owner = object.metadata.ownerReferences?.find((reference) => reference.controller)
  if (!owner) return '<none>'
  const group = owner.apiVersion.includes('/') ? `.${owner.apiVersion.split('/')[0]}` : ''
  return `${owner.kind.toLowerCase()}${group}/${owner.name}`
}

function check(object: KubeObject, errors: Errors): void {
  nonNegative(object.revision, 'revision', errors)
  if (object.data === undefined || object.data === null) errors.push(required('data', 'data is mandatory'))
}

export const controllerRevision: DefinitionInput = {
  kind: 'ControllerRevision',
  plural: 'controllerrevisions',
  columns: [column('Controller', controller), column('Revision', (object) => object.revision ?? 0), ageColumn],
  strategy: {
    validate: (object) => collect((errors) => check(object, errors)),
    validateUpdate: (object, old) =>
      collect((errors) => {
        check(object, errors)
        checkImmutable(object.data, old.data, 'data', errors)
      }),
  },
}
