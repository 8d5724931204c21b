/**
 * GET with `watch`: the committed changes under a prefix from a revision on, as seen through a selector and a view.
 * An event is encoded once for all watchers that see it the same way; the encodings stay on the store's event.
 */
import { gone, StatusError } from '../../api/status.ts'
import { RevisionCompacted, RevisionInFuture } from '../../store/errors.ts'
import type { Entry, StoreEvent } from '../../store/store.ts'
import type { Core } from '../core.ts'
import { decoded, encode, objectOf } from '../objects/codec.ts'
import { prepareEntries } from '../objects/convert.ts'
import { keyOf, prefixOf } from '../objects/keys.ts'
import type { Resource } from '../registry.ts'
import { type ListOptions, parseListOptions, parseVersion } from '../request/list-options.ts'
import type { ApiRequest, WatchAnswer, WatchSink } from '../request/request.ts'
import { parseSelection, type Selection } from '../request/selection.ts'
import type { ResourceTarget } from '../request/target.ts'
import type { View } from '../views/view.ts'

/** How often a watcher that asked for bookmarks gets one. */
const BOOKMARK_INTERVAL_MS = 60_000
/** A watch without timeoutSeconds ends after this long, plus up to as much again. */
const DEFAULT_TIMEOUT_MS = 30 * 60_000
const INITIAL_EVENTS_END = 'k8s.io/initial-events-end'

type Change = 'ADDED' | 'MODIFIED' | 'DELETED'

export function watch(core: Core, request: ApiRequest, resource: Resource, target: ResourceTarget, view: View): WatchAnswer {
  const options = parseListOptions(request.query, true)
  const selection = parseSelection(request.query, resource)
  const from = parseVersion(options.resourceVersion)
  const { namespace, name } = target
  const prefix = prefixOf(resource, namespace)
  const only = name === '' ? undefined : keyOf(resource, namespace, name)
  const watcher = new Watcher(core, { resource, view, selection, options, prefix, only, from })
  return { type: 'watch', contentType: view.stream?.contentType ?? 'application/json', start: (sink) => watcher.start(sink) }
}

interface WatchPlan {
  resource: Resource
  view: View
  selection: Selection
  options: ListOptions
  prefix: string
  /** The key of the one object that is watched. */
  only: string | undefined
  /** The revision to go on from; undefined or 0 to begin with what is there. */
  from: number | undefined
}

class Watcher {
  readonly #core: Core
  readonly #plan: WatchPlan
  #sink!: WatchSink
  #stops: (() => void)[] = []
  #stopped = false
  #order: Promise<void> = Promise.resolve()
  /** Nothing has been sent yet. */
  #first = true

  constructor(core: Core, plan: WatchPlan) {
    this.#core = core
    this.#plan = plan
  }

