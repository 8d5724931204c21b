/**
 * A kind is a value: one ResourceDefinition says all there is to know about it, and built-in kinds and custom ones are the
 * same type. The server's verbs read it and know no kind by name. No I/O here.
 */
import type { KubeObject } from './object.ts'
import type { FieldError } from './status.ts'

export type Verb = 'create' | 'delete' | 'deletecollection' | 'get' | 'list' | 'patch' | 'update' | 'watch'

export interface ResourceDefinition {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly plural: string
  readonly singular: string
  readonly shortNames: readonly string[]
  readonly categories: readonly string[]
  readonly namespaced: boolean
  readonly verbs: readonly Verb[]
  /** Key into the schema data (built-ins) or a compiled structural schema (custom resources): see `schema/`. */
  readonly schema: string | object
  /**
   * Where objects are stored, when it is not this group and plural (`core/events` serves events.k8s.io too), and how
   * this version differs from the stored one.
   */
  readonly storage?: { readonly group: string; readonly plural: string }
  readonly toStorage?: (object: KubeObject) => KubeObject
  /** Answers the stored object itself where there is nothing to change: then its bytes are sent as they are. */
  readonly fromStorage?: (object: KubeObject) => KubeObject
  /** Objects are stored in this version, which nobody may ask for. */
  readonly unserved?: boolean
  /** Objects are made when they are asked for, and never stored. */
  readonly computed?: boolean
  /** The definition is being deleted, and its objects with it: no new ones. */
  readonly terminating?: boolean
  /** Converts between versions where a program elsewhere does that; `fromStorage` then only looks up what it said. */
  readonly converter?: Converter
  /** The version clients should prefer within the group: higher first; the first registered wins ties. */
  readonly preference?: number
  readonly subresources: readonly SubresourceDefinition[]
  /** Columns of the Table after NAME, in order; AGE is among them where the kind has it. */
  readonly columns: readonly Column[]
  /** Whether the Table begins with NAME. Default true; false for events, which have it among their wide columns. */
  readonly nameColumn?: boolean
  /** Paths usable in field selectors besides metadata.name and metadata.namespace, with how to read each. */
  readonly selectableFields?: Readonly<Record<string, (object: KubeObject) => string>>
  /** The complaint about any other field, where the kind words it in its own way: see `unknownFieldMessage` in selectors.ts. */
  readonly unknownField?: (field: string) => string
  /** A `Warning` header that goes with every request for this resource. */
  readonly deprecation?: string
  readonly strategy: Strategy
}

/** What an object is, as far as reading and showing it goes: a resource's own kind, or that of one of its subresources. */
export type ObjectKind = Pick<
  ResourceDefinition,
  'group' | 'version' | 'kind' | 'schema' | 'strategy' | 'toStorage' | 'fromStorage'
>

export interface Converter {
  /** Has the stored objects converted, so that `fromStorage` knows what they are in this version. Throws a StatusError. */
  prepare(stored: readonly KubeObject[]): Promise<void>
  /** What is stored of an object of this version. Throws a StatusError. */
  toStorage(object: KubeObject): Promise<KubeObject>
}

export interface SubresourceDefinition {
  /** `status`, `scale`, `binding`, `log`, … */
  readonly name: string
  readonly kind: { readonly group: string; readonly version: string; readonly kind: string }
  readonly verbs: readonly (Verb | 'connect')[]
  /** How a write through this subresource differs from an ordinary update, where that is particular to the kind. */
  readonly strategy?: Pick<Strategy, 'prepareForUpdate' | 'validateUpdate'>
  /** For `scale`: JSON paths without the leading dot. */
  readonly scale?: { readonly specReplicas: string; readonly statusReplicas: string; readonly labelSelector?: string }
}

/**
 * What is particular to a kind when it is written, as pure functions. The object given is the writer's own copy:
 * functions that return nothing edit it in place. Times come from the context.
 */
