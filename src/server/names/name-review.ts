/** Answers NameReviews: the objects of a name that the user may read, or the names that may have been meant. */
import { invalid as invalidValue, required } from '../../api/field-errors.ts'
import type { Metadata } from '../../api/object.ts'
import { type FieldError, invalid, qualified } from '../../api/status.ts'
import { nearest } from '../../base/nearest.ts'
import type { Attributes, Authorizer } from '../auth/contract.ts'
import type { UserInfo } from '../contract.ts'
import type { Question } from '../core.ts'
import { decoded } from '../objects/codec.ts'
import type { Resource } from '../registry.ts'
import type { Match, NameIndex, Wanted } from './name-index.ts'

export interface NameReviewSpec {
  name?: string
  prefix?: string
  allNamespaces?: boolean
  resources?: string[]
  limit?: number
}

const MAX_LIMIT = 500
/** Written about or computed from other objects: no near name is one of theirs. */
const SHADOWS = new Set(['events', 'endpoints', 'endpointslices.discovery.k8s.io', 'controllerrevisions.apps'])

export function createNameReview(index: NameIndex, authorizer: Authorizer): Question {
  return async (object, { user, namespace }) => {
    const spec = (object.spec ?? {}) as NameReviewSpec
    check(spec)
    const asker = new Asker(authorizer, user, namespace)
    return { ...object, status: await answer(spec, namespace, index, asker) }
  }
}

async function answer(spec: NameReviewSpec, namespace: string, index: NameIndex, asker: Asker): Promise<object> {
  const only = spec.resources && new Set(spec.resources)
  const wanted: Wanted = (resource) => !only || only.has(qualified(resource.name))
  if (spec.name === undefined) {
    const matches = index.withPrefix(spec.prefix ?? '', namespace, wanted, spec.limit ?? MAX_LIMIT)
    const listable = await asker.filter(matches, ({ resource }) => asker.mayList(resource))
    return { matches: listable.slice(0, spec.limit ?? MAX_LIMIT).map(described) }
  }
  const matches = index.find(spec.name, spec.allNamespaces ? undefined : namespace, wanted)
  const readable = await asker.filter(matches, (match) => asker.mayGet(match))
  if (readable.length > 0) return { matches: readable.map(described) }
  const unreadable: string[] = []
  for (const resource of index.resources(wanted))
    if (!(await asker.mayGetNamed(resource, spec.name))) unreadable.push(qualified(resource.name))
  return { matches: [], near: await nearNames(spec.name, namespace, wanted, index, asker), unreadable }
}

async function nearNames(name: string, namespace: string, wanted: Wanted, index: NameIndex, asker: Asker): Promise<object[]> {
  const listable = await asker.filter(
    index.resources((resource) => wanted(resource) && !SHADOWS.has(qualified(resource.name))),
    (resource) => asker.mayList(resource),
  )
  const among = new Set(listable)
  const all = index.all(namespace, (resource) => among.has(resource))
  return nearest(name, all, (match) => !isControlled(decoded(match.entry).metadata)).map(described)
}

/** May the user, asked as seldom as possible: whoever may read all objects of a resource is asked once for it. */
class Asker {
  readonly #authorizer: Authorizer
  readonly #user: UserInfo
  readonly #namespace: string
  constructor(authorizer: Authorizer, user: UserInfo, namespace: string) {
    this.#authorizer = authorizer
    this.#user = user
    this.#namespace = namespace
  }

  mayList(resource: Resource): Promise<boolean> {
    return this.#may('list', resource, this.#namespace, '')
  }

  mayGetNamed(resource: Resource, name: string): Promise<boolean> {
    return this.#may('get', resource, this.#namespace, name)
  }

  mayGet({ resource, entry, name }: Match): Promise<boolean> {
    return this.#may('get', resource, decoded(entry).metadata.namespace ?? '', name)
  }

  async filter<T>(items: readonly T[], may: (item: T) => Promise<boolean>): Promise<T[]> {
    const answers = await Promise.all(items.map(may))
    return items.filter((_, position) => answers[position])
  }

  async #may(verb: string, { definition }: Resource, namespace: string, name: string): Promise<boolean> {
    const { group, version, plural, namespaced } = definition
    const attributes: Attributes = { user: this.#user, verb, group, version, resource: plural, subresource: '', name }
    const decision = await this.#authorizer.authorize({ ...attributes, namespace: namespaced ? namespace : '' })
    return decision.allowed
  }
}

function described({ resource, entry }: Match): object {
  const { managedFields: _, ...metadata } = decoded(entry).metadata
  return { apiVersion: resource.apiVersion, kind: resource.definition.kind, resource: resource.definition.plural, metadata }
}

function isControlled(metadata: Metadata): boolean {
  return metadata.ownerReferences?.some(({ controller }) => controller) === true
}

/** Throws a 422. */
function check({ name, prefix, allNamespaces, limit }: NameReviewSpec): void {
  const errors: FieldError[] = []
  if (name === undefined && prefix === undefined) errors.push(required('spec.name', 'a name or a prefix is needed'))
  if (name === '') errors.push(invalidValue('spec.name', '', 'must not be empty'))
  if (name !== undefined && prefix !== undefined)
    errors.push(invalidValue('spec.prefix', prefix, 'cannot be specified in combination with name'))
  if (allNamespaces && prefix !== undefined)
    errors.push(invalidValue('spec.allNamespaces', true, 'cannot be specified in combination with prefix'))
  if (limit !== undefined && (limit < 1 || limit > MAX_LIMIT))
    errors.push(invalidValue('spec.limit', limit, `must be between 1 and ${MAX_LIMIT}`))
  if (errors.length > 0) throw invalid({ group: 'skiff.dev', kind: 'NameReview' }, '', errors)
}
