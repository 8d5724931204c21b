/**
 * The components (in v2: definitions) of the OpenAPI documents: one piece of JSON text for each type, made when first asked for,
 * kept, and shared by all documents. Knows nothing of paths.
 */
import type { ResourceDefinition } from '../definition.ts'
import { builtinSchema } from '../schema/builtin.ts'
import { schemaData } from '../schema/data.ts'
import type { Field, JsonSchema, ScalarKind, ScalarSchema, Schema, StructSchema } from '../schema/schema.ts'
import { customNode } from './custom.ts'

export type Dialect = 'v2' | 'v3'

/** A type as documents hold it. */
export interface Component {
  readonly id: string
  readonly json: string
  /** The components that this one refers to. */
  readonly refs: readonly Component[]
}

export interface GroupVersionKind {
  group: string
  kind: string
  version: string
}

type Node = Record<string, unknown>

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1'
const APIEXTENSIONS = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1'
const DATE: Node = { type: 'string', format: 'date-time' }
const OBJECT: Node = { type: 'object' }

/** Types that are written as scalars, or as anything at all. */
const NAMED_SCALARS: Partial<Record<ScalarKind, { id: string; v2: Node; v3: Node }>> = {
  time: { id: `${META}.Time`, v2: DATE, v3: DATE },
  microtime: { id: `${META}.MicroTime`, v2: DATE, v3: DATE },
  duration: { id: `${META}.Duration`, v2: { type: 'string' }, v3: { type: 'string' } },
  quantity: {
    id: 'io.k8s.apimachinery.pkg.api.resource.Quantity',
    v2: { type: 'string' },
    v3: { oneOf: [{ type: 'string' }, { type: 'number' }] },
  },
  intstr: {
    id: 'io.k8s.apimachinery.pkg.util.intstr.IntOrString',
    v2: { type: 'string', format: 'int-or-string' },
    v3: { format: 'int-or-string', oneOf: [{ type: 'integer' }, { type: 'string' }] },
  },
  raw: { id: 'io.k8s.apimachinery.pkg.runtime.RawExtension', v2: OBJECT, v3: OBJECT },
  fields: { id: `${META}.FieldsV1`, v2: OBJECT, v3: OBJECT },
  json: { id: `${APIEXTENSIONS}.JSON`, v2: {}, v3: {} },
  schemaOrArray: { id: `${APIEXTENSIONS}.JSONSchemaPropsOrArray`, v2: {}, v3: {} },
  schemaOrBool: { id: `${APIEXTENSIONS}.JSONSchemaPropsOrBool`, v2: {}, v3: {} },
  schemaOrStrings: { id: `${APIEXTENSIONS}.JSONSchemaPropsOrStringArray`, v2: {}, v3: {} },
}
const INLINE_SCALARS: Partial<Record<ScalarKind, Node>> = {
  string: { type: 'string' },
  bool: { type: 'boolean' },
  int32: { type: 'integer', format: 'int32' },
  int64: { type: 'integer', format: 'int64' },
  float64: { type: 'number', format: 'double' },
  bytes: { type: 'string', format: 'byte' },
}

/** Makes and keeps the components of one dialect. */
export class Components {
  readonly dialect: Dialect
  readonly #builtins = new Map<string, Component>()
  readonly #customs = new WeakMap<ResourceDefinition, { object: Component; list: Component }>()

  constructor(dialect: Dialect) {
    this.dialect = dialect
  }

  /** What `{"$ref": …}` holds. */
  pathOf(id: string): string {
    return `${this.dialect === 'v2' ? '#/definitions/' : '#/components/schemas/'}${id}`
  }

  builtin(schema: StructSchema): Component {
    const known = this.#builtins.get(schema.id)
    if (known) return known
    const refs: Component[] = []
    const component = { id: schema.id, json: '', refs }
    // Registered before it is rendered, because types refer to themselves.
    this.#builtins.set(schema.id, component)
    component.json = JSON.stringify(this.#struct(schema, refs))
    return component
  }

  /** The object and the list of a custom resource. */
  custom(definition: ResourceDefinition): { object: Component; list: Component } {
    let known = this.#customs.get(definition)
    if (!known) {
      known = this.#renderCustom(definition)
      this.#customs.set(definition, known)
    }
    return known
  }

  /** A type that is only a name and a piece of JSON. */
  plain(id: string, node: Node): Component {
    let component = this.#builtins.get(id)
    if (!component) {
      component = { id, json: JSON.stringify(node), refs: [] }
      this.#builtins.set(id, component)
    }
    return component
  }

  #refer(component: Component, refs: Component[]): Node {
    if (!refs.includes(component)) refs.push(component)
    return { $ref: this.pathOf(component.id) }
  }

