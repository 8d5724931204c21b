/** Whether the patterns and the rules in CEL of a definition's schema compile, and what the rules may cost: apiextensions' validation of them, in its words. */
import { CompileError } from '../cel/ast.ts'
import { itemsOf, schemaType } from '../cel/schema-types.ts'
import type { Type } from '../cel/types.ts'
import { equal } from '../equal.ts'
import { type Errors, forbidden, invalid, notSupported, required } from '../field-errors.ts'
import { PatternError, regexOf } from '../regex.ts'
import type { JsonSchema } from '../schema/schema.ts'
import { validateCustom } from '../schema/validate.ts'
import type { ValidationRule } from '../types.ts'
import { validateEmbedded } from './embedded.ts'
import { compileMessage, compileRule, WrongResult } from './rules.ts'

const RULE_LIMIT = 10_000_000
const SCHEMA_LIMIT = 100_000_000
const EXPENSIVE_SHOWN = 4
const REASONS = ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired']

interface Context {
  readonly errors: Errors
  readonly costs: { path: string; cost: number }[]
}

/** Where in the schema, and how often it may occur in an object. */
interface Place {
  readonly path: string
  readonly isRoot: boolean
  readonly times: number
  /** The list above whose elements cannot be told from one version of the object to the next. */
  readonly uncorrelated: string | undefined
}

export function checkRules(schema: JsonSchema, path: string, errors: Errors): void {
  const context: Context = { errors, costs: [] }
  checkNode(schema, { path, isRoot: true, times: 1, uncorrelated: undefined }, context)
  const total = context.costs.reduce((all, { cost }) => all + cost, 0)
  if (total <= SCHEMA_LIMIT) return
  const expensive = [...context.costs].sort((a, b) => b.cost - a.cost).slice(0, EXPENSIVE_SHOWN)
  for (const one of expensive)
    errors.push(forbidden(one.path, 'contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema'))
  errors.push(
    forbidden(
      path,
      tooCostly('x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema', total, SCHEMA_LIMIT),
    ),
  )
}

function checkNode(schema: JsonSchema, place: Place, context: Context): void {
  const { path } = place
  const rules = schema['x-kubernetes-validations'] ?? []
  checkPattern(schema.pattern, `${path}.pattern`, context.errors)
  if (schema.default !== undefined) checkDefault(schema, `${path}.default`, context.errors)
  const isRoot = place.isRoot || schema['x-kubernetes-embedded-resource'] === true
  const type = schemaType(schema, isRoot)
  for (const [index, rule] of rules.entries())
    checkRule(rule, schema, type, { ...place, path: `${path}.x-kubernetes-validations[${index}]` }, context)
  const below = (one: JsonSchema, at: string, more: Partial<Place> = {}) =>
    checkNode(one, { ...place, isRoot: false, path: at, ...more }, context)
  const inAtomic = schema['x-kubernetes-map-type'] === 'atomic' ? { uncorrelated: place.uncorrelated ?? path } : {}
  for (const [name, property] of Object.entries(schema.properties ?? {})) below(property, `${path}.properties[${name}]`, inAtomic)
  const size = type?.max ?? 1
  const rest = schema.additionalProperties
  if (typeof rest === 'object') below(rest, `${path}.additionalProperties`, { times: place.times * size })
  const items = itemsOf(schema)
  if (!items) return
  const uncorrelated = schema['x-kubernetes-list-type'] === 'map' ? place.uncorrelated : (place.uncorrelated ?? path)
  below(items, `${path}.items`, { times: place.times * size, uncorrelated })
}

/** A default is what the schema would accept, and loses nothing when it is taken for an object. */
function checkDefault(schema: JsonSchema, path: string, errors: Errors): void {
  const { default: value, ...rest } = schema
  if (!equal(pruned(rest, value), value)) errors.push(invalid(path, value, 'must not have unknown fields'))
  const found = validateEmbedded(rest, value)
  for (const error of found.length > 0 ? found : validateCustom(rest, value as object))
    errors.push({ ...error, field: below(path, error.field) })
}

function below(path: string, field: string): string {
  if (field === '' || field === '<nil>') return path
  return field.startsWith('[') ? `${path}${field}` : `${path}.${field}`
}

/** Without the fields that the schema does not have. */
function pruned(schema: JsonSchema, value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = itemsOf(schema)
    return items ? value.map((item) => pruned(items, item)) : value
  }
  if (typeof value !== 'object' || value === null) return value
  const { properties = {}, additionalProperties: rest } = schema
  const preserves = schema['x-kubernetes-preserve-unknown-fields'] || rest === true
  const isObject = schema['x-kubernetes-embedded-resource']
  const kept: Record<string, unknown> = {}
  for (const [name, member] of Object.entries(value)) {
    const property = Object.hasOwn(properties, name) ? properties[name] : undefined
    if (property) kept[name] = pruned(property, member)
    else if (typeof rest === 'object') kept[name] = pruned(rest, member)
    else if (preserves || (isObject && TYPE_AND_NAME.has(name))) kept[name] = member
  }
  return kept
}

const TYPE_AND_NAME = new Set(['apiVersion', 'kind', 'metadata'])

