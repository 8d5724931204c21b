/** Event, once in core/v1 and once in events.k8s.io/v1: one stored object with two spellings. */
import type { Column } from '../definition.ts'
import { equal } from '../equal.ts'
import { type Errors, invalid, required } from '../field-errors.ts'
import { qualifiedName } from '../names.ts'
import type { KubeObject } from '../object.ts'
import type { Event } from '../types.ts'
import { column, since, wideColumn } from './columns.ts'
import type { DefinitionInput } from './define.ts'
import { checkImmutable, collect, obey, requireText } from './rules.ts'

const SELECTABLE: Record<string, (event: Event) => string | undefined> = {
  'involvedObject.kind': (event) => event.involvedObject?.kind,
  'involvedObject.namespace': (event) => event.involvedObject?.namespace,
  'involvedObject.name': (event) => event.involvedObject?.name,
  'involvedObject.uid': (event) => event.involvedObject?.uid,
  'involvedObject.apiVersion': (event) => event.involvedObject?.apiVersion,
  'involvedObject.resourceVersion': (event) => event.involvedObject?.resourceVersion,
  'involvedObject.fieldPath': (event) => event.involvedObject?.fieldPath,
  reason: (event) => event.reason,
  reportingComponent: (event) => event.source?.component || event.reportingComponent,
  source: (event) => event.source?.component || event.reportingComponent,
  type: (event) => event.type,
}

const firstSeen = (event: Event) => event.firstTimestamp || event.eventTime
function lastSeen(event: Event): string | undefined {
  return event.series?.lastObservedTime || event.lastTimestamp || firstSeen(event)
}

/** Where an event comes from: the component, and the host when there is one. */
function source(event: Event): string {
  const component = event.source?.component || event.reportingComponent || ''
  const host = event.source?.host || event.reportingInstance || ''
  return [component, host].filter((part) => part !== '').join(', ')
}

function involved(event: Event): string {
  const { kind = '', name = '' } = event.involvedObject ?? {}
  return name === '' ? kind.toLowerCase() : `${kind.toLowerCase()}/${name}`
}

/** `read` gives the core spelling of the object at hand. */
function columnsOf(read: (object: KubeObject) => Event): readonly Column[] {
  return [
    column('Last Seen', (object, { now }) => since(lastSeen(read(object)), now)),
    column('Type', (object) => read(object).type ?? ''),
    column('Reason', (object) => read(object).reason ?? ''),
    column('Object', (object) => involved(read(object))),
    wideColumn('Subobject', (object) => read(object).involvedObject?.fieldPath ?? ''),
    wideColumn('Source', (object) => source(read(object))),
    column('Message', (object) => (read(object).message ?? '').trim()),
    wideColumn('First Seen', (object, { now }) => since(firstSeen(read(object)), now)),
    wideColumn('Count', (object) => read(object).series?.count ?? (read(object).count || 1)),
    { ...wideColumn('Name', (object) => object.metadata.name ?? ''), format: 'name' },
  ]
}

function selectable(read: (object: KubeObject) => Event, rename: (field: string) => string) {
  const fields: Record<string, (object: KubeObject) => string> = {}
  for (const [field, value] of Object.entries(SELECTABLE)) fields[rename(field)] = (object) => value(read(object)) ?? ''
  return fields
}

const asCore = (object: KubeObject) => object as unknown as Event

/** The names that differ between the two spellings: events.k8s.io first. */
const RENAMED = [
  ['regarding', 'involvedObject'],
  ['note', 'message'],
  ['reportingController', 'reportingComponent'],
  ['deprecatedSource', 'source'],
  ['deprecatedFirstTimestamp', 'firstTimestamp'],
  ['deprecatedLastTimestamp', 'lastTimestamp'],
  ['deprecatedCount', 'count'],
] as const

function respell(object: KubeObject, apiVersion: string, pairs: readonly (readonly [string, string])[]): KubeObject {
  const result: KubeObject = { ...object, apiVersion }
  for (const [from, to] of pairs) {
    delete result[from]
    if (object[from] !== undefined) result[to] = object[from]
  }
  return result
}

const toCore = (object: KubeObject) => {
  const event = respell(object, 'v1', RENAMED)
  event.source ??= {}
  event.involvedObject ??= {}
  event.reportingComponent ??= ''
  event.reportingInstance ??= ''
  event.firstTimestamp ??= null
  event.lastTimestamp ??= null
  event.eventTime ??= null
  return event
}

