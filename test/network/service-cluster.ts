/** The real API server with the Service network over loopback sockets; EndpointSlices are written by the tests. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { PodNetwork } from '../../src/api/pod-network.ts'
import type { Endpoint, Service, ServicePort } from '../../src/api/types.ts'
import { systemClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { endpointSlices, services } from '../../src/client/resources.ts'
import { createServiceNetwork } from '../../src/network/service-network.ts'
import { startTestCluster } from '../controllers/cluster.ts'
import { until } from '../controllers/until.ts'
import { createLoopbackNetwork } from './loopback-network.ts'

export const PORT = 8080

export async function startServiceCluster(
  options: { reach?: PodNetwork['reach']; apiServer?: { host: string; port: number }; nameservers?: () => string[] } = {},
) {
  const cluster = await startTestCluster({ nodeCount: 0, reconcilers: [] })
  const { client, informers } = cluster
  const network = createLoopbackNetwork(options.reach)
  const serviceNetwork = createServiceNetwork({
    informers,
    network,
    clock: systemClock,
    log: silentLog,
    serviceCidr: '10.96.0.0/16',
    clusterDnsAddress: '10.96.0.10',
    clusterDomain: 'cluster.local',
    nodeAddresses: ['127.0.0.1'],
    apiServer: options.apiServer ?? { host: '127.0.0.1', port: 1 },
    nameservers: () => Promise.resolve(options.nameservers?.() ?? []),
  })
  await serviceNetwork.start()

  const addService = (name: string, spec: Service['spec'] = {}) =>
    client.create(services, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace: 'default' },
      spec: spec.type === 'ExternalName' ? spec : { ports: [{ port: 80, targetPort: PORT }], ...spec },
    })

  /** Replaces the Service's endpoints; addresses alone are ready ones. */
  async function setEndpoints(
    name: string,
    given: readonly (string | Endpoint)[],
    ports: Pick<ServicePort, 'name' | 'port' | 'protocol'>[] = [{ port: PORT }],
  ) {
    const endpoints = given.map((one) => (typeof one === 'string' ? { addresses: [one], conditions: { ready: true } } : one))
    const metadata = { name: `${name}-1`, namespace: 'default', labels: { 'kubernetes.io/service-name': name } }
    const slice = {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata,
      addressType: 'IPv4',
      endpoints,
      ports: ports.map((port) => ({ name: '', protocol: 'TCP', ...port })),
    }
    const cached = informers.get(endpointSlices).store.get(`default/${name}-1`)
    const resourceVersion = cached?.metadata.resourceVersion
    const written = resourceVersion
      ? await client.update(endpointSlices, { ...slice, metadata: { ...metadata, resourceVersion } })
      : await client.create(endpointSlices, slice)
    await until(() => {
      const seen = informers.get(endpointSlices).store.get(`default/${name}-1`)?.metadata.resourceVersion
      if (seen !== written.metadata.resourceVersion) throw new Error('the change was not seen yet')
    })
  }

  /** The Service's address as a client on this host reaches it, once it is served. */
  async function reachable(service: Service, port = 80) {
    const at = network.real(service.spec?.clusterIP ?? '', port)
    await until(async () => {
      try {
        const socket = await dialled(at)
        socket.destroy()
      } catch (error) {
        // Somebody is there, and has no endpoint.
        if ((error as NodeJS.ErrnoException).code !== 'ECONNRESET') throw error
      }
    })
    return at
  }

  return {
    ...cluster,
    network,
    addService,
    setEndpoints,
    reachable,
    async [Symbol.asyncDispose]() {
      await serviceNetwork.stop()
      await cluster.stop()
    },
  }
}

export async function dialled(at: { host: string; port: number }): Promise<Socket> {
  const socket = connect({ ...at, allowHalfOpen: true })
  await once(socket, 'connect')
  return socket
}

/** Everything the other side says until its end; rejects when it resets. */
export async function ask(at: { host: string; port: number }, text = ''): Promise<string> {
  const socket = await dialled(at)
  socket.end(text)
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

/** A server that says its name and then what it heard, when the client has ended. */
export function echo(name: string) {
  return (socket: Socket) => {
    socket.allowHalfOpen = true
    socket.on('error', () => socket.destroy())
    socket.write(`${name}:`)
    socket.pipe(socket)
  }
}