  start(sink: WatchSink): () => void {
    this.#sink = sink
    this.#stops.push(this.#core.metrics.watchStarted())
    const { store } = this.#core
    const { from, prefix, options } = this.#plan
    const since = this.#begin()
    try {
      const subscription = store.watch(prefix, since, (events) => this.#deliver(events))
      this.#stops.push(() => subscription.stop())
      // A custom resource may cease to be served; its watchers are told by the end of their watch.
      if (this.#plan.resource.itemsCarryKind) this.#stops.push(this.#core.registry.onChange(() => this.#endIfGone()))
    } catch (error) {
      this.#fail(error, from ?? 0)
      return () => this.#stop()
    }
    this.#startTimers(options)
    return () => this.#stop()
  }

  /** Delivers what is there already, if it was asked for, and returns the revision to watch after. */
  #begin(): number {
    const { from, options, prefix, resource, view, selection, only } = this.#plan
    const { store } = this.#core
    if (options.sendInitialEvents === false && (from ?? 0) === 0) return store.revision
    if (options.sendInitialEvents !== true && from !== undefined && from > 0) return from
    const { entries, revision } = store.list(prefix)
    this.#whenReadable(entries, () => {
      for (const entry of entries) {
        if (only !== undefined && entry.key !== only) continue
        if (selection.matches(entry, resource)) this.#send('ADDED', entry, view, undefined)
      }
      if (options.sendInitialEvents === true && options.allowWatchBookmarks) this.#bookmark(revision, true)
    })
    return revision
  }

  /** At once, but for objects that a program elsewhere converts first; what is sent stays in order. */
  #whenReadable(entries: readonly (Entry | undefined)[], send: () => void): void {
    const { resource, from } = this.#plan
    if (!resource.definition.converter) {
      send()
      return
    }
    this.#order = this.#order
      .then(() => prepareEntries(resource, entries))
      .then(() => {
        if (!this.#stopped) send()
      })
      .catch((error: unknown) => {
        this.#fail(error, from ?? 0)
      })
  }

  #deliver(events: readonly StoreEvent[]): void {
    this.#whenReadable(
      events.flatMap(({ entry, previous }) => [entry, previous]),
      () => this.#deliverNow(events),
    )
  }

  #deliverNow(events: readonly StoreEvent[]): void {
    const { selection, resource, view, only } = this.#plan
    for (const event of events) {
      if (this.#stopped) return
      if (only !== undefined && event.entry.key !== only) continue
      const change = changeSeen(event, selection, resource)
      if (change === 'DELETED' && event.type === 'deleted' && this.#sink.form === 'bytes') this.#sendLastUpdate(event)
      if (change === 'MODIFIED' || change === 'ADDED' || (change === 'DELETED' && event.type === 'deleted')) {
        this.#send(change, event.entry, view, event)
      } else if (change === 'DELETED') {
        // The object no longer matches: what the watcher knew of it goes, stamped with the revision that took it away.
        this.#send('DELETED', restamped(event.previous!, event.entry.revision, resource), view, undefined)
      }
    }
  }

  #send(change: Change, entry: Entry, view: View, event: StoreEvent | undefined): void {
    const { resource } = this.#plan
    const first = this.#first
    this.#first = false
    if (this.#sink.form === 'objects') {
      this.#sink.write({ type: change, object: view.event(resource, entry, first).object() })
    } else if (event && !first) {
      this.#sink.write(sharedFrame(event, change, resource, view))
    } else {
      this.#sink.write(frame(change, view.event(resource, entry, first).bytes(), view))
    }
  }

  /**
   * Kubernetes shortens the grace period to nothing in a write of its own before it removes the object; here that is one
   * write. Watchers see both steps; the first carries the revision before, so that a watch resumed from it sees the second.
   */
  #sendLastUpdate({ entry, previous }: StoreEvent): void {
    const before = previous && decoded(previous).metadata
    const { deletionTimestamp, deletionGracePeriodSeconds: grace } = decoded(entry).metadata
    if (deletionTimestamp === undefined || grace !== 0 || before?.deletionGracePeriodSeconds === 0) return
    const { resource, view } = this.#plan
    this.#send('MODIFIED', restamped(entry, entry.revision - 1, resource), view, undefined)
  }

  #bookmark(revision: number, initialEventsEnd: boolean): void {
    const { definition, apiVersion } = this.#plan.resource
    const annotations = initialEventsEnd ? { annotations: { [INITIAL_EVENTS_END]: 'true' } } : {}
    const metadata = { resourceVersion: String(revision), creationTimestamp: null, ...annotations }
    const plain = { kind: definition.kind, apiVersion, metadata } as never
    const object = this.#plan.view.bookmark?.(plain, this.#plan.resource, this.#first) ?? plain
    this.#first = false
    if (this.#sink.form === 'objects') this.#sink.write({ type: 'BOOKMARK', object })
    else this.#sink.write(documentFrame('BOOKMARK', object as object, this.#plan.view))
  }

  #startTimers(options: ListOptions): void {
    const { clock, store } = this.#core
    const defaultMs = DEFAULT_TIMEOUT_MS * (1 + Math.random())
    const timeoutMs = options.timeoutSeconds ? options.timeoutSeconds * 1000 : defaultMs
    this.#stops.push(clock.after(timeoutMs, () => this.#end(), { unref: true }))
    if (!options.allowWatchBookmarks) return
    const again = () => {
      cancel = clock.after(BOOKMARK_INTERVAL_MS, tick, { unref: true })
    }
    const tick = () => {
      this.#bookmark(store.revision, false)
      again()
    }
    let cancel = () => {}
    again()
    this.#stops.push(() => cancel())
  }

  #endIfGone(): void {
    const { group, version, plural } = this.#plan.resource.definition
    if (!this.#core.registry.lookup(group, version, plural)) this.#end()
  }

  /** A watch that cannot go on says so in its last event. */
  #fail(error: unknown, from: number): void {
    const { status } = this.#failure(error, from)
    if (this.#sink.form === 'objects') this.#sink.write({ type: 'ERROR', object: status })
    else this.#sink.write(documentFrame('ERROR', status, this.#plan.view))
    this.#end()
  }

  #failure(error: unknown, from: number): StatusError {
    if (error instanceof StatusError) return error
    if (error instanceof RevisionInFuture) return gone(error.message)
    if (!(error instanceof RevisionCompacted)) throw error
    return gone(`too old resource version: ${from} (${this.#core.store.compactedRevision + 1})`)
  }

  #end(): void {
    this.#stop()
    this.#sink.end()
  }

  #stop(): void {
    if (this.#stopped) return
    this.#stopped = true
    for (const stop of this.#stops) stop()
    this.#stops = []
  }
}

