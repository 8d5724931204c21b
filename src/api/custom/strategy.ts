/** What is particular to the objects of a custom resource when they are written: its schema, its status, its numbers of replicas. */
import type { Strategy } from '../definition.ts'
import { invalid } from '../field-errors.ts'
import type { KubeObject } from '../object.ts'
import type { JsonSchema } from '../schema/schema.ts'
import { validateCustom } from '../schema/validate.ts'
import type { FieldError } from '../status.ts'
import type { CustomResourceSubresourceScale } from '../types.ts'
import { validateEmbedded } from './embedded.ts'

/** Rules in CEL, compiled; answers nothing for a schema without any. */
export type CheckRules = (object: KubeObject, old: KubeObject | undefined) => FieldError[]

export interface StrategyFacts {
  readonly schema: JsonSchema | undefined
  readonly hasStatus: boolean
  readonly scale: CustomResourceSubresourceScale | undefined
  /** Loads and compiles the rules, when the schema has any. */
  readonly rules: (() => Promise<CheckRules>) | undefined
}

const MAX_INT32 = 2 ** 31 - 1
/** Findings about the object's form: values that are merely wrong do not keep rules from being looked at. */
const BLOCKING = new Set([
  ...['FieldValueNotSupported', 'FieldValueRequired', 'FieldValueTooLong', 'FieldValueTooMany', 'FieldValueTypeInvalid'],
])
const UNCHECKED = invalid(
  '<nil>',
  null,
  'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
)

export function customStrategy(facts: StrategyFacts): Strategy {
  const { hasStatus, rules } = facts
  const validateUpdate = (object: KubeObject, old: KubeObject) => validate(facts, object, old)
  return {
    prepareForCreate: (object) => {
      if (hasStatus) delete object.status
    },
    prepareForUpdate: (object, old) => {
      if (hasStatus) takeStatus(object, old)
    },
    prepareForStatusUpdate: (object, old) => {
      for (const key of Object.keys(object)) if (key !== 'status' && key !== 'metadata') delete object[key]
      for (const key of Object.keys(old)) if (key !== 'status' && key !== 'metadata') object[key] = old[key]
      const { managedFields, resourceVersion } = object.metadata
      object.metadata = { ...old.metadata, managedFields, resourceVersion }
    },
    validate: (object) => validate(facts, object, undefined),
    validateUpdate,
    validateStatusUpdate: validateUpdate,
    // Rules may rely on what the schema demands.
    ...(rules && {
      validateExpressions: (object, old, found) =>
        found.some(({ type }) => BLOCKING.has(type)) ? Promise.resolve([UNCHECKED]) : rules().then((check) => check(object, old)),
    }),
    warnings: warnAboutFinalizers,
    allowUnconditionalUpdate: false,
    countsGeneration: true,
    generationCountsStatus: !hasStatus,
  }
}

function warnAboutFinalizers({ metadata }: KubeObject): string[] {
  const why =
    'prefer a domain-qualified finalizer name including a path (/) to avoid accidental conflicts with other finalizer writers'
  const unqualified = (metadata.finalizers ?? []).filter((finalizer) => !finalizer.includes('/'))
  return unqualified.map((finalizer) => `metadata.finalizers: ${JSON.stringify(finalizer)}: ${why}`)
}

function takeStatus(object: KubeObject, old: KubeObject): void {
  if (old.status === undefined) delete object.status
  else object.status = old.status
}

function validate({ schema, scale }: StrategyFacts, object: KubeObject, old: KubeObject | undefined): FieldError[] {
  const errors = schema ? [...validateCustom(schema, object, old), ...validateEmbedded(schema, object)] : []
  if (scale) checkScale(scale, object, errors)
  return errors
}

function checkScale(scale: CustomResourceSubresourceScale, object: KubeObject, errors: FieldError[]): void {
  checkReplicas(object, scale.specReplicasPath, errors)
  checkReplicas(object, scale.statusReplicasPath, errors)
  const path = scale.labelSelectorPath
  const selector = path ? valueAt(object, path) : undefined
  if (selector !== undefined && typeof selector !== 'string')
    errors.push(invalid(path!, '', wrongType(path!, selector, 'string')))
}

function checkReplicas(object: KubeObject, path: string, errors: FieldError[]): void {
  const replicas = valueAt(object, path)
  if (replicas === undefined) return
  if (typeof replicas !== 'number' || !Number.isInteger(replicas)) {
    errors.push(invalid(path, 0, wrongType(path, replicas, 'int64')))
  } else if (replicas < 0) errors.push(invalid(path, replicas, 'should be a non-negative integer'))
  else if (replicas > MAX_INT32) errors.push(invalid(path, replicas, `should be less than or equal to ${MAX_INT32}`))
}

function wrongType(path: string, value: unknown, wanted: string): string {
  const actual = typeof value === 'number' ? 'float64' : typeof value === 'boolean' ? 'bool' : typeof value
  return `${path} accessor error: ${String(value)} is of the type ${actual}, expected ${wanted}`
}

/** Follows a simple path, `.spec.replicas`. */
export function valueAt(object: unknown, path: string): unknown {
  let value = object
  for (const step of path.split('.').slice(1)) {
    value = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[step] : undefined
  }
  return value
}