  #struct(schema: StructSchema, refs: Component[]): Node {
    const properties: Record<string, Node> = {}
    const required: string[] = []
    for (const field of [...schema.fields.values()].sort((a, b) => (a.name < b.name ? -1 : 1))) {
      properties[field.name] = this.#property(field, refs)
      if (field.required) required.push(field.name)
    }
    const kinds = kindsOf(schema)
    return {
      ...(required.length > 0 && { required }),
      type: 'object',
      ...(schema.fields.size > 0 && { properties }),
      ...(kinds.length > 0 && { 'x-kubernetes-group-version-kind': kinds }),
      ...(schema.atomic && { 'x-kubernetes-map-type': 'atomic' }),
    }
  }

  #property(field: Field, refs: Component[]): Node {
    const node = this.#node(field.schema, refs)
    const strategy = [field.patchStrategy, field.retainKeys && 'retainKeys'].filter(Boolean).join(',')
    const more: Node = {
      ...(field.default !== undefined && { default: field.default }),
      ...(field.atomic && { 'x-kubernetes-map-type': 'atomic' }),
      ...(field.patchMergeKey && { 'x-kubernetes-patch-merge-key': field.patchMergeKey }),
      ...(strategy && { 'x-kubernetes-patch-strategy': strategy }),
    }
    // In OpenAPI 3.0 nothing may stand beside a $ref.
    const isLoneRef = '$ref' in node && this.dialect === 'v3' && Object.keys(more).length > 0
    return isLoneRef ? { allOf: [node], ...more } : { ...node, ...more }
  }

  #node(schema: Schema, refs: Component[]): Node {
    switch (schema.kind) {
      case 'struct':
        return this.#refer(this.builtin(schema), refs)
      case 'map':
        return { type: 'object', additionalProperties: this.#node(schema.element, refs) }
      case 'list':
        return {
          type: 'array',
          items: this.#node(schema.element, refs),
          ...(schema.declaredType === 'map' && { 'x-kubernetes-list-map-keys': schema.keys }),
          ...(schema.declaredType && { 'x-kubernetes-list-type': schema.declaredType }),
        }
      default:
        return this.#scalar(schema, refs)
    }
  }

  #scalar(schema: ScalarSchema, refs: Component[]): Node {
    if (schema.enum) return { type: 'string', enum: schema.enum }
    const named = NAMED_SCALARS[schema.kind]
    if (!named) return INLINE_SCALARS[schema.kind]!
    const component = this.plain(named.id, named[this.dialect])
    // The JSON schema within is described, although what may stand in its place is not.
    if (named.id.includes('JSONSchemaPropsOr')) this.#refer(this.builtin(builtinSchema('apiextensions/v1.JSONSchemaProps')), refs)
    return this.#refer(component, refs)
  }

  #renderCustom(definition: ResourceDefinition): { object: Component; list: Component } {
    const { group, version, kind } = definition
    const schema = definition.schema as StructSchema
    const objectMeta = this.builtin(builtinSchema('meta/v1.ObjectMeta'))
    const listMeta = this.builtin(builtinSchema('meta/v1.ListMeta'))
    const ref = (component: Component): Node => ({ $ref: this.pathOf(component.id) })
    const source: JsonSchema = schema.source ?? { type: 'object' }
    const node = customNode(source, this.dialect)
    const own = (node.properties as Record<string, Node> | undefined) ?? {}
    const type = { apiVersion: { type: 'string' }, kind: { type: 'string' } }
    const id = `${[...group.split('.').reverse(), version].join('.')}.${kind}`
    const gvk = (name: string) => ({ 'x-kubernetes-group-version-kind': [{ group, kind: name, version }] })
    const properties = { ...own, ...type, metadata: ref(objectMeta) }
    const object = { id, json: JSON.stringify({ ...node, properties, ...gvk(kind) }), refs: [objectMeta] }
    const items = { type: 'array', items: ref(object) }
    const listNode = {
      required: ['items'],
      type: 'object',
      properties: { ...type, items, metadata: ref(listMeta) },
      ...gvk(`${kind}List`),
    }
    return { object, list: { id: `${id}List`, json: JSON.stringify(listNode), refs: [object, listMeta] } }
  }
}

/** The kinds that a type is on the wire: none for parts of objects, one for objects, all groups' for what every group takes. */
function kindsOf(schema: StructSchema): GroupVersionKind[] {
  // A kind has both from TypeMeta, which has no protobuf numbers; references have fields of the same names.
  if (schema.fields.get('kind')?.number !== 0 || !schema.fields.has('apiVersion')) return []
  const { name } = schema
  const packages = Object.values(schemaData())
  const owner = packages.find((data) => `${data.prefix}.${name}` === schema.id)!
  if (owner.group !== 'meta.k8s.io') return [{ group: owner.group, kind: name, version: owner.version }]
  if (name !== 'DeleteOptions' && name !== 'WatchEvent') return [{ group: '', kind: name, version: 'v1' }]
  return packages.map((data) => ({ group: data.group === 'meta.k8s.io' ? '' : data.group, kind: name, version: data.version }))
}
