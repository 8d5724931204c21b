/** Rules in CEL (`x-kubernetes-validations`) of a schema, compiled once; run on an object and the one before it. Kubernetes' own messages. */
import { Budget, OverBudget } from '../cel/evaluator.ts'
import { kubernetesFunctions } from '../cel/kubernetes.ts'
import { compileProgram, type Program } from '../cel/program.ts'
import { itemsOf, schemaType, schemaValue } from '../cel/schema-types.ts'
import type { Type } from '../cel/types.ts'
import { EvaluationError, NONE, Optional, type Value } from '../cel/values.ts'
import { equal } from '../equal.ts'
import { duplicate, forbidden, invalid, required } from '../field-errors.ts'
import type { JsonSchema } from '../schema/schema.ts'
import { oldItems } from '../schema/validate.ts'
import type { FieldError } from '../status.ts'
import type { ValidationRule } from '../types.ts'
import type { CheckRules } from './strategy.ts'

/** Steps that one rule may take, and all rules of an object together. */
const RULE_BUDGET = 1_000_000
const OBJECT_BUDGET = 10_000_000
const MAX_MESSAGE = 5_120

export interface CompiledRule {
  readonly rule: ValidationRule
  readonly program: Program
  readonly message: Program | undefined
  /** Whether it compares with what was before. */
  readonly isTransition: boolean
}

/** The variables of a rule at a schema of this type. */
export function compileRule(rule: ValidationRule, self: Type): CompiledRule {
  const oldSelf: Type = rule.optionalOldSelf ? { kind: 'optional', value: self } : self
  const environment = {
    functions: kubernetesFunctions,
    variables: new Map([
      ['self', self],
      ['oldSelf', oldSelf],
    ]),
  }
  const program = compileProgram(rule.rule, environment)
  if (program.type.kind !== 'bool' && program.type.kind !== 'dyn') throw new WrongResult('cel expression must evaluate to a bool')
  return { rule, program, message: undefined, isTransition: program.names.has('oldSelf') }
}

export function compileMessage(rule: ValidationRule, self: Type): Program | undefined {
  if (!rule.messageExpression) return undefined
  const oldSelf: Type = rule.optionalOldSelf ? { kind: 'optional', value: self } : self
  const environment = {
    functions: kubernetesFunctions,
    variables: new Map([
      ['self', self],
      ['oldSelf', oldSelf],
    ]),
  }
  const program = compileProgram(rule.messageExpression, environment)
  if (program.type.kind !== 'string' && program.type.kind !== 'dyn')
    throw new WrongResult('messageExpression must evaluate to a string')
  return program
}

/** An expression of the wrong type. */
export class WrongResult extends Error {
  override name = 'WrongResult'
}

/** The definition has been validated: everything compiles. */
export function compileRules(schema: JsonSchema): CheckRules {
  const root = new Node(schema, true)
  return (object, old) => {
    const run: Run = { errors: [], budget: new Budget(OBJECT_BUDGET) }
    try {
      root.check(object, old, '', run)
    } catch (error) {
      if (!(error instanceof OverBudget)) throw error
      run.errors.push(
        invalid('', '', 'validation failed due to running out of cost budget, no further validation rules will be run'),
      )
    }
    return run.errors
  }
}

interface Run {
  readonly errors: FieldError[]
  readonly budget: Budget
}

class Node {
  readonly #schema: JsonSchema
  readonly #rules: readonly CompiledRule[]
  readonly #properties: ReadonlyMap<string, Node>
  readonly #rest: Node | undefined
  readonly #items: Node | undefined
  /** Whether there is any rule here or below. */
  readonly isEmpty: boolean

  constructor(schema: JsonSchema, isRoot: boolean) {
    this.#schema = schema
    const rules = schema['x-kubernetes-validations'] ?? []
    const type = rules.length > 0 ? schemaType(schema, isRoot || schema['x-kubernetes-embedded-resource'] === true) : undefined
    this.#rules = type ? rules.map((rule) => ({ ...compileRule(rule, type), message: compileMessage(rule, type) })) : []
    const below = (one: JsonSchema | undefined) => {
      const node = one && new Node(one, false)
      return node?.isEmpty ? undefined : node
    }
    const properties = Object.entries(schema.properties ?? {}).map(([name, property]) => [name, below(property)] as const)
    this.#properties = new Map(properties.filter((pair): pair is [string, Node] => pair[1] !== undefined))
    this.#rest = typeof schema.additionalProperties === 'object' ? below(schema.additionalProperties) : undefined
    this.#items = below(itemsOf(schema))
    this.isEmpty = this.#rules.length === 0 && this.#properties.size === 0 && !this.#rest && !this.#items
  }

