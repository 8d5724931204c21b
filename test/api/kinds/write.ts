/** Writes objects as the API server would, as far as their kind decides: decoding, defaults, preparation, rules. No server. */
import type { ResourceDefinition } from '../../../src/api/definition.ts'
import { builtinDefinitions } from '../../../src/api/definitions.ts'
import type { KubeObject } from '../../../src/api/object.ts'
import { builtinSchema } from '../../../src/api/schema/builtin.ts'
import { decode } from '../../../src/api/schema/decode.ts'
import { applyDefaults } from '../../../src/api/schema/defaults.ts'
import type { FieldError } from '../../../src/api/status.ts'

export const NOW = '2026-01-02T03:04:05Z'

/** By plural, or by plural and group where two groups have it. */
export function definitionOf(plural: string, version?: string): ResourceDefinition {
  const found = builtinDefinitions.find(
    (d) => (d.plural === plural || `${d.plural}.${d.group}` === plural) && (version === undefined || d.version === version),
  )
  if (!found) throw new Error(`no kind ${plural}`)
  return found
}

export interface Written {
  object: KubeObject
  /** `reason | field | message`, sorted, reasons without `FieldValue`. */
  causes: string[]
}

function decodeFor(definition: ResourceDefinition, given: object): KubeObject {
  const schema = builtinSchema(definition.schema as string)
  const object = decode<KubeObject>(schema, structuredClone(given)).value
  object.metadata = { name: 'n', ...(definition.namespaced && { namespace: 'default' }), uid: 'uid-1', ...object.metadata }
  applyDefaults(schema, object)
  definition.strategy.defaults?.(object)
  return object
}

export function create(plural: string, given: object): Written {
  const definition = definitionOf(plural)
  const object = decodeFor(definition, given)
  definition.strategy.prepareForCreate?.(object, { now: NOW })
  return { object, causes: causesOf(definition.strategy.validate?.(object)) }
}

/** Updates what `before` creates with what `change` makes of it. */
export function update(plural: string, before: object, change: (object: KubeObject) => void): Written {
  const definition = definitionOf(plural)
  const old = create(plural, before).object
  const copy = structuredClone(old)
  change(copy)
  const object = decodeFor(definition, copy)
  definition.strategy.prepareForUpdate?.(object, old, { now: NOW })
  return { object, causes: causesOf(definition.strategy.validateUpdate?.(object, old)) }
}

export function updateStatus(plural: string, before: object, change: (object: KubeObject) => void): Written {
  const definition = definitionOf(plural)
  const old = create(plural, before).object
  const copy = structuredClone(old)
  change(copy)
  const object = decodeFor(definition, copy)
  definition.strategy.prepareForStatusUpdate?.(object, old, { now: NOW })
  return { object, causes: causesOf(definition.strategy.validateStatusUpdate?.(object, old)) }
}

/** What is warned of when this is created, or, with `change`, when what it creates is changed. Generations count as the server counts. */
export function warningsOf(plural: string, given: object, change?: (object: KubeObject) => void): string[] {
  const { strategy } = definitionOf(plural)
  const { object, causes } = create(plural, given)
  if (causes.length > 0) throw new Error(`refused: ${causes.join('; ')}`)
  object.metadata.generation = 1
  if (!change) return strategy.warnings?.(object) ?? []
  const changed = structuredClone(object)
  change(changed)
  return strategy.warnings?.(changed, object) ?? []
}

function causesOf(errors: readonly FieldError[] = []): string[] {
  return errors.map((e) => `${e.type.replace('FieldValue', '')} | ${e.field} | ${e.message}`).sort()
}

/** The cells of an object's row by column name, AGE and the like counted from `now`. */
export function cells(plural: string, given: object, now = Date.parse(NOW)): Record<string, unknown> {
  const object = given as KubeObject
  return Object.fromEntries(definitionOf(plural).columns.map((column) => [column.name, column.cell(object, { now })]))
}

export const container = { name: 'c', image: 'img:1' }
export const podSpec = { containers: [container] }
export const template = { metadata: { labels: { app: 'a' } }, spec: podSpec }
export const selector = { matchLabels: { app: 'a' } }
