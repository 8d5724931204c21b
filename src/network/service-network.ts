/**
 * Services and cluster DNS, in this process: what kube-proxy and CoreDNS are elsewhere.
 * Reads Services and EndpointSlices through informers and reaches pods through PodNetwork; knows neither nodes nor runtimes.
 */
import type { PodNetwork } from '../api/pod-network.ts'
import type { Service } from '../api/types.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { endpointSlices, services } from '../client/resources.ts'
import type { Informers } from '../watch/informers.ts'
import type { ApiServerAddress } from './backend.ts'
import { createDial } from './dial.ts'
import { hostNameservers } from './dns/nameservers.ts'
import { createDnsServer } from './dns/server.ts'
import { createZone } from './dns/zone.ts'
import { createEndpointsView } from './endpoints-view.ts'
import { bindUdpOnHost } from './host-listen.ts'
import { type KeptOpen, keepOpen } from './keep-open.ts'
import { createServiceListeners } from './service-listeners.ts'
import { createTcpProxy } from './tcp-proxy.ts'
import type { OpenUpstream } from './udp-proxy.ts'

const ANY_ADDRESS = '0.0.0.0'
const LOOPBACK = '127.0.0.1'

export interface ServiceNetworkOptions {
  informers: Informers
  network: PodNetwork
  clock: Clock
  log: Log
  /** The range of ClusterIPs, e.g. `10.96.0.0/16`. */
  serviceCidr: string
  clusterDnsAddress: string
  clusterDomain: string
  /** Addresses of this host: endpoints there are dialled at 127.0.0.1, and NodePorts are served there. */
  nodeAddresses: readonly string[]
  /** Where the `default/kubernetes` Service leads, as the host reaches it. */
  apiServer: ApiServerAddress
  /** Where names outside the cluster are asked, `address` or `address:port`; by default the host's own /etc/resolv.conf, read at each question. */
  nameservers?: () => Promise<readonly string[]>
}

export interface ServiceNetwork {
  /** Resolves when every Service that exists is served, or was tried once. */
  start(): Promise<void>
  /** Closes listeners and connections. */
  stop(): Promise<void>
}

export function createServiceNetwork(options: ServiceNetworkOptions): ServiceNetwork {
  const { informers, network, clock, nodeAddresses, apiServer } = options
  const log = options.log.named('network')
  const view = createEndpointsView(informers)
  const loopback = new Set([...nodeAddresses, network.nodeAddress])
  const dial = createDial({ network, loopback, host: new Set([apiServer.host]), clock })
  const proxy = createTcpProxy({ dial, log })
  const openUpstream: OpenUpstream = async ({ address }) =>
    loopback.has(address)
      ? { socket: await bindUdpOnHost(LOOPBACK, 0), address: LOOPBACK }
      : { socket: await network.bindUdp(ANY_ADDRESS, 0), address }
  const sites = { reach: network.reach, nodeAddress: network.nodeAddress, nodeAddresses }
  const listeners = createServiceListeners({ network, sites, apiServer, view, proxy, openUpstream, clock, log })
  const informer = informers.get(services)
  const starting = new Set<Promise<void>>()
  let dns: KeptOpen | undefined
  let unsubscribe = () => {}

  function changed(key: string, service: Service | undefined): void {
    const applied = listeners
      .apply(key, service)
      .catch((error: unknown) => log.error('a Service was not served', { service: key, error }))
    starting.add(applied)
    void applied.finally(() => starting.delete(applied))
  }

  function openDns(): KeptOpen {
    const { clusterDnsAddress: address, clusterDomain, serviceCidr } = options
    const zone = createZone({ informers, view, clusterDomain, ranges: [serviceCidr, network.podCidr] })
    const nameservers = options.nameservers ?? (() => hostNameservers([address]))
    const server = createDnsServer({ zone, nameservers, clock, log })
    const failed = (error: unknown) => log.warn('cluster DNS cannot be served yet', { address, error })
    return keepOpen({ open: () => server.listen(network, address), clock, failed })
  }

  return {
    async start() {
      if (network.reach !== 'none') await network.claimRange(options.serviceCidr)
      await Promise.all([informer.whenSynced(), informers.get(endpointSlices).whenSynced()])
      unsubscribe = informer.subscribe(({ key, object }) => changed(key, object))
      if (network.reach !== 'none') dns = openDns()
      await Promise.all([...starting, dns?.tried])
    },
    async stop() {
      unsubscribe()
      view.stop()
      await Promise.all([listeners.stop(), dns?.close()])
      proxy.stop()
    },
  }
}
