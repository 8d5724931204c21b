/** The owners of an object's fields: read from and written to managedFields, and kept up to date when an update changes fields. */
import type { KubeObject, ManagedFieldsEntry } from '../../api/object.ts'
import type { StructSchema } from '../../api/schema/schema.ts'
import { zeroOf } from '../../api/schema/walk.ts'
import { equalJson } from '../objects/json.ts'
import { schemaOf } from '../objects/schema.ts'
import type { Resource } from '../registry.ts'
import type { WriteCall } from '../write/call.ts'
import { compare } from './compare.ts'
import { difference, EMPTY, type FieldSet, intern, isEmpty, LEAF, union, without } from './field-set.ts'

/** One owner: who, by which operation, in which version and through which subresource. */
export interface Manager {
  readonly manager: string
  readonly operation: 'Apply' | 'Update'
  readonly apiVersion: string
  readonly subresource: string
  time: string | undefined
  fields: FieldSet
}

/** Owners by update that are told apart; the oldest beyond are joined under one name. */
const MAX_UPDATE_MANAGERS = 10
const ANCIENT = 'ancient-changes'
const BEFORE_FIRST_APPLY = 'before-first-apply'

/** What nobody owns: the server's own metadata, and what identifies the object. */
const UNOWNED: FieldSet = {
  'f:apiVersion': LEAF,
  'f:kind': LEAF,
  'f:metadata': {
    '.': LEAF,
    'f:name': LEAF,
    'f:namespace': LEAF,
    'f:creationTimestamp': LEAF,
    'f:selfLink': LEAF,
    'f:uid': LEAF,
    'f:generation': LEAF,
    'f:managedFields': LEAF,
    'f:resourceVersion': LEAF,
  },
}

export function strip(fields: FieldSet): FieldSet {
  return difference(fields, UNOWNED)
}

/** What a write through this subresource cannot change, so that nobody comes to own it by trying. */
export function ignoredFields({ subresource, resource }: WriteCall): FieldSet {
  if (subresource !== '' && subresource !== 'status') return EMPTY
  const cache = subresource === '' ? ignoredByObjects : ignoredByStatus
  let ignored = cache.get(resource)
  if (!ignored) {
    ignored = subresource === '' ? ignoredInObject(resource) : ignoredInStatus(resource)
    cache.set(resource, ignored)
  }
  return ignored
}
const ignoredByObjects = new WeakMap<Resource, FieldSet>()
const ignoredByStatus = new WeakMap<Resource, FieldSet>()

function ignoredInObject(resource: Resource): FieldSet {
  const hasStatus = resource.definition.subresources.some(({ name }) => name === 'status')
  return hasStatus ? STATUS : EMPTY
}
const STATUS: FieldSet = { 'f:status': LEAF }

function ignoredInStatus(resource: Resource): FieldSet {
  const ignored: Record<string, FieldSet> = { 'f:metadata': { 'f:labels': LEAF } }
  for (const name of schemaOf(resource).fields.keys()) {
    if (name !== 'status' && name !== 'metadata' && name !== 'kind' && name !== 'apiVersion') ignored[`f:${name}`] = LEAF
  }
  return ignored
}

/** Entries of an unknown form are dropped, as Kubernetes does. */
export function readManagers(entries: readonly ManagedFieldsEntry[] | undefined): Manager[] {
  const managers: Manager[] = []
  for (const { manager = '', operation, apiVersion = '', subresource = '', time, fieldsType, fieldsV1 } of entries ?? []) {
    if ((operation !== 'Apply' && operation !== 'Update') || fieldsType !== 'FieldsV1' || !fieldsV1) continue
    managers.push({ manager, operation, apiVersion, subresource, time, fields: fieldsV1 as FieldSet })
  }
  return managers
}

/** In Kubernetes' order: appliers first, then by time and name. */
export function writeManagers(managers: readonly Manager[]): ManagedFieldsEntry[] | undefined {
  if (managers.length === 0) return undefined
  const sorted = [...managers].sort(byOrder)
  return sorted.map(({ manager, operation, apiVersion, time, fields, subresource }) => ({
    manager,
    operation,
    apiVersion,
    ...(time !== undefined && { time }),
    fieldsType: 'FieldsV1',
    fieldsV1: intern(fields) as Record<string, unknown>,
    ...(subresource && { subresource }),
  }))
}

