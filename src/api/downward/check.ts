/** Checks the names of a path against the schema of what it is read from, and says what would have been possible. */
import type { Step } from '../json-path.ts'
import { builtinSchema, kindSchema } from '../schema/builtin.ts'
import { child } from '../schema/lookup.ts'
import type { Schema, StructSchema } from '../schema/schema.ts'
import { FieldPathError, type FieldSource, type PlacedStep } from './source.ts'

/** How many fields a message offers before it only counts the rest. */
const MAX_OFFERED = 12

/** An owner's kind, as its references and templates name it. */
export interface OwnerKind {
  apiVersion: string
  kind: string
}

/** `owner` is the kind of the pod's controller, where that is known. Throws FieldPathError. */
export function checkSource({ origin, steps }: FieldSource, owner: OwnerKind | undefined): void {
  switch (origin.from) {
    case 'host':
      return
    case 'owner':
      // A kind further up may be anybody's.
      checkSteps(steps, origin.kind === undefined && owner ? schemaOfKind(owner) : undefined)
      return
    default:
      if (origin.from === 'pod') refuseTraces(steps)
      checkSteps(steps, builtinSchema(ORIGIN_TYPES[origin.from]))
  }
}

/** Fields of the pod that every write of it changes, those of a path's own value among them. */
function refuseTraces([first, second]: readonly PlacedStep[]): void {
  if (first?.step !== 'field' || first.name !== 'metadata' || second?.step !== 'field') return
  if (second.name === 'resourceVersion' || second.name === 'managedFields') {
    throw new FieldPathError(second.at, `${second.name} changes with every write of the pod, the one that shows it among them`)
  }
}

const ORIGIN_TYPES = { pod: 'core/v1.Pod', node: 'core/v1.Node', namespace: 'core/v1.Namespace', service: 'core/v1.Service' }

function schemaOfKind({ apiVersion, kind }: OwnerKind): Schema | undefined {
  const [version = '', group = ''] = apiVersion.split('/').reverse()
  return kindSchema(group, version, kind)
}

/** `undefined` is a schema that says nothing: everything is possible there. Throws FieldPathError. */
function checkSteps(steps: readonly PlacedStep[], schema: Schema | undefined): void {
  follow(steps, schema ? [schema] : undefined)
}

/** Schemas that a value at this place may have; undefined when nothing is known about it. */
type Place = readonly Schema[] | undefined

function follow(steps: readonly PlacedStep[], start: Place): Place {
  let place = start
  for (const step of steps) {
    if (!place) return undefined
    if (place.some(isAnything)) return undefined
    place = after(step, place)
  }
  return place
}

function after(step: PlacedStep, place: readonly Schema[]): Place {
  switch (step.step) {
    case 'field':
      return field(step.name, step.at, place)
    case 'names':
      return step.names.flatMap((name) => field(name, step.at, place))
    case 'every':
      return elements(step.at, place)
    case 'descend':
      // Below there are maps, whose keys may be anything.
      return undefined
    case 'indexes':
    case 'slice':
      return listElements(step.at, place)
    case 'filter': {
      const inside = elements(step.at, place)
      follow(placed(step.left), inside)
      if (Array.isArray(step.right)) follow(placed(step.right), inside)
      return inside
    }
  }
}

/** The parser places the steps of filters, too. */
function placed(steps: readonly Step[]): readonly PlacedStep[] {
  return steps as readonly PlacedStep[]
}

function field(name: string, at: number, place: readonly Schema[]): readonly Schema[] {
  const found = place.flatMap((schema) => child(schema, name)?.schema ?? [])
  if (found.length > 0) return found
  const struct = place.find((schema) => schema.kind === 'struct')
  if (struct && place.length === 1) {
    throw new FieldPathError(at, `${struct.name} has no field ${JSON.stringify(name)}`, offer(name, struct))
  }
  const [first] = place
  if (place.length !== 1 || !first) throw new FieldPathError(at, `nothing here has a field ${JSON.stringify(name)}`)
  throw new FieldPathError(at, `${JSON.stringify(name)} follows ${describe(first)}`, nextSteps(first))
}

function elements(at: number, place: readonly Schema[]): readonly Schema[] {
  const found = place.flatMap((schema) => {
    if (schema.kind === 'list' || schema.kind === 'map') return [schema.element]
    return schema.kind === 'struct' ? [...schema.fields.values()].map((one) => one.schema) : []
  })
  if (found.length > 0) return found
  throw new FieldPathError(at, `${describe(place[0])} has no elements`, nextSteps(place[0]))
}

function listElements(at: number, place: readonly Schema[]): readonly Schema[] {
  const found = place.flatMap((schema) => (schema.kind === 'list' ? [schema.element] : []))
  if (found.length > 0) return found
  throw new FieldPathError(at, `an index follows ${describe(place[0])}`, nextSteps(place[0]))
}

function isAnything(schema: Schema): boolean {
  if (schema.kind === 'struct') return schema.preserveUnknown
  return ['raw', 'json', 'fields', 'schemaOrArray', 'schemaOrBool', 'schemaOrStrings'].includes(schema.kind)
}

function describe(schema: Schema | undefined): string {
  if (!schema) return 'nothing'
  if (schema.kind === 'list') return 'a list'
  if (schema.kind === 'map') return 'a map'
  return schema.kind === 'struct' ? schema.name || 'an object' : 'a plain value'
}

function nextSteps(schema: Schema | undefined): string[] {
  if (schema?.kind === 'struct') return offer('', schema)
  if (schema?.kind === 'map') return ["['KEY']", '[*]']
  if (schema?.kind !== 'list') return ['the end', '| json', '?? "default"']
  const key = schema.keys[0] ?? (schema.element.kind === 'struct' && schema.element.fields.has('name') ? 'name' : undefined)
  return ['[0]', '[*]', ...(key ? [`[?(@.${key}=="…")]`] : [])]
}

/** Fields of a struct, those that look like the wanted one first. */
function offer(wanted: string, struct: StructSchema): string[] {
  const names = [...struct.fields.keys()].sort()
  const near = names
    .filter((name) => looksLike(name.toLowerCase(), wanted.toLowerCase()))
    .sort((a, b) => Math.abs(a.length - wanted.length) - Math.abs(b.length - wanted.length))
  const ordered = [...near, ...names.filter((name) => !near.includes(name))]
  const rest = ordered.length - MAX_OFFERED
  return rest > 1 ? [...ordered.slice(0, MAX_OFFERED), `and ${rest} more`] : ordered
}

/** One contains the other, or they begin with the same three letters. */
function looksLike(name: string, wanted: string): boolean {
  if (wanted === '') return false
  return name.includes(wanted) || wanted.includes(name) || (wanted.length > 2 && name.startsWith(wanted.slice(0, 3)))
}
