import { createHash, randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { services } from '../../src/client/resources.ts'
import { until } from '../controllers/until.ts'
import { ask, dialled, echo, PORT, startServiceCluster } from './service-cluster.ts'

const A = '10.88.0.11'
const B = '10.88.0.12'
const C = '10.88.0.13'

describe('a ClusterIP Service', () => {
  it('gives connections to its ready endpoints in turn', async () => {
    await using cluster = await startServiceCluster()
    expect(cluster.network.claimed).toEqual(['10.96.0.0/16'])
    for (const address of [A, B, C]) await cluster.network.serve(address, PORT, echo(address))
    const service = await cluster.addService('web')
    await cluster.setEndpoints('web', [A, B, { addresses: [C], conditions: { ready: false } }])
    const at = await cluster.reachable(service)
    const heard: string[] = []
    for (let i = 0; i < 4; i++) heard.push(await ask(at, 'x'))
    expect(heard.sort()).toEqual([`${A}:x`, `${A}:x`, `${B}:x`, `${B}:x`])
  })

  it('tries another endpoint when one refuses, and resets when none accepts', async () => {
    await using cluster = await startServiceCluster()
    await cluster.network.serve(B, PORT, echo(B))
    const at = await cluster.reachable(await cluster.addService('web'))
    await expect(ask(at)).rejects.toThrow('ECONNRESET')
    await cluster.setEndpoints('web', [A, B])
    for (let i = 0; i < 4; i++) expect(await ask(at, 'hello')).toBe(`${B}:hello`)
    await cluster.setEndpoints('web', [A])
    await expect(ask(at)).rejects.toThrow('ECONNRESET')
  })

  it('falls back to endpoints that terminate but still serve', async () => {
    await using cluster = await startServiceCluster()
    await cluster.network.serve(A, PORT, echo(A))
    const at = await cluster.reachable(await cluster.addService('web'))
    const leaving = { ready: false, serving: true, terminating: true }
    await cluster.setEndpoints('web', [
      { addresses: [A], conditions: leaving },
      { addresses: [B], conditions: { ready: false, serving: false } },
    ])
    expect(await ask(at, 'x')).toBe(`${A}:x`)
  })

  it('keeps a client at its endpoint with ClientIP affinity, until that is gone', async () => {
    await using cluster = await startServiceCluster()
    for (const address of [A, B]) await cluster.network.serve(address, PORT, echo(address))
    const service = await cluster.addService('web', { sessionAffinity: 'ClientIP' })
    await cluster.setEndpoints('web', [A, B])
    const at = await cluster.reachable(service)
    const first = await ask(at)
    for (let i = 0; i < 4; i++) expect(await ask(at)).toBe(first)
    const other = first === `${A}:` ? B : A
    await cluster.setEndpoints('web', [other])
    expect(await ask(at)).toBe(`${other}:`)
  })

  it('loses no byte in either direction, and passes ends on one by one', async () => {
    await using cluster = await startServiceCluster()
    await cluster.network.serve(A, PORT, (socket) => {
      socket.allowHalfOpen = true
      const hash = createHash('sha256')
      socket.on('data', (chunk) => hash.update(chunk))
      socket.on('end', () => socket.end(hash.digest('hex').repeat(50_000)))
    })
    const service = await cluster.addService('web')
    await cluster.setEndpoints('web', [A])
    const at = await cluster.reachable(service)
    const sent = randomBytes(4_000_000)
    const socket = await dialled(at)
    socket.end(sent)
    const heard: Buffer[] = []
    for await (const chunk of socket) heard.push(chunk as Buffer)
    const expected = createHash('sha256').update(sent).digest('hex').repeat(50_000)
    expect(Buffer.concat(heard).toString() === expected).toBe(true)
  })

  it('loses no request while its endpoints change one by one', async () => {
    await using cluster = await startServiceCluster()
    const service = await cluster.addService('web')
    const addresses = Array.from({ length: 6 }, (_, i) => `10.88.0.${20 + i}`)
    let running = await cluster.network.serve(addresses[0]!, PORT, echo('web'))
    await cluster.setEndpoints('web', [addresses[0]!])
    const at = await cluster.reachable(service)
    let rolling = true
    let answered = 0
    let asking = 0
    let held: Promise<void> | undefined
    const client = async () => {
      while (rolling) {
        await held
        asking += 1
        expect(await ask(at, 'x')).toBe('web:x')
        asking -= 1
        answered += 1
      }
    }
    // The kernel resets what a closed socket had not accepted yet, which is nobody's fault: nobody asks at that moment.
    const whileNobodyAsks = async (act: () => Promise<void>) => {
      let release = () => {}
      held = new Promise((resolve) => {
        release = resolve
      })
      await until(() => expect(asking).toBe(0))
      await act()
      held = undefined
      release()
    }
    const load = Promise.all([client(), client(), client(), client()])
    for (const [i, address] of addresses.slice(1).entries()) {
      const next = await cluster.network.serve(address, PORT, echo('web'))
      await cluster.setEndpoints('web', [addresses[i]!, address])
      // The old one is gone before its endpoint is: a connection to it is refused and goes to the other.
      await whileNobodyAsks(() => running.close())
      const target = answered + 20
      await until(() => expect(answered).toBeGreaterThan(target))
      await cluster.setEndpoints('web', [address])
      running = next
    }
    rolling = false
    await load
    expect(answered).toBeGreaterThan(100)
  })

  it('lets connections live when their endpoint or the Service is gone', async () => {
    await using cluster = await startServiceCluster()
    await cluster.network.serve(A, PORT, echo(A))
    const service = await cluster.addService('web')
    await cluster.setEndpoints('web', [A])
    const at = await cluster.reachable(service)
    const socket = await dialled(at)
    await once(socket, 'data')
    await cluster.setEndpoints('web', [])
    await cluster.client.delete(services, 'web', { namespace: 'default' })
    await until(async () => {
      await expect(dialled(at)).rejects.toThrow('ECONNREFUSED')
    })
    socket.write('still here')
    expect(String((await once(socket, 'data'))[0])).toBe('still here')
    socket.destroy()
  })

  it('carries UDP both ways', async () => {
    await using cluster = await startServiceCluster()
    const pod = await cluster.network.bindUdp(A, 5000)
    pod.on('message', (data, from) => pod.send(Buffer.from(`pod:${data}`), from.port, from.address))
    const service = await cluster.addService('udp', { ports: [{ port: 5000, protocol: 'UDP' }] })
    await cluster.setEndpoints('udp', [A], [{ port: 5000, protocol: 'UDP' }])
    const at = cluster.network.real(service.spec?.clusterIP ?? '', 5000)
    const socket = createSocket('udp4')
    const heard: string[] = []
    socket.on('message', (data) => heard.push(String(data)))
    await until(() => {
      socket.send('hello', at.port, at.host)
      expect(heard).toContain('pod:hello')
    })
    socket.close()
    pod.close()
  })
})

it('the kubernetes Service leads to the API server on the host', async () => {
  const server = createServer(echo('api')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  await using cluster = await startServiceCluster({ apiServer: { host: '127.0.0.1', port } })
  const service = await cluster.client.get(services, 'kubernetes', { namespace: 'default' })
  expect(await ask(await cluster.reachable(service, 443), 'x')).toBe('api:x')
  server.close()
})

describe('a NodePort', () => {
  it('is served on the host without a pod network, and comes when its port becomes free', async () => {
    const backend = createServer(echo('backend')).listen(0, '127.0.0.1')
    await once(backend, 'listening')
    const { port: backendPort } = backend.address() as { port: number }
    await using cluster = await startServiceCluster({ reach: 'none' })
    expect(cluster.network.claimed).toEqual([])
    const nodePort = 30_000 + (process.pid % 2000)
    const taken = createServer().listen(nodePort, '127.0.0.1')
    await once(taken, 'listening')
    await cluster.addService('web', { type: 'NodePort', ports: [{ port: 80, nodePort }] })
    await cluster.setEndpoints('web', [cluster.network.nodeAddress], [{ port: backendPort }])
    taken.close()
    await until(async () => expect(await ask({ host: '127.0.0.1', port: nodePort }, 'x')).toBe('backend:x'))
    backend.close()
  })
})
