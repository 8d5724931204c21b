/** Opens and closes listeners so that they are what the Services say. One Service at a time, by its key. */
import type { Socket } from 'node:net'
import type { PodNetwork } from '../api/pod-network.ts'
import type { Service } from '../api/types.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { type ApiServerAddress, type Backend, createBackend, fixedBackend } from './backend.ts'
import type { EndpointsView } from './endpoints-view.ts'
import { bindUdpOnHost, listenOnHost } from './host-listen.ts'
import { type Closable, type KeptOpen, keepOpen } from './keep-open.ts'
import { type ListenerPlan, type ListenerSites, listenerKey, planListeners } from './plan-listeners.ts'
import type { TcpProxy } from './tcp-proxy.ts'
import { type OpenUpstream, serveUdp } from './udp-proxy.ts'

const API_SERVICE = 'default/kubernetes'

export interface ServiceListenersOptions {
  network: PodNetwork
  sites: ListenerSites
  apiServer: ApiServerAddress
  view: EndpointsView
  proxy: TcpProxy
  openUpstream: OpenUpstream
  clock: Clock
  log: Log
}

interface Listener {
  plan: ListenerPlan
  kept: KeptOpen
}

export function createServiceListeners(options: ServiceListenersOptions) {
  const { network, sites, view, proxy, clock, log } = options
  const open = new Map<string, { service: Service | undefined; unsupported: string; listeners: Map<string, Listener> }>()

  function listen(plan: ListenerPlan, backend: Backend): Promise<Closable> {
    const { address, port } = plan
    const accept = (socket: Socket) => proxy.accept(socket, backend)
    if (plan.protocol === 'UDP') return listenUdp(plan, backend)
    const failed = (error: Error) => log.warn('a connection was not accepted', { service: backend.service, error })
    return plan.place === 'host' ? listenOnHost(address, port, accept, failed) : network.listen(address, port, accept)
  }

  async function listenUdp({ place, address, port }: ListenerPlan, backend: Backend): Promise<Closable> {
    const socket = await (place === 'host' ? bindUdpOnHost(address, port) : network.bindUdp(address, port))
    return serveUdp({ socket, backend, open: options.openUpstream, clock, log })
  }

  function start(key: string, entry: { service: Service | undefined }, plan: ListenerPlan): Listener {
    const listener = { plan } as Listener
    const backend =
      key === API_SERVICE
        ? fixedBackend(key, options.apiServer)
        : createBackend({
            key,
            service: () => entry.service,
            portName: () => listener.plan.portName,
            protocol: plan.protocol,
            view,
            clock,
          })
    const failed = (error: unknown) =>
      log.warn('a Service cannot be served yet', { service: key, listener: listenerKey(plan), error })
    listener.kept = keepOpen({ open: () => listen(plan, backend), clock, failed })
    return listener
  }

  return {
    /** Makes the listeners of the Service what they should be. Resolves when each new one was tried once and old ones are closed. */
    async apply(key: string, service: Service | undefined): Promise<void> {
      const entry = open.get(key) ?? { service, unsupported: '', listeners: new Map<string, Listener>() }
      entry.service = service
      const { listeners, unsupported } = service ? planListeners(service, sites) : { listeners: [], unsupported: [] }
      if (service) open.set(key, entry)
      else open.delete(key)
      const said = unsupported.join(', ')
      if (said && said !== entry.unsupported) log.warn('parts of a Service are not supported', { service: key, fields: said })
      entry.unsupported = said
      const wanted = new Map(listeners.map((plan) => [listenerKey(plan), plan]))
      const closing: Promise<void>[] = []
      for (const [id, listener] of entry.listeners) {
        if (wanted.has(id)) continue
        entry.listeners.delete(id)
        closing.push(listener.kept.close())
      }
      for (const [id, plan] of wanted) {
        const listener = entry.listeners.get(id)
        if (listener) listener.plan = plan
        else entry.listeners.set(id, start(key, entry, plan))
      }
      await Promise.all([...closing, ...[...entry.listeners.values()].map(({ kept }) => kept.tried)])
    },
    async stop(): Promise<void> {
      const all = [...open.values()].flatMap(({ listeners }) => [...listeners.values()])
      open.clear()
      await Promise.all(all.map(({ kept }) => kept.close()))
    },
  }
}