function checkPattern(pattern: string | undefined, path: string, errors: Errors): void {
  if (!pattern) return
  try {
    regexOf(pattern)
  } catch (error) {
    if (!(error instanceof PatternError)) throw error
    errors.push(invalid(path, pattern, `must be a valid regular expression, but isn't: ${error.message}`))
  }
}

function checkRule(
  rule: ValidationRule,
  schema: JsonSchema,
  type: Type | undefined,
  place: Place,
  { errors, costs }: Context,
): void {
  const { path } = place
  if (!checkWording(rule, schema, path, errors) || !type) return
  try {
    const { program, isTransition } = compileRule(rule, type)
    const cost = program.cost * place.times
    costs.push({ path: `${path}.rule`, cost })
    if (cost > RULE_LIMIT) errors.push(forbidden(`${path}.rule`, tooCostly('estimated rule cost', cost, RULE_LIMIT)))
    if (isTransition && place.uncorrelated !== undefined)
      errors.push(
        invalid(
          `${path}.rule`,
          rule.rule,
          `oldSelf cannot be used on the uncorrelatable portion of the schema within ${place.uncorrelated}`,
        ),
      )
    if (!isTransition && rule.optionalOldSelf !== undefined)
      errors.push(invalid(`${path}.optionalOldSelf`, rule.optionalOldSelf, 'may not be set if oldSelf is not used in rule'))
  } catch (error) {
    errors.push(
      invalid(`${path}.rule`, shown(rule), `${error instanceof CompileError ? 'compilation failed: ' : ''}${reasonOf(error)}`),
    )
  }
  try {
    const message = compileMessage(rule, type)
    const cost = (message?.cost ?? 0) * place.times
    if (message) costs.push({ path: `${path}.messageExpression`, cost })
    if (cost > RULE_LIMIT)
      errors.push(forbidden(`${path}.messageExpression`, tooCostly('estimated messageExpression cost', cost, RULE_LIMIT)))
  } catch (error) {
    const prefix = error instanceof CompileError ? 'messageExpression compilation failed: ' : ''
    errors.push(invalid(`${path}.messageExpression`, shown(rule), `${prefix}${reasonOf(error)}`))
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof CompileError || error instanceof WrongResult) return error.message
  throw error
}

/** Whether the rule itself is there to be compiled. */
function checkWording(rule: ValidationRule, schema: JsonSchema, path: string, errors: Errors): boolean {
  const text = rule.rule?.trim() ?? ''
  const message = rule.message?.trim() ?? ''
  if (text === '') errors.push(required(`${path}.rule`, 'rule is not specified'))
  else if (rule.message && message === '') errors.push(invalid(`${path}.message`, rule.message, 'must be non-empty if specified'))
  else if (message.includes('\n')) errors.push(invalid(`${path}.message`, rule.message, 'must not contain line breaks'))
  else if (text.includes('\n') && message === '')
    errors.push(required(`${path}.message`, 'message must be specified if rule contains line breaks'))
  if (rule.messageExpression && rule.messageExpression.trim() === '')
    errors.push(required(`${path}.messageExpression`, 'messageExpression must be non-empty if specified'))
  if (rule.reason && !REASONS.includes(rule.reason)) errors.push(notSupported(`${path}.reason`, rule.reason, REASONS))
  checkFieldPath(rule.fieldPath, schema, `${path}.fieldPath`, errors)
  return text !== ''
}

function checkFieldPath(text: string | undefined, schema: JsonSchema, path: string, errors: Errors): void {
  if (!text) return
  if (text.trim() === '') return void errors.push(invalid(path, text, 'must be non-empty if specified'))
  if (text.includes('\n')) return void errors.push(invalid(path, text, 'must not contain line breaks'))
  if (!leadsSomewhere(text, schema)) errors.push(invalid(path, text, 'must be a valid path'))
}

function leadsSomewhere(text: string, schema: JsonSchema): boolean {
  let at: JsonSchema | undefined = schema
  let rest = text
  while (rest !== '') {
    const step = /^(?:\.([a-zA-Z_][\w-]*)|\['((?:[^'\\]|\\.)*)'\])/.exec(rest)
    if (!step) return false
    const name: string = step[1] ?? step[2] ?? ''
    const map: JSONSchemaRest = at?.additionalProperties
    const next: JsonSchema | undefined =
      at?.properties?.[name] ?? (step[2] !== undefined && typeof map === 'object' ? map : undefined)
    if (!next) return false
    at = next
    rest = rest.slice(step[0].length)
  }
  return true
}
type JSONSchemaRest = JsonSchema['additionalProperties']

/** A rule as Go prints it in messages. */
function shown(rule: ValidationRule): object {
  return {
    Rule: rule.rule,
    Message: rule.message ?? '',
    MessageExpression: rule.messageExpression ?? '',
    Reason: rule.reason ?? null,
    FieldPath: rule.fieldPath ?? '',
    OptionalOldSelf: rule.optionalOldSelf ?? null,
  }
}

function tooCostly(what: string, cost: number, limit: number): string {
  const factor = cost / limit
  const shownFactor = factor > 100 ? 'more than 100x' : factor < 1.5 ? `${factor.toFixed(6)}x` : `${factor.toFixed(1)}x`
  const advice =
    'try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared'
  return `${what} exceeds budget by factor of ${shownFactor} (${advice})`
}
