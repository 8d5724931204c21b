/** The unix datagram socket of one container. Whoever can write to it is in that container, for it is mounted nowhere else. */
import { chmodSync, closeSync, mkdirSync, openSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../base/clock.ts'
import { MAX_MESSAGE_BYTES } from './message.ts'

/** Messages that are read of a container within a second; who sends more is not listened to for the next. */
const MAX_MESSAGES_PER_SECOND = 500
const DEAF_MS = 1_000
const FILE_NAME = 'socket'

export interface NotifySocketOptions {
  /** The container's own directory, which is mounted into it. */
  directory: string
  clock: Clock
  onMessage: (text: string) => void
  /** Called each time the container has to be shut out. */
  onFlood: () => void
}

interface Datagrams {
  bind(path: string): void
  on(event: 'data', listener: (data: Buffer) => void): void
  on(event: 'error', listener: (error: Error) => void): void
  close(): void
}

export class NotifySocket {
  readonly path: string
  readonly #options: NotifySocketOptions
  readonly #create: () => Datagrams
  #socket: Datagrams | undefined
  #windowStartMs = 0
  #inWindow = 0
  #cancelReopen = () => {}
  #closed = false

  private constructor(options: NotifySocketOptions, create: () => Datagrams) {
    this.#options = options
    this.#create = create
    this.path = join(options.directory, FILE_NAME)
  }

  /** Throws an Error that names the package that is missing. */
  static async open(options: NotifySocketOptions): Promise<NotifySocket> {
    const { DgramSocket } = await import('node-unix-socket').catch((cause: unknown) => {
      throw new Error('sd_notify needs the optional package node-unix-socket', { cause })
    })
    mkdirSync(options.directory, { recursive: true, mode: 0o755 })
    const socket = new NotifySocket(options, () => new DgramSocket() as Datagrams)
    socket.#listen()
    return socket
  }

  close(): void {
    this.#closed = true
    this.#cancelReopen()
    this.#shut()
  }

  #listen(): void {
    rmSync(this.path, { force: true })
    const socket = this.#create()
    this.#socket = socket
    socket.on('data', (data) => this.#take(socket, data))
    socket.on('error', () => this.#pause())
    bindAt(socket, this.#options.directory, this.path)
    // The container's process may be any user.
    chmodSync(this.path, 0o666)
  }

  #take(socket: Datagrams, data: Buffer): void {
    // What was read before it was shut comes late.
    if (socket !== this.#socket) return
    const now = this.#options.clock.monotonic()
    if (now - this.#windowStartMs >= 1000) {
      this.#windowStartMs = now
      this.#inWindow = 0
    }
    this.#inWindow += 1
    if (this.#inWindow > MAX_MESSAGES_PER_SECOND) {
      this.#options.onFlood()
      this.#pause()
    } else if (data.length <= MAX_MESSAGE_BYTES) this.#options.onMessage(data.toString())
  }

  /** A socket that is not there costs nothing, whatever is sent to it. */
  #pause(): void {
    this.#shut()
    this.#cancelReopen = this.#options.clock.after(DEAF_MS, () => !this.#closed && this.#listen(), { unref: true })
  }

  #shut(): void {
    const socket = this.#socket
    this.#socket = undefined
    socket?.close()
    rmSync(this.path, { force: true })
  }
}

/** A socket's path has 107 characters; on Linux one that is longer is reached through the open directory. */
function bindAt(socket: Datagrams, directory: string, path: string): void {
  if (process.platform !== 'linux') {
    socket.bind(path)
    return
  }
  const descriptor = openSync(directory, 'r')
  try {
    socket.bind(`/proc/self/fd/${descriptor}/${FILE_NAME}`)
  } finally {
    closeSync(descriptor)
  }
}
