/**
 * The model of a schema: one type of node for what Kubernetes' own types are (`builtin.ts` compiles them from the compact data)
 * and for a custom resource's structural schema (`structural.ts`). Decoding, pruning, defaults, merges and field sets walk these
 * nodes and know no kind. Nodes are immutable once built; struct fields resolve their schema when first asked.
 */
import type { JSONSchemaProps } from '../types.ts'

export type Schema = StructSchema | MapSchema | ListSchema | ScalarSchema

/** An object with named fields. */
export interface StructSchema {
  readonly kind: 'struct'
  /** `PodSpec`; empty for a custom resource's schema. */
  readonly name: string
  /** The definition's name in OpenAPI, `io.k8s.api.core.v1.PodSpec`; empty for a custom resource's schema. */
  readonly id: string
  readonly goType: string
  readonly fields: ReadonlyMap<string, Field>
  /** Fields that Go writes even when they were not given: structs, times, and whatever lacks `omitempty` (pointers as null). */
  readonly always: readonly Field[]
  /** Merged and owned as a whole by server-side apply. */
  readonly atomic: boolean
  /** Fields and spliced structs in the order and with the numbers of protobuf; empty where there is no protobuf form. */
  readonly messages: readonly MessageField[]
  /** Of a custom resource's schema: where it came from. */
  readonly source: JsonSchema | undefined
  /** Keeps fields that it does not name (custom resources). */
  readonly preserveUnknown: boolean
  readonly nullable: boolean
}

/** A JSON schema as custom resource definitions carry it. */
export type JsonSchema = JSONSchemaProps

/** An object whose keys are data. */
export interface MapSchema {
  readonly kind: 'map'
  readonly goType: string
  readonly element: Schema
  readonly atomic: boolean
  readonly nullable: boolean
}

export interface ListSchema {
  readonly kind: 'list'
  readonly goType: string
  readonly element: Schema
  /** How apply merges it; a list without a declared type counts as `map` when it has a merge key, else as `atomic`. */
  readonly listType: 'atomic' | 'set' | 'map'
  /** What identifies an element of a `map` list. */
  readonly keys: readonly string[]
  /** The type as declared, for OpenAPI. */
  readonly declaredType: 'atomic' | 'set' | 'map' | undefined
  /** In protobuf the list is a message of its own with the elements as field 1. */
  readonly wrapped: boolean
  readonly nullable: boolean
}

export type ScalarKind =
  | 'string'
  | 'bool'
  | 'int32'
  | 'int64'
  | 'float64'
  | 'bytes'
  | 'time'
  | 'microtime'
  | 'duration'
  | 'quantity'
  | 'intstr'
  /** Any JSON value. `raw` is an embedded object in protobuf, `json` and `fields` are JSON text there. */
  | 'raw'
  | 'json'
  | 'fields'
  /** A JSON schema, or what may stand in its place: a list of them, a boolean, a list of strings. */
  | 'schemaOrArray'
  | 'schemaOrBool'
  | 'schemaOrStrings'

export interface ScalarSchema {
  readonly kind: ScalarKind
  readonly goType: string
  readonly enum: readonly string[] | undefined
  readonly nullable: boolean
}

export type MessageField = { readonly number: number } & (
  | { readonly field: Field; readonly spread: undefined }
  | { readonly field: undefined; readonly spread: StructSchema }
)

/** A named field of a struct, and what is particular to it beyond its schema. */
export interface FieldFacts {
  readonly name: string
  readonly required: boolean
  /** Not written when empty. */
  readonly omitEmpty: boolean
  /** Present and empty differ from absent. */
  readonly pointer: boolean
  readonly omitZero: boolean
  /** In protobuf; 0 when the type has no protobuf form. */
  readonly number: number
  /** From `+default` (or `default` of a structural schema); undefined when there is none. Never to be edited. */
  readonly default: unknown
  /** Owned as a whole although its type is not atomic. */
  readonly atomic: boolean
  readonly patchMergeKey: string | undefined
  readonly patchStrategy: 'merge' | 'replace' | undefined
  /** Strategic merge: keys not in the patch are removed when `$retainKeys` says so. */
  readonly retainKeys: boolean
}

export class Field implements FieldFacts {
  readonly name: string
  readonly required: boolean
  readonly omitEmpty: boolean
  readonly pointer: boolean
  readonly omitZero: boolean
  readonly number: number
  readonly default: unknown
  readonly atomic: boolean
  readonly patchMergeKey: string | undefined
  readonly patchStrategy: 'merge' | 'replace' | undefined
  readonly retainKeys: boolean
  readonly #resolve: () => Schema
  #schema: Schema | undefined
  constructor(facts: FieldFacts, resolve: () => Schema) {
    this.name = facts.name
    this.required = facts.required
    this.omitEmpty = facts.omitEmpty
    this.pointer = facts.pointer
    this.omitZero = facts.omitZero
    this.number = facts.number
    this.default = facts.default
    this.atomic = facts.atomic
    this.patchMergeKey = facts.patchMergeKey
    this.patchStrategy = facts.patchStrategy
    this.retainKeys = facts.retainKeys
    this.#resolve = resolve
  }
  get schema(): Schema {
    this.#schema ??= this.#resolve()
    return this.#schema
  }
}
