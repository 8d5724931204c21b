/** A control plane for tests: the real API server over a memory store and real controllers, no sockets, nodes that are only played. */
import type { ResourceDefinition } from '../../src/api/definition.ts'
import { builtinDefinitions } from '../../src/api/definitions.ts'
import type { Node } from '../../src/api/types.ts'
import { type Clock, systemClock } from '../../src/base/clock.ts'
import { createLog, silentLog } from '../../src/base/log.ts'
import type { Client } from '../../src/client/client.ts'
import { createClient } from '../../src/client/create-client.ts'
import { createInProcessTransport } from '../../src/client/in-process.ts'
import { nodes } from '../../src/client/resources.ts'
import { builtinControllers } from '../../src/controllers/index.ts'
import type { Reconciler } from '../../src/reconcile/reconciler.ts'
import { createRunner } from '../../src/reconcile/runner.ts'
import type { ApiServer } from '../../src/server/contract.ts'
import { createApiServer } from '../../src/server/server.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import { createInformers, type Informers } from '../../src/watch/informers.ts'
import { playNodes } from './played-nodes.ts'

export interface TestCluster extends AsyncDisposable {
  client: Client
  informers: Informers
  /** What the played nodes do to a new pod; true by default: it becomes ready at once. */
  setReady(decide: (image: string) => boolean): void
  server: ApiServer
  stop(): Promise<void>
}

/** `nodeCount` ready nodes; all built-in controllers unless others are given; `clock` is the controllers' own. */
export async function startTestCluster(
  options: { nodeCount?: number; reconcilers?: Reconciler[]; clock?: Clock; definitions?: readonly ResourceDefinition[] } = {},
): Promise<TestCluster> {
  const log = process.env.SKIFF_TEST_LOG ? createLog({ write: (line) => process.stderr.write(line), level: 'debug' }) : silentLog
  const store = createMemoryStore()
  const { definitions = builtinDefinitions } = options
  const server = await createApiServer({ store, definitions, clock: systemClock, log })
  const door = server.inProcess({ name: 'system:admin', groups: ['system:masters', 'system:authenticated'] })
  const client = createClient(createInProcessTransport(door))
  const stopping = new AbortController()
  const signal = stopping.signal
  const informers = createInformers({ client, clock: systemClock, log, signal })
  const reconcilers = options.reconcilers ?? builtinControllers({ caCertificate: server.caCertificate })
  const runner = createRunner({ client, clock: options.clock ?? systemClock, log, reconcilers, informers, signal })
  const played = playNodes(client, informers)
  for (let i = 0; i < (options.nodeCount ?? 2); i++) await addNode(client, `node-${i}`)
  await runner.start()
  const stop = async () => {
    await runner.stop()
    played.stop()
    stopping.abort(new Error('the test is over'))
    await server.close()
    await store.close()
  }
  return { client, informers, server, setReady: played.setReady, stop, [Symbol.asyncDispose]: stop }
}

/** Registers a node that is ready. */
export async function addNode(client: Client, name: string, labels: Record<string, string> = {}): Promise<Node> {
  const node = await client.create(nodes, {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'kubernetes.io/hostname': name, ...labels } },
  })
  return setNodeReady(client, node.metadata.name ?? name, 'True')
}

export function setNodeReady(client: Client, name: string, status: string): Promise<Node> {
  const now = `${new Date().toISOString().slice(0, 19)}Z`
  const amounts = { cpu: '64', memory: '256Gi', pods: '5000' }
  const conditions = [{ type: 'Ready', status, reason: 'Played', lastHeartbeatTime: now, lastTransitionTime: now }]
  const patch = { status: { capacity: amounts, allocatable: amounts, conditions } }
  return client.patch(nodes, name, 'strategic', patch, { subresource: 'status' })
}
