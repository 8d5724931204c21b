/**
 * The metadata service of a node: every pod has a door of its own. A pod with its own network finds it at the link-local
 * address, where a listener inside the pod's network is all the proof of identity there need be. Another (plain processes,
 * the host's network) gets a URL with an unguessable path in its environment.
 */
import { randomBytes, randomInt } from 'node:crypto'
import { createServer, type Server as HttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Server, Socket } from 'node:net'
import type { PodNetwork } from '../../api/pod-network.ts'
import type { Clock } from '../../base/clock.ts'
import { MetadataObjects, type MetadataObjectsOptions, type MetadataPod } from './objects.ts'
import { PodDoor } from './pod-door.ts'

export const METADATA_ADDRESS = '169.254.169.254'
const METADATA_PORT = 80
/** Connections of a pod, idle ones included; more are not accepted. */
const MAX_CONNECTIONS = 256
/** Connections to the address that pods without their own share. */
const MAX_SHARED_CONNECTIONS = 1024
const MAX_HEADER_BYTES = 8 * 1024
const HEADERS_TIMEOUT_MS = 10_000
/** Where a port for the shared address is looked for. */
const SHARED_PORTS = [20_000, 32_768] as const
const SHARED_ATTEMPTS = 20

export interface MetadataServiceOptions extends MetadataObjectsOptions {
  network: PodNetwork
  clock: Clock
  /** Listens inside a sandbox's own network; `undefined` when it has none. */
  listenInside: (sandboxId: string, address: string, port: number) => Promise<Server | undefined>
}

interface Entry {
  sandboxId: string
  door: PodDoor
  opened: Promise<{ name: string; value: string }[]>
  listener?: Server
  sockets: Set<Socket>
  token?: string
  closed?: boolean
}

export class MetadataService {
  readonly #options: MetadataServiceOptions
  readonly #objects: MetadataObjects
  readonly #http: HttpServer
  readonly #pods = new Map<string, Entry>()
  readonly #doorOf = new WeakMap<Socket, PodDoor>()
  readonly #byToken = new Map<string, PodDoor>()
  readonly #key = randomBytes(64)
  readonly #stopping = new AbortController()
  #shared: Promise<{ url: string; close(): Promise<void> }> | undefined
  #sharedConnections = 0

  constructor(options: MetadataServiceOptions) {
    this.#options = options
    this.#objects = new MetadataObjects(options, (namespace) => this.#objectChanged(namespace))
    // It never listens itself: connections are handed to it by those who know whose they are.
    this.#http = createServer({ maxHeaderSize: MAX_HEADER_BYTES }, (request, response) => this.#route(request, response))
  }

  /**
   * Opens the pod's door for a sandbox, once; a sandbox that replaces another closes the other's. Resolves with the
   * variables that containers need to find it. Rejects when nobody can listen there.
   */
  open(pod: MetadataPod, sandboxId: string): Promise<{ name: string; value: string }[]> {
    const known = this.#pods.get(pod.uid)
    if (known?.sandboxId === sandboxId) return known.opened
    this.close(pod.uid)
    const { clock } = this.#options
    const door = new PodDoor({ pod, objects: this.#objects, clock, key: this.#key, signal: this.#stopping.signal })
    const entry: Entry = { sandboxId, door, opened: Promise.resolve([]), sockets: new Set() }
    entry.opened = this.#listen(entry)
    // Whoever starts a container hears of it; until then nobody may.
    entry.opened.catch(() => {})
    this.#pods.set(pod.uid, entry)
    return entry.opened
  }

  /** The pod itself is another now. */
  changed(uid: string): void {
    this.#pods.get(uid)?.door.changed()
  }

  /** How many of a pod's readers wait for a change. */
  waiting(uid: string): number {
    return this.#pods.get(uid)?.door.waiting ?? 0
  }

  /** With a sandbox: only if the door was opened for that one. */
  close(uid: string, sandboxId?: string): void {
    const entry = this.#pods.get(uid)
    if (!entry || (sandboxId !== undefined && entry.sandboxId !== sandboxId)) return
    this.#pods.delete(uid)
    entry.closed = true
    entry.door.close()
    entry.listener?.close()
    for (const socket of entry.sockets) socket.destroy()
    if (entry.token !== undefined) this.#byToken.delete(entry.token)
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the metadata service stops'))
    for (const uid of [...this.#pods.keys()]) this.close(uid)
    this.#objects.close()
    // One that could not be opened is not there to be closed.
    await this.#shared?.then(
      (shared) => shared.close(),
      () => {},
    )
  }

  async #listen(entry: Entry): Promise<{ name: string; value: string }[]> {
    const listener = await this.#options.listenInside(entry.sandboxId, METADATA_ADDRESS, METADATA_PORT)
    if (!listener) return this.#share(entry)
    if (entry.closed) {
      listener.close()
      return []
    }
    entry.listener = listener
    listener.maxConnections = MAX_CONNECTIONS
    listener.on('connection', (socket) => {
      entry.sockets.add(socket)
      socket.once('close', () => entry.sockets.delete(socket))
      this.#doorOf.set(socket, entry.door)
      this.#serve(socket)
    })
    return []
  }

  async #share(entry: Entry): Promise<{ name: string; value: string }[]> {
    this.#shared ??= this.#openShared()
    const { url } = await this.#shared
    const token = randomBytes(16).toString('hex')
    if (entry.closed) return []
    entry.token = token
    this.#byToken.set(token, entry.door)
    return ['SKIFF_METADATA_URL', 'AC_METADATA_URL'].map((name) => ({ name, value: `${url}/${token}` }))
  }

  async #openShared(): Promise<{ url: string; close(): Promise<void> }> {
    const { network } = this.#options
    const accept = (socket: Socket) => {
      if (this.#sharedConnections >= MAX_SHARED_CONNECTIONS) {
        socket.destroy()
        return
      }
      this.#sharedConnections += 1
      socket.once('close', () => {
        this.#sharedConnections -= 1
      })
      this.#serve(socket)
    }
    for (let attempt = 1; ; attempt += 1) {
      const port = randomInt(...SHARED_PORTS)
      try {
        const { close } = await network.listen(network.nodeAddress, port, accept)
        return { url: `http://${network.nodeAddress}:${port}`, close }
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || attempt === SHARED_ATTEMPTS) throw error
      }
    }
  }

  /** Who says nothing for a while is cut off; who has asked may wait. */
  #serve(socket: Socket): void {
    socket.setTimeout(HEADERS_TIMEOUT_MS)
    this.#http.emit('connection', socket)
  }

  #route(request: IncomingMessage, response: ServerResponse): void {
    request.socket.setTimeout(0)
    const path = (request.url ?? '/').replace(/^\/+/, '')
    const own = this.#doorOf.get(request.socket)
    if (own) {
      own.handle(request, response, path, '')
      return
    }
    const [, token = '', rest = ''] = /^([0-9a-f]{32})(?:\/(.*))?$/s.exec(path) ?? []
    const door = this.#byToken.get(token)
    if (door) {
      door.handle(request, response, rest.replace(/^\/+/, ''), `/${token}`)
      return
    }
    response.statusCode = 404
    response.end('ask at the address in SKIFF_METADATA_URL\n')
  }

  #objectChanged(namespace: string | undefined): void {
    for (const { door } of this.#pods.values()) if (namespace === undefined || door.namespace === namespace) door.changed()
  }
}