  /** Rules are about values: what is null or absent is the business of what surrounds it. */
  check(value: unknown, old: unknown, path: string, run: Run): void {
    if (value === null || value === undefined) return
    if (this.#rules.length > 0) this.#run(value, old, path, run)
    if (Array.isArray(value)) {
      const before = oldItems(this.#schema, old)
      if (this.#items)
        for (const [index, item] of value.entries()) this.#items.check(item, before(item), `${path}[${index}]`, run)
      return
    }
    if (typeof value !== 'object') return
    const members = value as Record<string, unknown>
    const previous = (typeof old === 'object' && old !== null && !Array.isArray(old) ? old : {}) as Record<string, unknown>
    const at = (name: string) => (path === '' ? name : `${path}.${name}`)
    for (const [name, node] of this.#properties) node.check(members[name], previous[name], at(name), run)
    if (this.#rest)
      for (const name of Object.keys(members)) this.#rest.check(members[name], previous[name], `${path}[${name}]`, run)
  }

  #run(value: unknown, old: unknown, path: string, run: Run): void {
    const hasOld = old !== undefined && old !== null
    const unchanged = hasOld && equal(value, old)
    const self = once(() => schemaValue(this.#schema, value))
    const oldSelf = once(() => schemaValue(this.#schema, old))
    for (const compiled of this.#rules) {
      const { rule, isTransition } = compiled
      if (isTransition && !hasOld && !rule.optionalOldSelf) continue
      // What an update leaves as it was is not held to rules that came later.
      if (unchanged && !isTransition) continue
      const before = rule.optionalOldSelf ? () => (hasOld ? new Optional(oldSelf()) : NONE) : oldSelf
      const variables = new Map<string, () => Value>([
        ['self', self],
        ['oldSelf', before],
      ])
      const error = evaluate(compiled, variables, value, path, run)
      if (error) run.errors.push(error)
    }
  }
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}

function evaluate(
  compiled: CompiledRule,
  variables: ReadonlyMap<string, () => Value>,
  value: unknown,
  path: string,
  run: Run,
): FieldError | undefined {
  const { rule, program } = compiled
  const budget = new Budget(Math.min(RULE_BUDGET, run.budget.left))
  const allowed = budget.left
  try {
    if (program.run(variables, budget) === true) return undefined
    return failed(compiled, variables, value, path, budget)
  } catch (error) {
    const shown = rule.message?.trim() || rule.rule.trim()
    if (error instanceof OverBudget) return invalidAt(path, value, `call cost exceeds limit for rule: ${shown}`)
    if (!(error instanceof EvaluationError)) throw error
    if (error.message.startsWith('no such overload'))
      return invalidAt(
        path,
        value,
        `call arguments did not match a supported operator, function or macro signature for rule: ${shown}`,
      )
    return invalidAt(path, value, `${error.message} evaluating rule: ${shown}`)
  } finally {
    run.budget.spend(Math.max(0, allowed - Math.max(0, budget.left)))
  }
}

function failed(
  compiled: CompiledRule,
  variables: ReadonlyMap<string, () => Value>,
  value: unknown,
  path: string,
  budget: Budget,
): FieldError {
  const { rule } = compiled
  const message = ownMessage(compiled, variables, budget) ?? rule.message?.trim() ?? ''
  const text = message || `failed rule: ${rule.rule.trim()}`
  const field = fieldAt(path, rule.fieldPath)
  switch (rule.reason) {
    case 'FieldValueRequired':
      return required(field, text)
    case 'FieldValueForbidden':
      return forbidden(field, text)
    case 'FieldValueDuplicate':
      return duplicate(field, value)
    default:
      return rule.fieldPath
        ? { type: 'FieldValueInvalid', field, message: `Invalid value: ${text}` }
        : invalidAt(path, value, text)
  }
}

/** What the rule's own expression says; undefined when it says nothing of use. */
function ownMessage({ message }: CompiledRule, variables: ReadonlyMap<string, () => Value>, budget: Budget): string | undefined {
  if (!message) return undefined
  try {
    const text = message.run(variables, budget)
    if (typeof text !== 'string' || text.trim() === '' || text.includes('\n') || text.length > MAX_MESSAGE) return undefined
    return text.trim()
  } catch (error) {
    if (error instanceof EvaluationError || error instanceof OverBudget) return undefined
    throw error
  }
}

/** Objects and lists are not shown. */
function invalidAt(path: string, value: unknown, detail: string): FieldError {
  const field = path === '' ? '<nil>' : path
  if (typeof value === 'object') return { type: 'FieldValueInvalid', field, message: `Invalid value: ${detail}` }
  return invalid(field, value, detail)
}

function fieldAt(path: string, below: string | undefined): string {
  if (!below) return path === '' ? '<nil>' : path
  const text = below.replaceAll(/\['([^']*)'\]/g, '[$1]')
  return path === '' ? text.replace(/^\./, '') : `${path}${text}`
}
