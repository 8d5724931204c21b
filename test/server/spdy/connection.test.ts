import { once } from 'node:events'
import { createServer, connect as netConnect, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { SpdyConnection, type SpdyStream } from '../../../src/server/spdy/connection.ts'
import { controlFrame, dataFrame, FRAME, FrameReader } from '../../../src/server/spdy/frames.ts'
import { HeaderCodec, uint32 } from '../../../src/server/spdy/header-codec.ts'

const cleanups: (() => void)[] = []
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup()
})

/** A connection's server side, and the client's socket. */
async function connected(onStream: (stream: SpdyStream) => void): Promise<{ client: Socket; closed: Promise<void> }> {
  let closed: Promise<void> | undefined
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    closed = new SpdyConnection(socket, { onStream }).closed
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = netConnect((server.address() as { port: number }).port, '127.0.0.1')
  cleanups.push(() => {
    client.destroy()
    server.close()
  })
  await once(client, 'connect')
  while (!closed) await new Promise((resolve) => setImmediate(resolve))
  return { client, closed }
}

async function synStream(codec: HeaderCodec, id: number, headers: Record<string, string>): Promise<Buffer> {
  return controlFrame(FRAME.synStream, 0, uint32(id), uint32(0), Buffer.alloc(2), await codec.pack(headers))
}

describe('header blocks', () => {
  it('come back as they were, one compression stream for all', async () => {
    const [left, right] = [new HeaderCodec(), new HeaderCodec()]
    for (const headers of [{ streamtype: 'error', port: '80' }, {}, { streamtype: 'data', 'x-long': 'y'.repeat(5000) }]) {
      expect(await right.unpack(await left.pack(headers as Record<string, string>))).toEqual(headers)
    }
    left.close()
    right.close()
  })
})

describe('frames', () => {
  it('are cut from any pieces', () => {
    const bytes = Buffer.concat([
      dataFrame(1, Buffer.from('hello'), false),
      controlFrame(FRAME.ping, 0, uint32(7)),
      dataFrame(3, Buffer.alloc(0), true),
    ])
    const reader = new FrameReader()
    const kinds = [...bytes].flatMap((byte) => reader.read(Buffer.of(byte)).map((frame) => frame.type))
    expect(kinds).toEqual(['data', 'control', 'data'])
  })

  it('are refused when too large or of another version', () => {
    expect(() => new FrameReader().read(Buffer.from([0, 0, 0, 1, 0, 0xff, 0xff, 0xff]))).toThrow('too large')
    expect(() => new FrameReader().read(Buffer.from([0x80, 2, 0, 1, 0, 0, 0, 0]))).toThrow('version 2')
  })
})

describe('a connection', () => {
  it('echoes on the streams the client opens, and passes ends on', async () => {
    const { client } = await connected((stream) => stream.pipe(stream))
    const codec = new HeaderCodec()
    client.write(await synStream(codec, 1, { streamtype: 'data' }))
    client.write(dataFrame(1, Buffer.from('over and back'), true))
    const reader = new FrameReader()
    let text = ''
    for await (const chunk of client) {
      let fin = false
      for (const frame of reader.read(chunk as Buffer)) {
        if (frame.type !== 'data') continue
        text += frame.data.toString()
        fin ||= frame.fin
      }
      if (fin) break
    }
    expect(text).toBe('over and back')
    codec.close()
  })

  it('holds back a client whose data nobody reads, and loses none of it', async () => {
    let stream: SpdyStream | undefined
    const { client } = await connected((opened) => {
      stream = opened
    })
    const codec = new HeaderCodec()
    client.write(await synStream(codec, 1, {}))
    const size = 4 * 1024 * 1024
    for (let sent = 0; sent < size; sent += 65536) client.write(dataFrame(1, Buffer.alloc(65536, 1), sent + 65536 === size))
    while (!stream) await new Promise((resolve) => setImmediate(resolve))
    expect(stream.readableLength).toBeLessThan(1024 * 1024)
    let received = 0
    for await (const chunk of stream) received += (chunk as Buffer).length
    expect(received).toBe(size)
    codec.close()
  })

  it('ends on garbage without an error escaping', async () => {
    const { client, closed } = await connected(() => {})
    client.on('error', () => {})
    client.write(Buffer.from([0x80, 9, 0, 1, 0, 0, 0, 0]))
    client.resume()
    await closed
  })
})
