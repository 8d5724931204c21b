/** Compiles the structural schema of a custom resource definition into the same nodes that built-in types have. */
import { builtinSchema } from './builtin.ts'
import { Field, type JsonSchema, type ListSchema, type ScalarKind, type Schema, type StructSchema } from './schema.ts'

const OBJECT: JsonSchema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }

/**
 * The schema of a custom resource's objects. Without a schema, or with `preserveUnknownFields`, everything is kept.
 * The definition has been validated: its schema is structural.
 */
export function compileStructural(root: JsonSchema | undefined, options: { preserveUnknownFields?: boolean } = {}): StructSchema {
  return compileObject(root ?? OBJECT, { isRoot: true, preserveUnknown: options.preserveUnknownFields === true })
}

function compile(source: JsonSchema): Schema {
  const nullable = source.nullable === true
  if (source['x-kubernetes-int-or-string']) return scalar('intstr', nullable)
  switch (source.type) {
    case 'object': {
      const additional = source.additionalProperties
      if (additional === undefined || additional === false)
        return compileObject(source, { isRoot: false, preserveUnknown: false })
      const element = additional === true ? scalar('json', true) : compile(additional)
      return { kind: 'map', goType: '', element, atomic: source['x-kubernetes-map-type'] === 'atomic', nullable }
    }
    case 'array':
      return compileArray(source, nullable)
    case 'integer':
      return scalar(source.format === 'int32' ? 'int32' : 'int64', nullable)
    case 'number':
      return scalar('float64', nullable)
    case 'boolean':
      return scalar('bool', nullable)
    case 'string':
      return scalar('string', nullable)
    default:
      return scalar('json', true)
  }
}

function compileArray(source: JsonSchema, nullable: boolean): ListSchema {
  const items = Array.isArray(source.items) ? source.items[0] : source.items
  const listType = (source['x-kubernetes-list-type'] ?? undefined) as ListSchema['declaredType']
  const keys = source['x-kubernetes-list-map-keys'] ?? []
  const element = items ? compile(items) : scalar('json', true)
  return {
    kind: 'list',
    goType: '',
    element,
    listType: listType ?? 'atomic',
    declaredType: listType,
    keys,
    wrapped: false,
    nullable,
  }
}

function scalar(kind: ScalarKind, nullable: boolean): Schema {
  return { kind, goType: '', enum: undefined, nullable }
}

function compileObject(
  source: JsonSchema,
  { isRoot, preserveUnknown }: { isRoot: boolean; preserveUnknown: boolean },
): StructSchema {
  const fields = new Map<string, Field>()
  const required = new Set(source.required ?? [])
  for (const [name, property] of Object.entries(source.properties ?? {}))
    fields.set(
      name,
      fieldOf(name, property.default, required.has(name), () => compile(property)),
    )
  if (isRoot || source['x-kubernetes-embedded-resource']) {
    for (const name of ['apiVersion', 'kind'])
      fields.set(
        name,
        fieldOf(name, undefined, false, () => scalar('string', false)),
      )
    fields.set(
      'metadata',
      fieldOf('metadata', undefined, false, () => builtinSchema('meta/v1.ObjectMeta')),
    )
  }
  return {
    ...{ kind: 'struct', name: '', id: '', goType: '', fields, always: [], messages: [], source },
    atomic: source['x-kubernetes-map-type'] === 'atomic',
    preserveUnknown: preserveUnknown || source['x-kubernetes-preserve-unknown-fields'] === true,
    nullable: source.nullable === true,
  }
}

function fieldOf(name: string, fallback: unknown, required: boolean, resolve: () => Schema): Field {
  const facts = { omitEmpty: false, pointer: true, omitZero: false, number: 0, atomic: false, retainKeys: false }
  return new Field({ name, default: fallback, required, ...facts, patchMergeKey: undefined, patchStrategy: undefined }, resolve)
}
