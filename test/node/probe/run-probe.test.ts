import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import type { Probe } from '../../../src/api/types.ts'
import { systemClock } from '../../../src/base/clock.ts'
import { runProbe } from '../../../src/node/probe/run-probe.ts'
import type { ProbeTarget } from '../../../src/node/probe/target.ts'

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

function target(port = 0, exec: ProbeTarget['exec'] = async () => ({ code: 0, output: '' })): ProbeTarget {
  return {
    container: { name: 'c', ports: [{ name: 'http', containerPort: port }] },
    address: '127.0.0.1',
    connect: (host, to) =>
      new Promise<Socket>((resolve, reject) => {
        const socket = connect(to, host, () => resolve(socket))
        socket.once('error', reject)
      }),
    exec,
  }
}

const run = (probe: Probe, to: ProbeTarget) => runProbe(probe, to, systemClock, new AbortController().signal)

async function listening(
  server: Server | ReturnType<typeof createServer> | ReturnType<typeof createHttp2Server>,
): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => server.close())
  return (server.address() as AddressInfo).port
}

const http = (handle: (request: IncomingMessage, response: ServerResponse) => void) => listening(createHttpServer(handle))

async function closedPort(): Promise<number> {
  const server = createServer()
  const port = await listening(server)
  await new Promise((resolve) => server.close(resolve))
  closers.pop()
  return port
}

describe('httpGet', () => {
  it('passes with 200 to 399, by number or name of the port', async () => {
    let seen: IncomingMessage | undefined
    const port = await http((request, response) => {
      seen = request
      response.writeHead(204).end()
    })
    const httpHeaders = [
      { name: 'X-Custom', value: 'Awesome' },
      { name: 'Host', value: 'example.com' },
    ]
    expect(await run({ httpGet: { path: '/health?x=1', port: 'http', httpHeaders } }, target(port))).toMatchObject({
      outcome: 'Success',
    })
    expect(seen?.url).toBe('/health?x=1')
    expect(seen?.headers).toMatchObject({
      'x-custom': 'Awesome',
      host: 'example.com',
      'user-agent': 'kube-probe/1.36',
      accept: '*/*',
    })
  })

  it('fails with other codes', async () => {
    const port = await http((_, response) => response.writeHead(503).end('no'))
    expect(await run({ httpGet: { port } }, target())).toEqual({
      outcome: 'Failure',
      message: 'HTTP probe failed with statuscode: 503',
    })
  })

  it('follows redirects on the host, and trusts those that lead away', async () => {
    const port = await http((request, response) => {
      if (request.url === '/') response.writeHead(302, { location: '/there' }).end()
      else if (request.url === '/away') response.writeHead(302, { location: 'http://example.invalid/' }).end()
      else response.writeHead(request.url === '/there' ? 200 : 404).end()
    })
    expect(await run({ httpGet: { port } }, target())).toMatchObject({ outcome: 'Success' })
    expect(await run({ httpGet: { port, path: '/away' } }, target())).toMatchObject({ outcome: 'Success' })
  })

  it('says what went wrong as Go does', async () => {
    const refused = await closedPort()
    expect((await run({ httpGet: { port: refused } }, target())).message).toBe(
      `Get "http://127.0.0.1:${refused}/": dial tcp 127.0.0.1:${refused}: connect: connection refused`,
    )
    const slow = await http(() => {})
    expect((await run({ httpGet: { port: slow }, timeoutSeconds: 0.05 }, target())).message).toBe(
      `Get "http://127.0.0.1:${slow}/": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`,
    )
    expect(await run({ httpGet: { port: 'nope' } }, target())).toMatchObject({
      outcome: 'Error',
      message: 'invalid port number: nope',
    })
  })
})

describe('tcpSocket', () => {
  it('passes when somebody listens', async () => {
    const port = await listening(createServer((socket) => socket.end()))
    expect(await run({ tcpSocket: { port } }, target())).toMatchObject({ outcome: 'Success' })
    const refused = await closedPort()
    expect(await run({ tcpSocket: { port: refused } }, target())).toEqual({
      outcome: 'Failure',
      message: `dial tcp 127.0.0.1:${refused}: connect: connection refused`,
    })
  })
})

describe('exec', () => {
  it('goes by the exit code', async () => {
    const exec = { command: ['check'] }
    expect(
      await run(
        { exec },
        target(0, async () => ({ code: 0, output: 'fine' })),
      ),
    ).toMatchObject({ outcome: 'Success' })
    expect(
      await run(
        { exec },
        target(0, async () => ({ code: 2, output: 'bad' })),
      ),
    ).toEqual({ outcome: 'Failure', message: 'bad' })
    expect(
      await run(
        { exec },
        target(0, async () => ({ code: -1, output: '', error: 'no such file' })),
      ),
    ).toMatchObject({ outcome: 'Error' })
  })

  it('has a timeout', async () => {
    const forever: ProbeTarget['exec'] = (_, signal) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    expect(await run({ exec: { command: ['sleep', '9'] }, timeoutSeconds: 0.05 }, target(0, forever))).toEqual({
      outcome: 'Failure',
      message: 'command timed out: "sleep 9" timed out after 0.05s',
    })
  })
})

describe('grpc', () => {
  const health = async (answer: (service: string) => { status?: number; code?: number }) => {
    const server = createHttp2Server()
    server.on('stream', (stream, headers) => {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const body = Buffer.concat(chunks).subarray(5)
        const service = body.length > 0 ? body.subarray(2).toString() : ''
        const { status, code = 0 } = headers[':path'] === '/grpc.health.v1.Health/Check' ? answer(service) : { code: 12 }
        stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': String(code), 'grpc-message': 'why' }))
        if (status !== undefined) stream.write(Buffer.from([0, 0, 0, 0, 2, 8, status]))
        stream.end()
      })
    })
    return listening(server)
  }

  it('passes when the service serves', async () => {
    const port = await health((service) => ({ status: service === 'db' ? 1 : 2 }))
    expect(await run({ grpc: { port, service: 'db' } }, target())).toMatchObject({ outcome: 'Success' })
    expect(await run({ grpc: { port } }, target())).toEqual({
      outcome: 'Failure',
      message: 'service unhealthy (responded with "NOT_SERVING")',
    })
  })

  it('says when there is no health service, or nobody at all', async () => {
    const port = await health(() => ({ code: 12 }))
    expect((await run({ grpc: { port } }, target())).message).toContain('does not implement the grpc health protocol')
    const refused = await closedPort()
    expect((await run({ grpc: { port: refused } }, target())).message).toContain('connection refused')
  })
})
