/** Builders for ResourceDefinitions: what most kinds share is said once, here. Knows no kind. */
import type { Column, ResourceDefinition, Strategy, SubresourceDefinition, Verb } from '../definition.ts'
import type { KubeObject } from '../object.ts'

const ALL_VERBS: readonly Verb[] = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']
const STATUS_VERBS: readonly Verb[] = ['get', 'patch', 'update']
const NO_STRATEGY: Strategy = {}

type Chosen = Omit<ResourceDefinition, 'group' | 'version' | 'schema' | 'preference' | 'kind' | 'plural'>

/** What a kind says about itself; the rest has defaults: all verbs, namespaced, the kind in lower case as singular. */
export interface DefinitionInput extends Partial<Chosen> {
  readonly kind: string
  readonly plural: string
  /** Whether there is a `status` subresource. */
  readonly status?: boolean
}

/** A group and version, with the name of its package in the schema data (`apps/v1`). */
export interface Api {
  readonly group: string
  readonly version: string
  readonly package: string
  readonly preference?: number
}

/** The definitions of one group and version. */
export function defineGroup(api: Api, inputs: readonly DefinitionInput[]): ResourceDefinition[] {
  return inputs.map((input) => define(api, input))
}

function define(api: Api, input: DefinitionInput): ResourceDefinition {
  const { status, subresources = [], ...given } = input
  const own = { group: api.group, version: api.version, kind: input.kind }
  return {
    ...own,

    singular: input.kind.toLowerCase(),
    shortNames: [],
    categories: [],
    namespaced: true,
    verbs: ALL_VERBS,
    schema: `${api.package}.${input.kind}`,
    columns: DEFAULT_COLUMNS,
    strategy: NO_STRATEGY,
    ...(api.preference !== undefined && { preference: api.preference }),
    ...given,
    subresources: status ? [...subresources, { name: 'status', kind: own, verbs: STATUS_VERBS }] : subresources,
  }
}

/** `scale` by the usual paths. The selector path names a string, or a LabelSelector or map that the server prints as one. */
export function scaleSubresource(labelSelector: string): SubresourceDefinition {
  return {
    name: 'scale',
    kind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
    verbs: STATUS_VERBS,
    scale: { specReplicas: 'spec.replicas', statusReplicas: 'status.replicas', labelSelector },
  }
}

/** What a kind without columns of its own shows, as the API server's default table does. */
const DEFAULT_COLUMNS: readonly Column[] = [
  { name: 'Created At', type: 'date', priority: 0, cell: (object) => object.metadata.creationTimestamp ?? '' },
]

/** A strategy for kinds with a status that clients write through the subresource only. `zero` makes an empty one. */
export function statusStrategy(zero: () => object, more: Strategy = {}): Strategy {
  return {
    prepareForCreate: (object) => {
      object.status = zero()
    },
    prepareForUpdate: keepStatus,
    prepareForStatusUpdate: keepSpec,
    ...more,
  }
}

/** An ordinary update leaves the status alone. */
export function keepStatus(object: KubeObject, old: KubeObject): void {
  object.status = old.status
}

/** A status update leaves the spec and the labels alone. */
function keepSpec(object: KubeObject, old: KubeObject): void {
  object.spec = old.spec
  object.metadata.labels = old.metadata.labels
}