export interface Strategy {
  /** Hand-written defaults (schema-driven ones have been applied before). */
  readonly defaults?: (object: KubeObject) => void
  /** Resets what a client may not set at creation (usually `status`). Name, uid and creationTimestamp are set by then. */
  readonly prepareForCreate?: (object: KubeObject, context: WriteContext) => void
  /** Keeps what an ordinary update may not change (usually `status`). */
  readonly prepareForUpdate?: (object: KubeObject, old: KubeObject, context: WriteContext) => void
  /** Keeps everything but status (and the metadata that status may change). */
  readonly prepareForStatusUpdate?: (object: KubeObject, old: KubeObject, context: WriteContext) => void
  readonly validate?: (object: KubeObject) => FieldError[]
  /** Everything about the update, what `validate` checks included. */
  readonly validateUpdate?: (object: KubeObject, old: KubeObject) => FieldError[]
  readonly validateStatusUpdate?: (object: KubeObject, old: KubeObject) => FieldError[]
  /**
   * Rules in CEL, and others whose code is loaded when it is first needed. `found` is what the schema and the kind's own rules have
   * to say already. For a create there is no `old`.
   */
  readonly validateExpressions?: (
    object: KubeObject,
    old: KubeObject | undefined,
    found: readonly FieldError[],
  ) => Promise<FieldError[]> | undefined
  /** `Warning` headers for an object that may be written, and for an update the one before. Not for subresources. */
  readonly warnings?: (object: KubeObject, old?: KubeObject) => string[]
  /** Whether metadata.generation counts spec changes of this kind. Default true when the schema has both spec and status. */
  readonly countsGeneration?: boolean
  /** When the count begins. Default: the creation is 1. Otherwise there is none before the first change that counts. */
  readonly generationBegins?: 'update'
  /** The top-level fields whose change counts. Default: all but metadata and status. */
  readonly generationFields?: readonly string[]
  /** Parts of the metadata whose change counts too. */
  readonly generationMetadata?: readonly ('annotations' | 'labels')[]
  /** Annotations by which this version spells fields that the kind has otherwise: not part of what is shown as metadata only. */
  readonly spelledAnnotations?: readonly string[]
  /** A change of the status counts, too: kinds whose status is written like everything else. */
  readonly generationCountsStatus?: boolean
  /** What the first delete makes of an object that may not go yet: its finalizer, and what its status says. */
  readonly prepareForDelete?: (object: KubeObject, context: WriteContext) => void
  /** PUT of a missing object creates it. */
  readonly allowCreateOnUpdate?: boolean
  /** PUT without a resourceVersion overwrites. Default true, as for most built-ins. */
  readonly allowUnconditionalUpdate?: boolean
  /** DELETE answers with the object instead of a Status. */
  readonly returnsDeleted?: boolean
  /**
   * Grace of a delete, or undefined when the kind is deleted at once. Pods answer from their spec, and with 0 when they never
   * ran or have ended, whatever grace the caller asked for (`requested`, in seconds).
   */
  readonly deletionGraceSeconds?: (object: KubeObject, requested?: number) => number | undefined
  /** Finalizers a delete adds by default propagation: `orphan` for the few kinds that had it, none for most. */
  readonly defaultPropagation?: 'Background' | 'Orphan'
  /** A `Warning` header for a delete that leaves the propagation open. */
  readonly openPropagationWarning?: string
  /** What makes a name valid. Default: DNS subdomain. */
  readonly nameRule?: 'subdomain' | 'label' | 'label1035' | 'path' | 'none'
}

export interface WriteContext {
  /** RFC 3339 seconds. */
  readonly now: string
}

/** A column as `TableColumnDefinition` has it, and how to read its cell, which is sent as it is: ages are words by then. */
export interface Column {
  readonly name: string
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date'
  readonly format?: string
  readonly description?: string
  /** 0 is always shown, 1 only with `-o wide`. */
  readonly priority: number
  readonly cell: (object: KubeObject, context: { now: number }) => string | number | boolean | null
}

export const groupVersion = (d: { group: string; version: string }): string => (d.group ? `${d.group}/${d.version}` : d.version)
