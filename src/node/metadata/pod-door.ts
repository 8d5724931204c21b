/**
 * One pod's door to its metadata: who may pass (headers, rate, readers at once), what is asked, and the readers that wait
 * for a change. Whoever comes through it is that pod; which connection leads here is decided outside.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Clock, delay } from '../../base/clock.ts'
import { MAX_MESSAGE_BYTES } from '../notify/message.ts'
import { answer } from './answer.ts'
import { type AppcAnswer, appcPost, appcRead } from './appc.ts'
import type { MetadataObjects, MetadataPod } from './objects.ts'
import { OwnerChain } from './owners.ts'
import { BadQuery, parseQuery, type Query } from './query.ts'
import { TokenBucket } from './token-bucket.ts'
import type { Facts } from './tree.ts'

/** Requests a second that a pod may make in the long run, and at once. */
const REQUESTS_PER_SECOND = 100
const BURST = 200
/** Requests of a pod under way, waiting readers included: about 2 MB. */
export const MAX_REQUESTS_AT_ONCE = 200
/** A node that may not read owners or endpoints answers without them after this. */
const MAX_READING_MS = 2_000
const MAX_FORM_BYTES = 64 * 1024

const FLAVORS = ['Google', 'AppContainer']
const TREE_ROOT = 'computeMetadata/v1/'
const APPC_ROOT = 'acMetadata/v1/'

interface Reader {
  query: Query
  response: ServerResponse
  seen: string
  cancelTimeout: () => void
}

export interface PodDoorOptions {
  pod: MetadataPod
  objects: MetadataObjects
  clock: Clock
  /** For signatures. */
  key: Buffer
  signal: AbortSignal
}

export class PodDoor {
  readonly #options: PodDoorOptions
  readonly #owners: OwnerChain
  readonly #bucket: TokenBucket
  readonly #readers = new Set<Reader>()
  #underWay = 0
  #flushing = false

  constructor(options: PodDoorOptions) {
    this.#options = options
    this.#owners = new OwnerChain(options.objects.watches, () => this.changed())
    this.#bucket = new TokenBucket({ perSecond: REQUESTS_PER_SECOND, burst: BURST, clock: options.clock })
  }

  get namespace(): string {
    return this.#options.pod.pod().metadata.namespace ?? ''
  }

  /** How many readers wait. */
  get waiting(): number {
    return this.#readers.size
  }

