/** Compiles the compact facts about Kubernetes' own types into schemas, each type when it is first asked for. */
import { type PackageData, schemaData } from './data.ts'
import {
  Field,
  type ListSchema,
  type MessageField,
  type ScalarKind,
  type ScalarSchema,
  type Schema,
  type StructSchema,
} from './schema.ts'

const GO_TYPES: Record<ScalarKind, string> = {
  ...{ string: 'string', bool: 'bool', int32: 'int32', int64: 'int64', float64: 'float64', bytes: '[]uint8', time: 'v1.Time' },
  ...{ microtime: 'v1.MicroTime', duration: 'v1.Duration', quantity: 'resource.Quantity', intstr: 'intstr.IntOrString' },
  ...{ raw: 'runtime.RawExtension', json: 'v1.JSON', fields: 'v1.FieldsV1', schemaOrArray: 'v1.JSONSchemaPropsOrArray' },
  ...{ schemaOrBool: 'v1.JSONSchemaPropsOrBool', schemaOrStrings: 'v1.JSONSchemaPropsOrStringArray' },
}
/** Kinds that Go writes as `null` or `{}` even with `omitempty`, because they are structs there. */
const STRUCT_KINDS = new Set(['struct', 'time', 'microtime', 'duration', 'quantity', 'intstr', 'raw'])
/** Options and answers that every group understands, though meta/v1 defines them. */
const META_KINDS = new Set([
  'DeleteOptions',
  'CreateOptions',
  'UpdateOptions',
  'PatchOptions',
  'ListOptions',
  'GetOptions',
  'WatchEvent',
])
/** Kinds of meta/v1 that are written as `v1`. */
const CORE_META_KINDS = new Set(['Status', 'List', 'APIGroup', 'APIGroupList', 'APIResourceList', 'APIVersions'])
const META = 'meta/v1'

const structs = new Map<string, StructSchema>()
const scalars = new Map<string, ScalarSchema>()
let owners: Map<string, string> | undefined

/** The schema of a type by its short name, `core/v1.Pod` or `meta/v1.Status`. Throws when there is none: names are constants of the program. */
export function builtinSchema(name: string): StructSchema {
  const known = structs.get(name)
  if (known) return known
  const schema = findBuiltinSchema(name)
  if (!schema) throw new Error(`there is no built-in type ${name}`)
  return schema
}

/** The same, or undefined. */
export function findBuiltinSchema(name: string): StructSchema | undefined {
  const known = structs.get(name)
  if (known) return known
  const dot = name.indexOf('.')
  const owner = name.slice(0, dot)
  const data = schemaData()[owner]
  const lines = data?.types[name.slice(dot + 1)]
  return data && lines && compileStruct(name, owner, data, lines)
}

/** The built-in type that a group, version and kind name on the wire (`apps`, `v1`, `Deployment`), or undefined. */
export function kindSchema(group: string, version: string, kind: string): StructSchema | undefined {
  const isMeta = META_KINDS.has(kind) || (group === '' && CORE_META_KINDS.has(kind))
  const owner = isMeta ? META : packageOf(group, version)
  return owner === undefined ? undefined : findBuiltinSchema(`${owner}.${kind}`)
}

/** The package (`rbac/v1`) of a group and version (`rbac.authorization.k8s.io`, `v1`), or undefined. */
export function packageOf(group: string, version: string): string | undefined {
  owners ??= new Map(Object.entries(schemaData()).map(([name, data]) => [`${data.group}/${data.version}`, name]))
  return owners.get(`${group}/${version}`)
}

function compileStruct(name: string, owner: string, data: PackageData, lines: readonly string[]): StructSchema {
  const type = name.slice(owner.length + 1)
  const fields = new Map<string, Field>()
  const messages: MessageField[] = []
  const always: Field[] = []
  const atomic = lines[0] === '@atomic'
  const schema: StructSchema = {
    ...{ kind: 'struct', name: type, id: `${data.prefix}.${type}`, goType: `${data.version}.${type}` },
    ...{ fields, always, atomic, messages, source: undefined, preserveUnknown: false, nullable: false },
  }
  // Registered before its fields, because types refer to themselves.
  structs.set(name, schema)
  for (const line of atomic ? lines.slice(1) : lines) {
    const [fieldName, , number, shape] = line.split(' ', 4) as [string, string, string, string]
    if (fieldName === '...') addSpread(schema, fields, messages, always, qualify(shape, owner), Number(number))
    else {
      const field = compileField(line, owner, data)
      fields.set(fieldName, field)
      if (field.number > 0) messages.push({ number: field.number, field, spread: undefined })
      if (isAlwaysWritten(field, shape, owner)) always.push(field)
    }
  }
  return schema
}

