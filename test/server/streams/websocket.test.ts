import { once } from 'node:events'
import { createServer } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { type HttpClient, httpsClient } from '../http/https-client.ts'
import { PATCH_TYPES, startServer, type TestServer } from '../start-server.ts'
import { createProcessNode } from './process-node.ts'

const POD = '/api/v1/namespaces/default/pods/p'
let server: TestServer
let http: HttpClient
beforeEach(async () => {
  server = await startServer()
  http = await httpsClient(server)
  server.server.connectNode('n', createProcessNode())
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } }
  await server.call('POST', '/api/v1/namespaces/default/serviceaccounts', account)
  const spec = { nodeName: 'n', containers: [{ name: 'c', image: 'i' }] }
  await server.call('POST', '/api/v1/namespaces/default/pods', { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec })
  await server.call('PATCH', `${POD}/status`, { status: { phase: 'Running' } }, PATCH_TYPES.merge)
})
afterEach(() => server.close())

function open(path: string, protocols: string[]): WebSocket {
  const { ca, cert, key } = http.options as { ca: string; cert: string; key: string }
  return new WebSocket(`${http.url.replace('https', 'wss')}${path}`, protocols, { ca, cert, key })
}

/** Everything that came on each channel until the socket closed. */
async function collect(socket: WebSocket): Promise<Record<number, string>> {
  const channels: Record<number, string> = {}
  socket.on('message', (data: Buffer) => {
    channels[data[0]!] = (channels[data[0]!] ?? '') + data.subarray(1).toString()
  })
  await once(socket, 'close')
  return channels
}

const command = (...words: string[]) => words.map((word) => `command=${encodeURIComponent(word)}`).join('&')

describe('exec over WebSocket', () => {
  it('carries output, errors and the exit code', async () => {
    const socket = open(`${POD}/exec?stdout=1&stderr=1&${command('sh', '-c', 'echo out; echo err >&2; exit 3')}`, [
      'v4.channel.k8s.io',
    ])
    const channels = await collect(socket)
    expect(channels[1]).toBe('out\n')
    expect(channels[2]).toBe('err\n')
    expect(JSON.parse(channels[3]!)).toMatchObject({
      status: 'Failure',
      reason: 'NonZeroExitCode',
      details: { causes: [{ message: '3' }] },
    })
  })

  it('carries input, and its end with v5', async () => {
    const socket = open(`${POD}/exec?stdin=1&stdout=1&${command('cat')}`, ['v5.channel.k8s.io'])
    const done = collect(socket)
    await once(socket, 'open')
    socket.send(Buffer.from('\0through and back'))
    socket.send(Buffer.from([255, 0]))
    const channels = await done
    expect(channels[1]).toBe('through and back')
    expect(JSON.parse(channels[3]!)).toMatchObject({ status: 'Success' })
  })

  it('ends at once when the command has left input unread', async () => {
    const socket = open(`${POD}/exec?stdin=1&stdout=1&${command('sh', '-c', 'read line; echo "$line"; exit 0')}`, [
      'v5.channel.k8s.io',
    ])
    const done = collect(socket)
    await once(socket, 'open')
    const block = Buffer.concat([Buffer.of(0), Buffer.alloc(60_000, 'x\n')])
    for (let sent = 0; sent < 50; sent++) socket.send(block)
    const sentAt = performance.now()
    const channels = await done
    expect(channels[1]).toBe('x\n')
    // A server that does not hear the answer to its close waits 30 s for it.
    expect(performance.now() - sentAt).toBeLessThan(15_000)
  })

  it('passes terminal sizes on', async () => {
    const socket = open(`${POD}/exec?stdin=1&stdout=1&tty=1&${command('cat')}`, ['v5.channel.k8s.io'])
    const done = collect(socket)
    await once(socket, 'open')
    socket.send(Buffer.from('\x04{"Width":80,"Height":24}'))
    await once(socket, 'message')
    socket.send(Buffer.from([255, 0]))
    expect((await done)[1]).toContain('80x24')
  })

  it('refuses before the upgrade: no such pod, no such protocol, no command', async () => {
    const refusal = async (path: string, protocols: string[]) => {
      const socket = open(path, protocols)
      const [, response] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode: number }]
      socket.on('error', () => {})
      socket.terminate()
      return response.statusCode
    }
    expect(await refusal(`${POD}x/exec?stdout=1&command=true`, ['v4.channel.k8s.io'])).toBe(404)
    expect(await refusal(`${POD}/exec?stdout=1&command=true`, ['v9.channel.k8s.io'])).toBe(400)
    expect(await refusal(`${POD}/exec?stdout=1`, ['v4.channel.k8s.io'])).toBe(400)
  })
})

it('forwards ports over WebSocket channels', async () => {
  const target = createServer((_request, response) => response.end('from the pod')).listen(0, '127.0.0.1')
  await once(target, 'listening')
  const { port } = target.address() as { port: number }
  const socket = open(`${POD}/portforward?ports=${port}`, ['v4.channel.k8s.io'])
  const done = collect(socket)
  await once(socket, 'open')
  socket.send(Buffer.from('\0GET / HTTP/1.0\r\nConnection: close\r\n\r\n'))
  expect((await done)[0]).toContain('from the pod')
  target.close()
})

it('serves logs, of the only container without being told', async () => {
  expect((await http.send('GET', `${POD}/log`)).body.toString()).toBe('one\ntwo\n')
  expect((await http.send('GET', `${POD}/log?container=nope`)).json()).toMatchObject({
    message: 'container nope is not valid for pod p',
  })
  expect((await http.send('GET', `${POD}/log?tailLines=-1`)).status).toBe(422)
})
