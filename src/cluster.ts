/**
 * The composition root: joins store, API server, controllers, scheduler, nodes and network into one running cluster.
 * The only file that knows all parts; none of them knows it.
 */
import { setMaxListeners } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { AdmissionPlugin } from './api/admission.ts'
import type { ResourceDefinition } from './api/definition.ts'
import { type ApiServerFiles, readApiServerFiles } from './api-server-files.ts'
import { type Clock, systemClock } from './base/clock.ts'
import { type Log, silentLog } from './base/log.ts'
import type { Client } from './client/client.ts'
import { createClient } from './client/create-client.ts'
import { createInProcessTransport, type Door } from './client/in-process.ts'
import type { ClusterAccess } from './client/kubeconfig.ts'
import { serviceAccounts } from './client/resources.ts'
import type { ExtensionContext } from './extend/extension.ts'
import type { Node, NodeOptions, SharedNodeOptions } from './node/node.ts'
import type { Runtime } from './node/runtime/runtime.ts'
import type { Reconciler } from './reconcile/reconciler.ts'
import type { ApiServer } from './server/contract.ts'
import type { Store } from './store/store.ts'
import type { Informers } from './watch/informers.ts'

export type RuntimeName = 'local' | 'simulated' | 'none'

export interface ClusterOptions {
  /** Where images, pod files and, unless in memory, objects and keys lie. A temporary directory, removed at the end, without it. */
  dataDirectory?: string
  /** Keeps objects and keys in memory only. Default true without a data directory. */
  inMemory?: boolean
  /** 0, the default, takes a free port. */
  port?: number
  runtime?: RuntimeName
  /** How many nodes; the local runtime has one, and without any nothing runs. */
  nodes?: number
  /** Controllers and scheduler; default true. */
  controllers?: boolean
  /** What skiff adds to Kubernetes: admission and reconcilers of `extend`. Off, it is a stock server. Default: as the controllers. */
  extensions?: boolean
  /** For namespaces without the label skiff.dev/pin-images: whether images must be, or are where they can be, pinned to digests. */
  pinImages?: 'require' | 'warn' | 'off'
  /** What is particular about the API server: bearer tokens of your own, and the like. */
  apiServer?: ApiServerFiles
  clock?: Clock
  log?: Log
}