function byOrder(a: Manager, b: Manager): number {
  return (
    order(a.operation, b.operation) ||
    order(a.time ?? '', b.time ?? '') ||
    order(a.manager, b.manager) ||
    order(a.apiVersion, b.apiVersion) ||
    order(a.subresource, b.subresource)
  )
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** Notes in the object's managedFields what this update changed; `old` is absent when it is created. */
export function trackUpdate(call: WriteCall, object: KubeObject, old: KubeObject | undefined): void {
  const managers = managersBefore(call, object, old)
  delete object.metadata.managedFields
  if (old && managers.length === 0) return
  const schema = schemaOf(call.resource)
  const before = old ?? (zeroOf(schema) as KubeObject)
  const tracked = updateManagers(call, schema, managers, before, object)
  const entries = writeManagers(tracked)
  if (entries) object.metadata.managedFields = entries
}

/** The entries the caller sent count, so that managers can be edited; nothing sent leaves those there are; an empty entry resets. */
function managersBefore(call: WriteCall, object: KubeObject, old: KubeObject | undefined): Manager[] {
  const sent = object.metadata.managedFields
  if (call.subresource === '' && sent !== undefined) {
    if (sent.length === 1 && Object.keys(sent[0]!).length === 0) return []
    const given = readManagers(sent)
    if (given.length > 0) return given
  }
  return readManagers(old?.metadata.managedFields)
}

function updateManagers(
  call: WriteCall,
  schema: StructSchema,
  managers: readonly Manager[],
  before: KubeObject,
  after: KubeObject,
): readonly Manager[] {
  const ignored = ignoredFields(call)
  const found = compare(schema, before, after)
  const changed = without(union(found.modified, found.added), ignored)
  const removed = without(found.removed, ignored)
  if (isEmpty(changed) && isEmpty(removed)) return managers
  const left = takeAway(managers, changed, removed)
  const taken = strip(changed)
  if (isEmpty(taken)) return left
  const self = identityOf(call, 'Update')
  const previous = left.find((manager) => sameManager(manager, self))
  const time = call.subresource === 'scale' ? undefined : call.now
  const entry: Manager = { ...self, time, fields: previous ? union(taken, previous.fields) : taken }
  return capped([...left.filter((manager) => manager !== previous), entry])
}

/** Nobody owns what is gone, and what somebody else changed is theirs no more. */
function takeAway(managers: readonly Manager[], changed: FieldSet, removed: FieldSet): Manager[] {
  const left: Manager[] = []
  for (const manager of managers) {
    const fields = difference(difference(manager.fields, changed), removed)
    if (!isEmpty(fields)) left.push(fields === manager.fields ? manager : { ...manager, fields })
  }
  return left
}

export function identityOf(call: WriteCall, operation: Manager['operation']): Omit<Manager, 'time' | 'fields'> {
  return { manager: call.fieldManager, operation, apiVersion: call.resource.apiVersion, subresource: call.subresource }
}

/** Appliers are one across versions; updaters are told apart by version, too. */
export function sameManager(a: Omit<Manager, 'time' | 'fields'>, b: Omit<Manager, 'time' | 'fields'>): boolean {
  if (a.manager !== b.manager || a.operation !== b.operation || a.subresource !== b.subresource) return false
  return a.operation === 'Apply' || a.apiVersion === b.apiVersion
}

/** Joins the oldest updaters of one version when there are too many. */
function capped(managers: Manager[]): Manager[] {
  const updaters = managers.filter(({ operation }) => operation === 'Update')
  if (updaters.length <= MAX_UPDATE_MANAGERS) return managers
  const oldest = updaters.sort((a, b) => order(a.time ?? '', b.time ?? '')).slice(0, updaters.length - MAX_UPDATE_MANAGERS + 1)
  const joined = new Map<string, Manager>()
  for (const one of oldest) {
    const known = joined.get(one.apiVersion)
    const fields = known ? union(known.fields, one.fields) : one.fields
    const { operation, apiVersion, time } = one
    joined.set(apiVersion, { manager: ANCIENT, operation, apiVersion, subresource: '', time, fields })
  }
  return [...managers.filter((manager) => !oldest.includes(manager)), ...joined.values()]
}

/** The owner of everything an object had before its first apply, when nobody kept track. */
export function beforeFirstApply(call: WriteCall, live: KubeObject): Manager[] {
  const schema = schemaOf(call.resource)
  const { added, modified } = compare(schema, zeroOf(schema) as object, live)
  const fields = strip(without(union(added, modified), ignoredFields(call)))
  if (isEmpty(fields)) return []
  const { apiVersion } = call.resource
  return [{ manager: BEFORE_FIRST_APPLY, operation: 'Update', apiVersion, subresource: '', time: call.now, fields }]
}

/** Whether two lists of owners are the same, but for the times. */
export function sameOwners(a: readonly ManagedFieldsEntry[] | undefined, b: readonly ManagedFieldsEntry[] | undefined): boolean {
  if (a === b) return true
  const [left, right] = [readManagers(a), readManagers(b)]
  if (left.length !== right.length) return false
  return left.every((one) => right.some((other) => sameManager(one, other) && equalJson(one.fields, other.fields)))
}