const fromCore = (object: KubeObject) => {
  const event = respell(
    object,
    'events.k8s.io/v1',
    RENAMED.map(([ours, core]) => [core, ours] as const),
  )
  if (!event.reportingController) delete event.reportingController
  if (!event.reportingInstance) delete event.reportingInstance
  return event
}

const MAX_WORDS = 128
const MAX_NOTE = 1024

/** An event lies in the namespace of what it is about, or in `default` when that has none. Newer events say more, and are held to it. */
function checkEvent(event: Event, controllerField: string, errors: Errors): void {
  const about = event.involvedObject?.namespace ?? ''
  const own = event.metadata.namespace ?? ''
  const homes = event.eventTime ? ['default', 'kube-system'] : ['default']
  const strange = about === '' ? !homes.includes(own) : !event.eventTime && about !== own
  if (strange) errors.push(invalid('involvedObject.namespace', about, 'does not match event.namespace'))
  if (!event.eventTime) return
  requireText(event.reportingComponent, controllerField, errors)
  obey(event.reportingComponent ?? '', qualifiedName, controllerField, errors)
  for (const field of ['reportingInstance', 'action', 'reason'] as const) {
    const text = event[field] ?? ''
    requireText(text, field, errors)
    if (Buffer.byteLength(text) > MAX_WORDS) errors.push(invalid(field, '', `can have at most ${MAX_WORDS} characters`))
  }
  if (Buffer.byteLength(event.message ?? '') > MAX_NOTE) {
    errors.push(invalid('message', '', `can have at most ${MAX_NOTE} characters`))
  }
}

function checkSeries({ series }: Event, errors: Errors): void {
  if (!series) return
  if ((series.count ?? 0) < 2) errors.push(invalid('series.count', '', 'should be at least 2'))
  if (!series.lastObservedTime) errors.push(required('series.lastObservedTime'))
}

/** What events.k8s.io demands of a new event: nothing of what older events said in other words. */
function checkNew(event: Event, errors: Errors): void {
  checkEvent(event, 'reportingController', errors)
  checkSeries(event, errors)
  if (!event.eventTime) errors.push(required('eventTime'))
  if (event.type !== 'Normal' && event.type !== 'Warning') {
    errors.push(invalid('type', '', `has invalid value: ${event.type ?? ''}`))
  }
  for (const field of ['firstTimestamp', 'lastTimestamp', 'count'] as const) {
    if (event[field]) errors.push(invalid(field, '', 'needs to be unset'))
  }
  if (event.source?.component || event.source?.host) errors.push(invalid('source', '', 'needs to be unset'))
}

/** In the order in which they are looked at. */
const KEPT = [
  ...(['involvedObject', 'reason', 'message', 'source', 'firstTimestamp', 'lastTimestamp', 'count', 'reason', 'type'] as const),
  ...(['eventTime', 'action', 'related', 'reportingController', 'reportingInstance'] as const),
]

/** Only the series of an event goes on. */
function checkNewUpdate(event: Event, old: Event, errors: Errors): void {
  checkEvent(event, 'reportingController', errors)
  if (!equal(event.series, old.series)) checkSeries(event, errors)
  for (const field of KEPT) {
    const read = field === 'reportingController' ? 'reportingComponent' : field
    checkImmutable(event[read], old[read], field, errors)
  }
}

const validate = (object: KubeObject) => collect((errors) => checkEvent(asCore(object), 'reportingComponent', errors))

const shared = { kind: 'Event', plural: 'events', shortNames: ['ev'], nameColumn: false }

export const coreEvent: DefinitionInput = {
  ...shared,
  columns: columnsOf(asCore),
  selectableFields: selectable(asCore, (field) => field),
  strategy: { validate, validateUpdate: validate, allowCreateOnUpdate: true },
}

export const newEvent: DefinitionInput = {
  ...shared,
  storage: { group: '', plural: 'events' },
  toStorage: toCore,
  fromStorage: fromCore,
  columns: columnsOf((object) => asCore(toCore(object))),
  selectableFields: selectable(
    (object) => asCore(toCore(object)),
    (field) => field.replace('involvedObject', 'regarding').replace('reportingComponent', 'reportingController'),
  ),
  strategy: {
    validate: (object) => collect((errors) => checkNew(asCore(toCore(object)), errors)),
    validateUpdate: (object, old) => collect((errors) => checkNewUpdate(asCore(toCore(object)), asCore(toCore(old)), errors)),
    allowCreateOnUpdate: true,
  },
}