export interface Cluster {
  readonly url: string
  /** How to reach it as its administrator, for any client. */
  readonly access: ClusterAccess
  /** A client without sockets, as the administrator. */
  readonly client: Client
  /** How long the start took, to the default service account. */
  readonly readyMs: number
  readonly dataDirectory: string
  /** What is less than full about the runtime's isolation, in one sentence. */
  readonly notice: string | undefined
  /** Whether this host reaches Service and pod addresses itself; otherwise node ports on 127.0.0.1 are the way in. */
  readonly serviceAddresses: boolean
  /** Kubeconfig text with one context. */
  kubeconfig(contextName?: string): string
  /** Stops everything and waits for it. Nothing of it is left but the data directory, when one was given. */
  stop(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

const SERVICE_CIDR = '10.96.0.0/16'
/** The name server's place in the range of Service addresses, as kubeadm has it. */
const CLUSTER_DNS_INDEX = 10
const CLUSTER_DOMAIN = 'cluster.local'
const HOST = '127.0.0.1'
const ADMIN = { name: 'kubernetes-admin', groups: ['system:masters', 'system:authenticated'] }

/** Starts a cluster in this process. Several may run at once. Throws StoreUnavailable, or a one-line Error for a port in use. */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const startedAt = performance.now()
  const temporary = options.dataDirectory === undefined
  const dataDirectory = options.dataDirectory ?? mkdtempSync(path.join(tmpdir(), 'skiff-'))
  mkdirSync(dataDirectory, { recursive: true, mode: 0o700 })
  const stops: (() => Promise<void> | void)[] = []
  if (temporary) stops.push(() => rmSync(dataDirectory, { recursive: true, force: true }))
  let stopped: Promise<void> | undefined
  // The reverse of the order of starting; one part that fails to stop does not keep the others from it.
  const stop = () => {
    stopped ??= stopAll(stops)
    return stopped
  }
  try {
    const parts = await startParts({ ...options, dataDirectory, inMemory: options.inMemory ?? temporary }, stops)
    return { ...parts, dataDirectory, readyMs: performance.now() - startedAt, stop, [Symbol.asyncDispose]: stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function stopAll(stops: (() => Promise<void> | void)[]): Promise<void> {
  const failures: unknown[] = []
  for (const stopPart of stops.reverse()) {
    try {
      await stopPart()
    } catch (error) {
      failures.push(error)
    }
  }
  if (failures.length > 0)
    throw new AggregateError(failures, `the cluster did not stop cleanly: ${(failures[0] as Error).message}`)
}

type Settled = ClusterOptions & { dataDirectory: string; inMemory: boolean }

async function startParts(options: Settled, stops: (() => Promise<void> | void)[]) {
  const { clock = systemClock, log = silentLog, dataDirectory, inMemory, controllers = true, nodes = 1 } = options
  const runtime = nodes === 0 ? 'none' : (options.runtime ?? 'local')
  if (runtime === 'local' && nodes > 1) throw new Error(`the local runtime has one node; ${nodes} nodes need the simulated one`)
  const store = await openStore(options)
  stops.push(() => store.close())
  const serviceCidr = await serviceRange({ ...options, runtime }, stops)
  const stopping = new AbortController()
  // Every informer listens for the end.
  setMaxListeners(0, stopping.signal)
  const admin = lateDoor()
  const client = createClient(createInProcessTransport(admin.door))
  const [{ createInformers }, { lateConnect }] = await Promise.all([
    import('./watch/informers.ts'),
    import('./network/connect.ts'),
  ])
  const { connect, through } = lateConnect()
  const informers = createInformers({ client, clock, log, signal: stopping.signal })
  const extensions =
    (options.extensions ?? controllers)
      ? await startExtensions({ client, informers, clock, log: log.named('extensions'), connect }, options)
      : undefined
  const [{ createApiServer }, definitions] = await Promise.all([
    import('./server/server.ts'),
    servedDefinitions({ extensions: extensions !== undefined, metrics: controllers || runtime !== 'none' }),
  ])
  const server = await createApiServer({
    ...{ store, definitions, clock, log: log.named('apiserver'), serviceCidr },
    ...(!inMemory && { pkiDirectory: path.join(dataDirectory, 'pki') }),
    ...(extensions && { admission: extensions.admission }),
    ...(await readApiServerFiles(options.apiServer ?? {})),
  })
  stops.push(() => server.close())
  const { url, port } = await server.listen({ host: HOST, port: options.port ?? 0 })
  admin.open(server.inProcess(ADMIN))
  stops.push(() => stopping.abort(new Error('the cluster is stopping')))
  const parts = { ...options, clock, log, server, client, informers, port, serviceCidr }
  const reconcilers: Reconciler[] = [...(extensions?.reconcilers ?? [])]
  if (controllers) {
    const { builtinControllers } = await import('./controllers/index.ts')
    reconcilers.push(
      ...builtinControllers({
        caCertificate: server.caCertificate,
        signCertificate: (request) => server.signCertificate(request),
      }),
    )
  }
  await startReconcilers(parts, reconcilers, stops)
  const firstRuntime = runtime === 'none' ? undefined : await startNodes(parts, runtime, stops)
  if (firstRuntime) through(firstRuntime.network)
  if (controllers) await defaultServiceAccount(client)
  const certificate = await server.issueClientCertificate(ADMIN.name, ['system:masters'])
  const access: ClusterAccess = {
    ...{ server: url, ca: server.caCertificate, clientCertificate: certificate.certificate, clientKey: certificate.key },
    ...{ namespace: 'default', contextName: 'skiff' },
  }
  const notice = firstRuntime?.info.notice
  const serviceAddresses = firstRuntime?.network.reach === 'host'
  return {
    url,
    access,
    client,
    notice,
    serviceAddresses,
    kubeconfig: (contextName = 'skiff') => kubeconfigText(access, contextName),
  }
}

interface Parts extends Settled {
  clock: Clock
  log: Log
  server: ApiServer
  client: Client
  informers: Informers
  port: number
  serviceCidr: string
}

/** An API server that is alone, without controllers and nodes, serves what Kubernetes' own does and no more. */
async function servedDefinitions(more: { extensions: boolean; metrics: boolean }): Promise<ResourceDefinition[]> {
  const [{ builtinDefinitions }, { metricsDefinitions }, { skiffDefinitions }] = await Promise.all([
    import('./api/definitions.ts'),
    import('./api/kinds/metrics.ts'),
    import('./api/kinds/name-review.ts'),
  ])
  return [...builtinDefinitions, ...(more.metrics ? metricsDefinitions : []), ...(more.extensions ? skiffDefinitions : [])]
}

/** A door to a server that is made later: what the server itself needs at its start may talk to it afterwards. */
function lateDoor(): { door: Door; open(door: Door): void } {
  let opened: Door | undefined
  const to = (): Door => {
    if (!opened) throw new Error('the API server has not started yet')
    return opened
  }
  const door: Door = {
    request: async (request) => to().request(request),
    watch: async (request, deliver) => to().watch(request, deliver),
    stream: async (request) => to().stream(request),
  }
  return {
    door,
    open: (real) => {
      opened = real
    },
  }
}

/**
 * The usual range, or another where a cluster beside this one has it. Kept with the objects that have addresses of it.
 */
async function serviceRange(
  { runtime = 'local', inMemory, dataDirectory }: Settled,
  stops: (() => Promise<void> | void)[],
): Promise<string> {
  const file = path.join(dataDirectory, 'service-range')
  const kept = !inMemory && existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined
  let range = kept ?? SERVICE_CIDR
  // A normal user's addresses are those of a network of their own.
  if (runtime === 'local' && process.getuid?.() === 0) {
    const { claimServiceRange } = await import('./network/free-range.ts')
    const claimed = await claimServiceRange(kept)
    stops.push(() => claimed.release())
    range = claimed.range
  }
  if (!inMemory && kept === undefined) writeFileSync(file, `${range}\n`)
  return range
}

async function openStore({ inMemory, dataDirectory, clock = systemClock }: Settled): Promise<Store> {
  if (inMemory) return (await import('./store/memory.ts')).createMemoryStore({ clock })
  return (await import('./store/disk.ts')).openDiskStore(path.join(dataDirectory, 'store'), { clock })
}

/** Admission and reconcilers of every extension. */
async function startExtensions(
  context: ExtensionContext,
  { pinImages }: Settled,
): Promise<{ admission: AdmissionPlugin[]; reconcilers: Reconciler[] }> {
  const { builtinExtensions } = await import('./extend/index.ts')
  const all = builtinExtensions({ pinImages })
  return {
    admission: all.flatMap((extension) => extension.admission?.(context) ?? []),
    reconcilers: all.flatMap((extension) => extension.reconcilers?.(context) ?? []),
  }
}

/** The reconcilers, and with the controllers the scheduler. */
async function startReconcilers(
  parts: Parts,
  reconcilers: readonly Reconciler[],
  stops: (() => Promise<void> | void)[],
): Promise<void> {
  if (reconcilers.length === 0) return
  const { client, informers, clock, log, controllers = true } = parts
  const [{ createRunner }, { createEventRecorder }] = await Promise.all([
    import('./reconcile/runner.ts'),
    import('./reconcile/recorder.ts'),
  ])
  const recorder = createEventRecorder({ client, clock, log, instance: 'skiff' })
  const runner = createRunner({ client, clock, log, reconcilers, informers, recorder })
  stops.push(() => runner.stop())
  await runner.start()
  if (!controllers) return
  const { createScheduler } = await import('./scheduler/scheduler.ts')
  const scheduler = createScheduler({ client, informers, clock, log: log.named('scheduler'), recorder })
  stops.push(() => scheduler.stop())
  await scheduler.start()
}

async function startNodes(
  parts: Parts,
  kind: 'local' | 'simulated',
  stops: (() => Promise<void> | void)[],
): Promise<Runtime | undefined> {
  const { createNodes } = await import('./node/node.ts')
  const { client, informers, clock, log, server, port, dataDirectory, serviceCidr } = parts
  const { addressIn } = await import('./network/free-range.ts')
  const clusterDns = addressIn(serviceCidr, CLUSTER_DNS_INDEX)
  const each = kind === 'simulated' ? await simulatedNodes(parts) : [await localNode(parts)]
  const network = each[0]?.runtime.network
  const shared: SharedNodeOptions = {
    ...{ client, informers, clock, log: log.named('node'), version: 'v1.36.0+skiff', clusterDomain: CLUSTER_DOMAIN },
    ...{ apiServer: { host: HOST, port } },
    ...(network?.reach !== 'none' && { clusterDns: [clusterDns] }),
  }
  const nodes: Node[] = createNodes(each, shared)
  stops.push(() => rmSync(path.join(dataDirectory, 'nodes'), { recursive: true, force: true }))
  if (parts.controllers ?? true) {
    const { startLocalStorage } = await import('./node/volume/local-storage.ts')
    const storage = { directory: path.join(dataDirectory, 'volumes'), temporary: parts.inMemory, writesFiles: kind === 'local' }
    const nodeNames = nodes.map(({ name }) => name)
    stops.push(await startLocalStorage({ client, informers, clock, log: log.named('storage'), nodeNames, ...storage }))
  }
  for (const node of nodes) {
    const disconnect = server.connectNode(node.name, node.streams)
    stops.push(async () => {
      await node.stop({ remove: true, farewell: false })
      disconnect()
    })
  }
  await Promise.all(nodes.map((node) => node.start()))
  if (network && kind === 'local') {
    const { createServiceNetwork } = await import('./network/service-network.ts')
    const services = createServiceNetwork({
      ...{ informers, network, clock, log: log.named('network'), serviceCidr },
      ...{ clusterDnsAddress: clusterDns, clusterDomain: CLUSTER_DOMAIN, nodeAddresses: [network.nodeAddress] },
      apiServer: { host: HOST, port },
    })
    stops.push(() => services.stop())
    await services.start()
  }
  return each[0]?.runtime
}

async function simulatedNodes({ clock, dataDirectory, nodes = 1 }: Parts): Promise<NodeOptions[]> {
  const { createSimulatedRuntime } = await import('./node/runtime/simulated/simulated.ts')
  return Array.from({ length: nodes }, (_, i) => {
    const name = nodes === 1 ? 'skiff' : `skiff-${i + 1}`
    const runtime: Runtime = createSimulatedRuntime({ clock, podCidr: `10.${128 + (i >> 8)}.${i & 255}.0/24` })
    return { name, runtime, dataDirectory: path.join(dataDirectory, 'nodes', name) }
  })
}

async function localNode({ clock, log, dataDirectory }: Parts): Promise<NodeOptions> {
  const { createLocalRuntime } = await import('./node/runtime/local/local.ts')
  const runtime = await createLocalRuntime({ dataDirectory, clock, log: log.named('runtime') })
  return { name: 'skiff', runtime, dataDirectory: path.join(dataDirectory, 'nodes', 'skiff') }
}

/** Resolves when pods can be created in `default`: its service account is there. */
async function defaultServiceAccount(client: Client): Promise<void> {
  const found = new AbortController()
  const only = { namespace: 'default', fieldSelector: 'metadata.name=default', signal: found.signal }
  const list = await client.list(serviceAccounts, only)
  if (list.items.length > 0) return
  for await (const events of client.watch(serviceAccounts, { ...only, resourceVersion: list.metadata.resourceVersion })) {
    if (events.some((event) => event.type === 'ADDED')) break
  }
}

function kubeconfigText(access: ClusterAccess, name: string): string {
  const base64 = (text: string | undefined) => Buffer.from(text ?? '').toString('base64')
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    clusters: [{ name, cluster: { server: access.server, 'certificate-authority-data': base64(access.ca) } }],
    users: [
      {
        name,
        user: { 'client-certificate-data': base64(access.clientCertificate), 'client-key-data': base64(access.clientKey) },
      },
    ],
    contexts: [{ name, context: { cluster: name, user: name, namespace: 'default' } }],
  }
  return `${JSON.stringify(config, null, 2)}\n`
}