  /** `path` begins below `prefix`, the part of the URL that led here. */
  handle(request: IncomingMessage, response: ServerResponse, path: string, prefix: string): void {
    this.#underWay += 1
    response.once('close', () => {
      this.#underWay -= 1
    })
    this.#pass(request, response, path, prefix).catch((error: Error) => {
      if (response.headersSent) response.destroy()
      else if (error instanceof BadQuery) send(response, 400, `${error.message}\n`)
      else send(response, 500, `${error.message}\n`)
    })
  }

  /** Something a reader may wait for is another now. Many changes within one turn are looked at once. */
  changed(): void {
    if (this.#flushing || this.#readers.size === 0) return
    this.#flushing = true
    setImmediate(() => {
      this.#flushing = false
      this.#flush()
    })
  }

  close(): void {
    for (const reader of this.#readers) reader.response.destroy()
    this.#owners.release()
  }

  async #pass(request: IncomingMessage, response: ServerResponse, path: string, prefix: string): Promise<unknown> {
    const flavor = FLAVORS.find((name) => name.toLowerCase() === String(request.headers['metadata-flavor'] ?? '').toLowerCase())
    response.setHeader('Metadata-Flavor', flavor ?? 'Google')
    if (this.#underWay > MAX_REQUESTS_AT_ONCE)
      return busy(response, 503, `this pod has ${MAX_REQUESTS_AT_ONCE} requests under way`)
    if (!this.#bucket.take()) return busy(response, 429, `more than ${REQUESTS_PER_SECOND} requests a second`)
    if (request.headers['x-forwarded-for'] !== undefined)
      return send(response, 403, 'X-Forwarded-For: this service answers the pod itself and nobody behind it\n')
    const url = new URL(`http://metadata/${path}`)
    const asked = url.pathname.slice(1)
    if (asked === '') return send(response, 200, 'acMetadata/\ncomputeMetadata/\nnotify\n')
    if (flavor === undefined) return send(response, 403, `the header "Metadata-Flavor: Google" is missing\n`)
    if (asked === 'notify') return this.#notify(request, response, url.searchParams)
    if (asked.startsWith(APPC_ROOT)) return this.#appc(request, response, asked.slice(APPC_ROOT.length))
    if (request.method !== 'GET' && request.method !== 'HEAD') return refuseMethod(response, 'GET, HEAD')
    if (asked.startsWith(TREE_ROOT)) {
      const query = parseQuery(asked.slice(TREE_ROOT.length), url.searchParams)
      await this.#prepare(query)
      return this.#answerTree(query, response, `${prefix}/${asked}/${url.search}`)
    }
    if (asked === 'computeMetadata/' || asked === 'acMetadata/') return send(response, 200, 'v1/\n')
    if (/^(?:computeMetadata|acMetadata)(?:\/v1)?$/.test(asked)) return redirect(response, `${prefix}/${asked}/`)
    return send(response, 404, `no such path: /${asked}; there is: acMetadata/v1/ computeMetadata/v1/ notify\n`)
  }

  async #appc(request: IncomingMessage, response: ServerResponse, path: string): Promise<unknown> {
    const { pod, key } = this.#options
    const reply = ({ status, body, json }: AppcAnswer) => send(response, status, body, json)
    const posted = path.startsWith('pod/hmac/')
    if (request.method !== (posted ? 'POST' : 'GET')) return refuseMethod(response, posted ? 'POST' : 'GET')
    if (!posted) return reply(appcRead(path, { pod: pod.pod(), image: (name) => pod.image(name) }))
    const form = await readBody(request, MAX_FORM_BYTES)
    if (form === undefined) return send(response, 413, `a form is at most ${MAX_FORM_BYTES} bytes\n`)
    return reply(appcPost(path, new URLSearchParams(form), key, pod.uid))
  }

  /** What programs without unix datagrams say of themselves. */
  async #notify(request: IncomingMessage, response: ServerResponse, parameters: URLSearchParams): Promise<unknown> {
    if (request.method !== 'PUT') return refuseMethod(response, 'PUT')
    const unknown = [...parameters.keys()].find((name) => name !== 'container')
    if (unknown !== undefined) throw new BadQuery(`unknown parameter ${JSON.stringify(unknown)}; there is container`)
    const text = await readBody(request, MAX_MESSAGE_BYTES)
    if (text === undefined) return send(response, 413, `a notification is at most ${MAX_MESSAGE_BYTES} bytes\n`)
    const { status, body } = this.#options.pod.notify(parameters.get('container') ?? undefined, text)
    return send(response, status, body)
  }

  /** Reads what is read only once somebody asks for it. */
  async #prepare({ segments: [first] }: Query): Promise<void> {
    const { objects, pod, signal, clock } = this.#options
    const all = first === undefined
    const reading: Promise<void>[] = []
    if (all || first === 'node' || first === 'instance') reading.push(objects.whenNodeFieldsKnown(signal))
    if (all || first === 'services') reading.push(objects.whenSlicesKnown(signal))
    if (all || first === 'owner') reading.push(this.#owners.whenKnown(pod.pod(), signal))
    if (reading.length === 0) return
    const enough = new AbortController()
    await Promise.race([Promise.all(reading), delay(clock, MAX_READING_MS, AbortSignal.any([signal, enough.signal]))])
    enough.abort()
  }

  #answerTree(query: Query, response: ServerResponse, withSlash: string): unknown {
    const found = answer(this.#facts(), query)
    if (found.status === 301) return redirect(response, withSlash)
    const news = query.lastEtag !== undefined && query.lastEtag !== found.etag
    if (!query.wait || news || found.status !== 200) return send(response, found.status, found.body, found.json, found.etag)
    return this.#wait(query, response, found.etag)
  }

  #wait(query: Query, response: ServerResponse, seen: string): void {
    if (response.destroyed) return
    const reader: Reader = { query, response, seen, cancelTimeout: () => {} }
    this.#readers.add(reader)
    if (query.timeoutMs !== undefined) {
      const timedOut = () => this.#release(reader)
      reader.cancelTimeout = this.#options.clock.after(query.timeoutMs, timedOut, { unref: true })
    }
    response.once('close', () => {
      reader.cancelTimeout()
      this.#readers.delete(reader)
    })
  }

  #release(reader: Reader, found = answer(this.#facts(), reader.query)): void {
    reader.cancelTimeout()
    this.#readers.delete(reader)
    send(reader.response, found.status, found.body, found.json, found.etag)
  }

  /** Readers of the same path share one look. */
  #flush(): void {
    const facts = this.#facts()
    const looks = new Map<string, ReturnType<typeof answer>>()
    for (const reader of this.#readers) {
      const { segments, recursive, alt, directory } = reader.query
      const key = `${segments.join('/')} ${recursive} ${alt} ${directory}`
      const found = looks.get(key) ?? answer(facts, reader.query)
      looks.set(key, found)
      if (found.etag !== reader.seen) this.#release(reader, found)
    }
  }

  #facts(): Facts {
    const { pod, objects } = this.#options
    const { podIps, hostIps } = pod.addresses()
    const own = pod.pod()
    const namespace = own.metadata.namespace ?? ''
    return {
      pod: own,
      podIps,
      hostIps,
      clusterDomain: objects.clusterDomain,
      node: () => objects.node(),
      services: () => objects.services(namespace),
      slices: () => objects.slices(namespace),
      owners: () => this.#owners.of(own),
    }
  }
}

/** `undefined` when it is longer than it may be. */
async function readBody(request: IncomingMessage, limit: number): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > limit) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

function send(response: ServerResponse, status: number, body: string, json = false, etag?: string): void {
  response.statusCode = status
  response.setHeader('Content-Type', json ? 'application/json' : 'application/text')
  response.setHeader('Content-Length', Buffer.byteLength(body))
  if (etag !== undefined) response.setHeader('ETag', etag)
  response.end(body)
}

function busy(response: ServerResponse, status: 429 | 503, why: string): void {
  response.setHeader('Retry-After', '1')
  send(response, status, `${why}; come again in a second\n`)
}

function refuseMethod(response: ServerResponse, allowed: string): void {
  response.setHeader('Allow', allowed)
  send(response, 405, `here is ${allowed} only\n`)
}

function redirect(response: ServerResponse, location: string): void {
  response.setHeader('Location', location)
  send(response, 301, '')
}
