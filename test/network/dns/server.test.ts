import { createSocket } from 'node:dgram'
import { promises } from 'node:dns'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { services } from '../../../src/client/resources.ts'
import { createFrames, frame } from '../../../src/network/dns/frames.ts'
import { decodeAddresses, decodeQuery, encodeAnswer, encodeQuery, TYPE } from '../../../src/network/dns/message.ts'
import { until } from '../../controllers/until.ts'
import { dialled, startServiceCluster } from '../service-cluster.ts'

async function startDns(nameservers: () => string[] = () => []) {
  const cluster = await startServiceCluster({ nameservers })
  const at = cluster.network.real('10.96.0.10', 53)
  const resolver = new promises.Resolver({ timeout: 5000, tries: 1 })
  resolver.setServers([`${at.host}:${at.port}`])
  const known = (name: string) => until(() => expect(cluster.informers.get(services).store.get(`default/${name}`)).toBeDefined())
  return { cluster, at, resolver, known }
}

describe('cluster DNS', () => {
  it('answers for ClusterIP Services', async () => {
    const { cluster, resolver, known } = await startDns()
    await using _ = cluster
    const service = await cluster.addService('web', {
      ports: [
        { name: 'http', port: 80 },
        { name: 'metrics', port: 9090 },
      ],
    })
    await known('web')
    const address = service.spec?.clusterIP ?? ''
    expect(await resolver.resolve4('WEB.default.svc.cluster.local', { ttl: true })).toEqual([{ address, ttl: 5 }])
    await expect(resolver.resolve6('web.default.svc.cluster.local')).rejects.toThrow('ENODATA')
    expect(await resolver.resolveSrv('_metrics._tcp.web.default.svc.cluster.local')).toEqual([
      { name: 'web.default.svc.cluster.local', port: 9090, priority: 0, weight: 100 },
    ])
    expect(await resolver.reverse(address)).toEqual(['web.default.svc.cluster.local'])
    for (const unknown of ['no.default.svc', 'web.other.svc', 'x.web.default.svc', '_no._tcp.web.default.svc', 'web']) {
      await expect(resolver.resolve4(`${unknown}.cluster.local`), unknown).rejects.toThrow('ENOTFOUND')
    }
    await expect(resolver.reverse('10.96.200.200')).rejects.toThrow('ENOTFOUND')
    await expect(resolver.resolve4('default.svc.cluster.local')).rejects.toThrow('ENODATA')
  })

  it('answers for headless Services, their instances, and pods', async () => {
    const { cluster, resolver, known } = await startDns()
    await using _ = cluster
    await cluster.addService('db', { clusterIP: 'None', ports: [{ name: 'sql', port: 5432 }] })
    await known('db')
    await expect(resolver.resolve4('db.default.svc.cluster.local')).rejects.toThrow('ENOTFOUND')
    const ready = { ready: true }
    await cluster.setEndpoints(
      'db',
      [
        { addresses: ['10.88.0.2'], hostname: 'db-0', conditions: ready },
        { addresses: ['10.88.0.3'], conditions: ready },
        { addresses: ['10.88.0.4'], hostname: 'db-2', conditions: { ready: false } },
      ],
      [{ name: 'sql', port: 5432 }],
    )
    expect((await resolver.resolve4('db.default.svc.cluster.local')).sort()).toEqual(['10.88.0.2', '10.88.0.3'])
    expect(await resolver.resolve4('db-0.db.default.svc.cluster.local')).toEqual(['10.88.0.2'])
    expect(await resolver.resolve4('10-88-0-3.db.default.svc.cluster.local')).toEqual(['10.88.0.3'])
    await expect(resolver.resolve4('db-2.db.default.svc.cluster.local')).rejects.toThrow('ENOTFOUND')
    const names = (await resolver.resolveSrv('_sql._tcp.db.default.svc.cluster.local')).map(({ name, port }) => `${name}:${port}`)
    expect(names.sort()).toEqual(['10-88-0-3.db.default.svc.cluster.local:5432', 'db-0.db.default.svc.cluster.local:5432'])
    expect(await resolver.reverse('10.88.0.2')).toEqual(['db-0.db.default.svc.cluster.local'])
    expect(await resolver.resolve4('1-2-3-4.default.pod.cluster.local')).toEqual(['1.2.3.4'])
  })

  it('gives an answer too large for UDP by TCP', async () => {
    const { cluster, at, resolver, known } = await startDns()
    await using _ = cluster
    await cluster.addService('many', { clusterIP: 'None' })
    await known('many')
    const addresses = Array.from({ length: 100 }, (_, i) => `10.88.1.${i + 1}`)
    await cluster.setEndpoints('many', addresses)
    expect((await resolver.resolve4('many.default.svc.cluster.local')).sort()).toEqual(addresses.sort())
    const socket = await dialled(at)
    const query = frame(encodeQuery(7, ['many', 'default', 'svc', 'cluster', 'local'], TYPE.A))
    const answers: Buffer[] = []
    socket.on(
      'data',
      createFrames((answer) => answers.push(answer)),
    )
    for (const byte of Buffer.concat([query, query])) socket.write(Buffer.from([byte]))
    await until(() => expect(answers).toHaveLength(2))
    expect(decodeAddresses(answers[1]!).addresses).toHaveLength(100)
    socket.destroy()
  })

  it('asks the host’s nameservers for the rest, and fails at once without any', async () => {
    const outside = createSocket('udp4')
    outside.on('message', (message, from) => {
      const query = decodeQuery(message)!
      const answers = [{ type: TYPE.A, name: query.name, address: '192.0.2.1', ttlSeconds: 60 }]
      outside.send(encodeAnswer(query, { rcode: 0, authoritative: false, answers, authority: [] }, 512), from.port, from.address)
    })
    outside.bind(0, '127.0.0.1')
    await once(outside, 'listening')
    let servers: string[] = []
    const { cluster, resolver, known } = await startDns(() => servers)
    await using _ = cluster
    await cluster.addService('outside', { type: 'ExternalName', externalName: 'api.example.com' })
    await known('outside')
    await expect(resolver.resolve4('example.com')).rejects.toThrow('ESERVFAIL')
    // The first refuses, so the second is asked.
    servers = ['127.0.0.1:9', `127.0.0.1:${outside.address().port}`]
    expect(await resolver.resolve4('example.com')).toEqual(['192.0.2.1'])
    expect(await resolver.resolveCname('outside.default.svc.cluster.local')).toEqual(['api.example.com'])
    expect(await resolver.resolve4('outside.default.svc.cluster.local')).toEqual(['192.0.2.1'])
    outside.close()
  })

  it('survives anything', async () => {
    const { cluster, at, resolver } = await startDns()
    await using _ = cluster
    const socket = createSocket('udp4')
    const good = encodeQuery(1, ['kubernetes', 'default', 'svc', 'cluster', 'local'], TYPE.A)
    for (let length = 0; length < good.length; length++) socket.send(good.subarray(0, length), at.port, at.host)
    for (let i = 0; i < good.length; i++) {
      for (const value of [0, 0x3f, 0x40, 0xc0, 0xff]) {
        const bad = Buffer.from(good)
        bad[i] = value
        socket.send(bad, at.port, at.host)
      }
    }
    expect(await resolver.resolve4('kubernetes.default.svc.cluster.local')).toHaveLength(1)
    socket.close()
  })
})