function addSpread(
  schema: StructSchema,
  fields: Map<string, Field>,
  messages: MessageField[],
  always: Field[],
  name: string,
  number: number,
): void {
  if (name === `${META}.TypeMeta`) {
    for (const key of ['kind', 'apiVersion']) fields.set(key, plainField(key, scalar('string', undefined)))
    return
  }
  const spread = builtinSchema(name)
  if (spread === schema) throw new Error(`${name} contains itself`)
  for (const [key, field] of spread.fields) fields.set(key, field)
  always.push(...spread.always)
  if (number > 0) messages.push({ number, field: undefined, spread })
}

function plainField(name: string, schema: Schema): Field {
  const facts = {
    required: false,
    omitEmpty: true,
    pointer: false,
    omitZero: false,
    number: 0,
    default: undefined,
    atomic: false,
  }
  return new Field({ name, ...facts, patchMergeKey: undefined, patchStrategy: undefined, retainKeys: false }, () => schema)
}

/** Whether Go writes the field when it was not given: all but what `omitempty` or `omitzero` leaves out; structs are never empty. */
function isAlwaysWritten(field: Field, shape: string, owner: string): boolean {
  if (!field.omitEmpty) return true
  if (field.pointer || field.omitZero) return false
  const prefix = shape.slice(0, 2)
  if (prefix === '[]' || prefix === '{}' || prefix === '()' || shape.startsWith('&')) return false
  return STRUCT_KINDS.has(shape) || findTypeLines(qualify(shape, owner)) !== undefined
}

function findTypeLines(name: string): readonly string[] | undefined {
  const dot = name.indexOf('.')
  return schemaData()[name.slice(0, dot)]?.types[name.slice(dot + 1)]
}

function qualify(shape: string, owner: string): string {
  return shape.includes('/') ? shape : `${owner}.${shape}`
}

function compileField(line: string, owner: string, data: PackageData): Field {
  const [name, flags, number, shape, ...rest] = line.split(' ') as [string, string, string, string, ...string[]]
  const attributes = readAttributes(rest)
  const merge = attributes.get('merge')
  const facts = {
    ...{ name, number: Number(number), required: flags.includes('!'), omitEmpty: flags.includes('?') },
    ...{ pointer: flags.includes('*'), omitZero: flags.includes('0') },
    default: attributes.has('default') ? (JSON.parse(attributes.get('default')!) as unknown) : undefined,
    atomic: attributes.get('struct') === 'atomic' || attributes.get('map') === 'atomic',
    patchMergeKey: merge || undefined,
    patchStrategy: merge !== undefined ? ('merge' as const) : attributes.has('replace') ? ('replace' as const) : undefined,
    retainKeys: attributes.has('retain'),
  }
  return new Field(facts, () => compileShape(shape, owner, data, attributes))
}

function readAttributes(words: readonly string[]): Map<string, string> {
  return new Map(
    words.map((word) => {
      const equals = word.indexOf('=')
      return equals < 0 ? [word, ''] : [word.slice(0, equals), word.slice(equals + 1)]
    }),
  )
}

const NO_ATTRIBUTES: ReadonlyMap<string, string> = new Map()

function compileShape(shape: string, owner: string, data: PackageData, attributes: ReadonlyMap<string, string>): Schema {
  if (shape.startsWith('[]') || shape.startsWith('()')) {
    const element = compileShape(shape.slice(2), owner, data, NO_ATTRIBUTES)
    return {
      ...listFacts(attributes),
      kind: 'list',
      goType: `[]${element.goType}`,
      element,
      wrapped: shape[0] === '(',
      nullable: false,
    }
  }
  if (shape.startsWith('{}')) {
    const element = compileShape(shape.slice(2), owner, data, NO_ATTRIBUTES)
    const atomic = attributes.get('map') === 'atomic'
    return { kind: 'map', goType: `map[string]${element.goType}`, element, atomic, nullable: false }
  }
  if (shape.startsWith('&')) return scalar('string', qualify(shape.slice(1), owner))
  if (shape in GO_TYPES) return scalar(shape as ScalarKind, undefined)
  return builtinSchema(qualify(shape, owner))
}

function listFacts(attributes: ReadonlyMap<string, string>): Pick<ListSchema, 'listType' | 'keys' | 'declaredType'> {
  const declaredType = attributes.get('list') as ListSchema['declaredType']
  const keys = attributes.get('keys')?.split(',') ?? []
  if (declaredType) return { listType: declaredType, keys, declaredType }
  const merge = attributes.get('merge')
  if (merge === undefined) return { listType: 'atomic', keys, declaredType }
  return merge === '' ? { listType: 'set', keys, declaredType } : { listType: 'map', keys: [merge], declaredType }
}

function scalar(kind: ScalarKind, enumName: string | undefined): ScalarSchema {
  const key = enumName ?? kind
  let schema = scalars.get(key)
  if (!schema) {
    const [owner, type] = enumName?.split('.') ?? []
    const data = owner === undefined ? undefined : schemaData()[owner]
    const goType = data ? `${data.version}.${type}` : GO_TYPES[kind]
    schema = { kind, goType, enum: type === undefined ? undefined : data?.enums[type], nullable: false }
    scalars.set(key, schema)
  }
  return schema
}