/** What an event is to a watcher who sees only what its selector matches. */
function changeSeen(event: StoreEvent, selection: Selection, resource: Resource): Change | undefined {
  if (selection.everything) return event.type === 'created' ? 'ADDED' : event.type === 'updated' ? 'MODIFIED' : 'DELETED'
  const before = event.previous !== undefined && selection.matches(event.previous, resource)
  const after = event.type !== 'deleted' && selection.matches(event.entry, resource)
  if (after) return before ? 'MODIFIED' : 'ADDED'
  return before ? 'DELETED' : undefined
}

function restamped(entry: Entry, revision: number, resource: Resource): Entry {
  const stored = objectOf(entry, resource.definition.converter ? resource : resource.storage)
  const object = { ...stored, metadata: { ...stored.metadata, resourceVersion: String(revision) } }
  return { key: entry.key, value: encode(object), revision, decoded: object }
}

const FRAME_END = Buffer.from('}\n')
const NEWLINE = 0x0a
const FRAME_STARTS = new Map<string, Buffer>()

function documentFrame(type: string, document: object, view: View): Buffer {
  return frame(type, view.stream?.encode(document) ?? Buffer.from(JSON.stringify(document)), view)
}

function frame(type: string, object: Buffer, view: View): Buffer {
  if (view.stream) return view.stream.frame(type, object)
  let start = FRAME_STARTS.get(type)
  if (!start) {
    start = Buffer.from(`{"type":"${type}","object":`)
    FRAME_STARTS.set(type, start)
  }
  const end = object.at(-1) === NEWLINE ? object.length - 1 : object.length
  return Buffer.concat([start, object.subarray(0, end), FRAME_END])
}

/** The event's frame for this version, view and change, made once. */
function sharedFrame(event: StoreEvent, change: Change, resource: Resource, view: View): Buffer {
  const key = `${change} ${resource.apiVersion} ${view.key}`
  let frames = event.encoded as Map<string, Buffer> | undefined
  if (!frames) {
    frames = new Map()
    event.encoded = frames
    forgetSoon(event)
  }
  let bytes = frames.get(key)
  if (!bytes) {
    bytes = frame(change, view.event(resource, event.entry, false).bytes(), view)
    frames.set(key, bytes)
  }
  return bytes
}

let encodedNow: StoreEvent[] = []

/** All watchers get an event in one turn; the store keeps it long after, and the frames would double its size. */
function forgetSoon(event: StoreEvent): void {
  if (encodedNow.length === 0) {
    setImmediate(() => {
      for (const one of encodedNow) one.encoded = undefined
      encodedNow = []
    })
  }
  encodedNow.push(event)
}
