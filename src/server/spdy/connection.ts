/**
 * The server's side of a SPDY/3.1 connection as Kubernetes' clients speak it: streams that the client opens, each with headers.
 * Windows are not kept: the Go library on the other side has none; a reader that is slow holds the whole connection back.
 */
import { Duplex } from 'node:stream'
import {
  CANCEL,
  controlFrame,
  dataFrame,
  FLAG_FIN,
  FRAME,
  type Frame,
  FrameReader,
  INVALID_STREAM,
  PROTOCOL_ERROR,
  streamIdOf,
} from './frames.ts'
import { HeaderCodec, uint32 } from './header-codec.ts'

/** Streams that one connection may have open; port-forward opens two for each connection it carries. */
const MAX_STREAMS = 2000
/** Data is sent in frames of at most this many bytes, so that streams take turns. */
const MAX_DATA_BYTES = 32 * 1024

export class SpdyStream extends Duplex {
  readonly id: number
  readonly headers: Readonly<Record<string, string>>
  readonly #connection: SpdyConnection
  #resume: (() => void) | undefined

  constructor(id: number, headers: Record<string, string>, connection: SpdyConnection) {
    super({ allowHalfOpen: true })
    this.id = id
    this.headers = headers
    this.#connection = connection
  }

  /** Data from the client; null at its end. Resolves when there is room for more. */
  async deliver(data: Buffer | null): Promise<void> {
    if (this.destroyed || this.readableEnded || this.push(data) || data === null) return
    await new Promise<void>((resolve) => {
      this.#resume = resolve
    })
  }

  override _read(): void {
    this.#resume?.()
    this.#resume = undefined
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    let last = Promise.resolve()
    for (let at = 0; at < chunk.length; at += MAX_DATA_BYTES) {
      last = this.#connection.send(dataFrame(this.id, chunk.subarray(at, at + MAX_DATA_BYTES), false))
    }
    last.then(() => done(), done)
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#connection.send(dataFrame(this.id, Buffer.alloc(0), true)).then(() => done(), done)
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#resume?.()
    this.#connection.forget(this, !this.writableFinished)
    done(error)
  }
}

export interface SpdyOptions {
  /** Called with each stream the client opens, in order. */
  onStream: (stream: SpdyStream) => void
}

export class SpdyConnection {
  readonly #socket: Duplex
  readonly #options: SpdyOptions
  readonly #codec = new HeaderCodec()
  readonly #streams = new Map<number, SpdyStream>()
  /** Resolves when the connection has ended. */
  readonly closed: Promise<void>

  constructor(socket: Duplex, options: SpdyOptions) {
    this.#socket = socket
    this.#options = options
    this.closed = this.#run()
  }

  /** Ends the connection after what has been sent. */
  close(): void {
    this.#socket.end()
  }

  /** Resolves when the frame has been handed on. Rejects when the connection is gone. */
  send(frame: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed) return reject(new Error('the connection is closed'))
      this.#socket.write(frame, (error) => (error ? reject(error) : resolve()))
    })
  }

  /** Called by a stream that is destroyed. */
  forget(stream: SpdyStream, reset: boolean): void {
    if (!this.#streams.delete(stream.id) || !reset || this.#socket.destroyed) return
    this.#socket.write(controlFrame(FRAME.rstStream, 0, uint32(stream.id), uint32(CANCEL)))
  }

  async #run(): Promise<void> {
    const reader = new FrameReader()
    try {
      for await (const chunk of this.#socket) {
        for (const frame of reader.read(chunk as Buffer)) await this.#handle(frame)
      }
    } catch (error) {
      if (!this.#socket.destroyed) this.#socket.end(controlFrame(FRAME.goAway, 0, uint32(0), uint32(PROTOCOL_ERROR)))
      this.#endStreams(error as Error)
    } finally {
      this.#endStreams(new Error('the connection is closed'))
      this.#codec.close()
      this.#socket.destroy()
    }
  }

  #endStreams(error: Error): void {
    for (const stream of [...this.#streams.values()]) {
      stream.on('error', () => {})
      stream.destroy(error)
    }
    this.#streams.clear()
  }

  async #handle(frame: Frame): Promise<void> {
    if (frame.type === 'data') return this.#handleData(frame.streamId, frame.data, frame.fin)
    const { kind, body, flags } = frame
    switch (kind) {
      case FRAME.synStream:
        return this.#open(streamIdOf(body), body.subarray(10), (flags & FLAG_FIN) !== 0)
      case FRAME.rstStream: {
        const stream = this.#streams.get(streamIdOf(body))
        stream?.on('error', () => {})
        stream?.destroy(new Error('the client reset the stream'))
        return
      }
      case FRAME.ping:
        return this.send(controlFrame(FRAME.ping, 0, body.subarray(0, 4)))
      case FRAME.headers:
        // The block must be unpacked even so: it moves the compression on.
        await this.#codec.unpack(body.subarray(4))
        return
      case FRAME.synReply:
        await this.#codec.unpack(body.subarray(4))
        return
      default:
        return
    }
  }

  async #open(id: number, block: Buffer, fin: boolean): Promise<void> {
    const headers = await this.#codec.unpack(block)
    if (this.#streams.has(id) || this.#streams.size >= MAX_STREAMS) {
      await this.send(controlFrame(FRAME.rstStream, 0, uint32(id), uint32(PROTOCOL_ERROR)))
      return
    }
    const stream = new SpdyStream(id, headers, this)
    this.#streams.set(id, stream)
    await this.send(controlFrame(FRAME.synReply, 0, uint32(id), await this.#codec.pack({})))
    this.#options.onStream(stream)
    if (fin) await stream.deliver(null)
  }

  async #handleData(id: number, data: Buffer, fin: boolean): Promise<void> {
    const stream = this.#streams.get(id)
    if (!stream) {
      // A few bytes may still be on their way for a stream that has just ended here.
      if (id > this.#highest()) await this.send(controlFrame(FRAME.rstStream, 0, uint32(id), uint32(INVALID_STREAM)))
      return
    }
    if (data.length > 0) await stream.deliver(data)
    if (fin) await stream.deliver(null)
  }

  #highest(): number {
    return Math.max(0, ...this.#streams.keys())
  }
}
