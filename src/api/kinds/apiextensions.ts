/** apiextensions.k8s.io/v1: CustomResourceDefinition. Serving what it defines is the server's. */
import { schemaHasPatternsOrDefaults, schemaHasRules } from '../custom/has-rules.ts'
import { equal } from '../equal.ts'
import type { KubeObject } from '../object.ts'
import type { FieldError } from '../status.ts'
import type { CustomResourceDefinition, CustomResourceDefinitionSpec } from '../types.ts'
import { checkCustomResourceDefinition, checkCustomResourceDefinitionUpdate } from './crd-rules.ts'
import { type DefinitionInput, defineGroup } from './define.ts'
import { collect } from './rules.ts'

const CLEANUP_FINALIZER = 'customresourcecleanup.apiextensions.k8s.io'
const crd = (object: KubeObject) => object as unknown as CustomResourceDefinition

function setDefaults(crd: CustomResourceDefinition): void {
  crd.spec ??= {} as CustomResourceDefinitionSpec
  const { spec } = crd
  spec.names ??= { plural: '', kind: '' }
  const { names } = spec
  if (names.kind) {
    names.singular ||= names.kind.toLowerCase()
    names.listKind ||= `${names.kind}List`
  }
  spec.conversion ??= { strategy: 'None' }
  const service = spec.conversion.webhook?.clientConfig?.service
  if (service) service.port ??= 443
}

/** The stored versions begin with the one that is marked so. */
function newStatus(crd: CustomResourceDefinition): object {
  const stored = (crd.spec.versions ?? []).filter((version) => version.storage).map((version) => version.name)
  return { conditions: null, acceptedNames: { plural: '', kind: '' }, storedVersions: stored.length > 0 ? stored : null }
}

/** Its objects go first: the server's own finalizer waits for that. */
function markTerminating({ metadata, status = {} }: CustomResourceDefinition, now: string): void {
  metadata.finalizers = [...new Set([...(metadata.finalizers ?? []), CLEANUP_FINALIZER])]
  const message = 'CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon'
  const others = (status.conditions ?? []).filter(({ type }) => type !== 'Terminating')
  const terminating = { type: 'Terminating', status: 'True', lastTransitionTime: now, reason: 'InstanceDeletionPending', message }
  status.conditions = [...others, terminating]
}

const schemasOf = ({ spec }: CustomResourceDefinition) => (spec.versions ?? []).map(({ schema }) => schema?.openAPIV3Schema)

function needsCompiling(definition: CustomResourceDefinition): boolean {
  return schemasOf(definition).some(
    (schema) => schema !== undefined && (schemaHasRules(schema) || schemaHasPatternsOrDefaults(schema)),
  )
}

/** What all versions have in common is reported once, as in crd-rules.ts. */
async function checkRules(definition: CustomResourceDefinition): Promise<FieldError[]> {
  const module = await import('../custom/check-rules.ts')
  const schemas = schemasOf(definition)
  const common = schemas.every((schema) => equal(schema, schemas[0]))
  return collect((errors) => {
    for (const [index, schema] of (common ? schemas.slice(0, 1) : schemas).entries()) {
      const path = common ? 'spec.validation.openAPIV3Schema' : `spec.versions[${index}].schema.openAPIV3Schema`
      if (schema) module.checkRules(schema, path, errors)
    }
  })
}

const customResourceDefinition: DefinitionInput = {
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  shortNames: ['crd', 'crds'],
  categories: ['api-extensions'],
  namespaced: false,
  status: true,
  strategy: {
    defaults: (object) => setDefaults(crd(object)),
    prepareForCreate: (object) => {
      object.status = newStatus(crd(object))
    },
    prepareForUpdate: (object, old) => {
      object.status = { ...old.status }
      const stored: string[] = object.status.storedVersions ?? []
      for (const version of crd(object).spec.versions ?? []) {
        if (version.storage && !stored.includes(version.name)) object.status.storedVersions = [...stored, version.name]
      }
    },
    prepareForStatusUpdate: (object, old) => {
      const { managedFields, resourceVersion, finalizers } = object.metadata
      object.metadata = { ...old.metadata, managedFields, resourceVersion, finalizers }
      object.spec = old.spec
    },
    prepareForDelete: (object, { now }) => markTerminating(crd(object), now),
    validate: (object) => collect((errors) => checkCustomResourceDefinition(crd(object), errors)),
    validateUpdate: (object, old) => collect((errors) => checkCustomResourceDefinitionUpdate(crd(object), crd(old), errors)),
    validateExpressions: (object) => (needsCompiling(crd(object)) ? checkRules(crd(object)) : undefined),
    allowUnconditionalUpdate: false,
  },
}

export const apiextensionsDefinitions = defineGroup(
  { group: 'apiextensions.k8s.io', version: 'v1', package: 'apiextensions/v1' },
  [customResourceDefinition],
)
