/** Namespace: lives until its finalizers are gone. */
import { type Errors, invalid } from '../field-errors.ts'
import { qualifiedName } from '../names.ts'
import type { KubeObject } from '../object.ts'
import type { FieldError } from '../status.ts'
import { ageColumn, column } from './columns.ts'
import { type DefinitionInput, statusStrategy } from './define.ts'
import { collect, obey } from './rules.ts'

const FINALIZER = 'kubernetes'
const NAME_LABEL = 'kubernetes.io/metadata.name'

function setDefaults(object: KubeObject): void {
  object.spec ??= {}
  labelName(object)
}

/** Every namespace can be selected by its name. */
function labelName({ metadata }: KubeObject): void {
  if (metadata.name) metadata.labels = { ...metadata.labels, [NAME_LABEL]: metadata.name }
}

const STANDARD_FINALIZERS = new Set([FINALIZER, 'orphan', 'foregroundDeletion'])

/** `indexed`: whether the path says which one, as it does in `finalize` only. */
function checkFinalizers(object: KubeObject, indexed: boolean): FieldError[] {
  return collect((errors) => {
    object.spec?.finalizers?.forEach((finalizer: string, index: number) => {
      const path = indexed ? `spec.finalizers[${index}]` : 'spec.finalizers'
      obey(finalizer, qualifiedName, path, errors)
      if (!finalizer.includes('/') && !STANDARD_FINALIZERS.has(finalizer)) {
        errors.push(invalid(path, finalizer, 'name is neither a standard finalizer name nor is it fully qualified'))
      }
    })
  })
}

/** The phase says whether the namespace is being deleted, and nothing else. */
function checkPhase(object: KubeObject, errors: Errors): void {
  const phase = object.status?.phase ?? ''
  const going = object.metadata.deletionTimestamp !== undefined
  const refuse = (detail: string) => errors.push(invalid('status.Phase', phase, detail))
  if (going && phase !== 'Terminating') refuse("may only be 'Terminating' if `deletionTimestamp` is not empty")
  if (!going && phase !== 'Active') refuse("may only be 'Active' if `deletionTimestamp` is empty")
}

export const namespace: DefinitionInput = {
  kind: 'Namespace',
  plural: 'namespaces',
  shortNames: ['ns'],
  namespaced: false,
  verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
  status: true,
  subresources: [
    {
      name: 'finalize',
      kind: { group: '', version: 'v1', kind: 'Namespace' },
      verbs: ['update'],
      strategy: {
        prepareForUpdate: (object, old) => {
          object.status = old.status
        },
        validateUpdate: (object) => checkFinalizers(object, true),
      },
    },
  ],
  columns: [column('Status', (object) => object.status?.phase ?? ''), ageColumn],
  selectableFields: { 'status.phase': (object) => object.status?.phase ?? '' },
  strategy: statusStrategy(() => ({ phase: 'Active' }), {
    defaults: setDefaults,
    prepareForCreate: (object) => {
      labelName(object)
      object.status = { phase: 'Active' }
      const finalizers: string[] = object.spec.finalizers ?? []
      if (!finalizers.includes(FINALIZER)) object.spec.finalizers = [...finalizers, FINALIZER]
    },
    prepareForUpdate: (object, old) => {
      object.spec.finalizers = old.spec?.finalizers
      object.status = old.status
    },
    prepareForStatusUpdate: (object, old) => {
      object.spec = old.spec
    },
    validate: (object) => checkFinalizers(object, false),
    validateStatusUpdate: (object) => collect((errors) => checkPhase(object, errors)),
    countsGeneration: false,
    nameRule: 'label',
  }),
}
