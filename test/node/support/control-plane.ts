/** A real API server in this process, on a memory store, without sockets, for tests of the node agent. */
import { builtinDefinitions } from '../../../src/api/definitions.ts'
import { type Clock, systemClock } from '../../../src/base/clock.ts'
import { createLog, type Log, silentLog } from '../../../src/base/log.ts'
import type { Client } from '../../../src/client/client.ts'
import { createClient } from '../../../src/client/create-client.ts'
import { createInProcessTransport } from '../../../src/client/in-process.ts'
import { serviceAccounts } from '../../../src/client/resources.ts'
import { createApiServer } from '../../../src/server/server.ts'
import { createMemoryStore } from '../../../src/store/memory.ts'

export interface ControlPlane {
  /** An administrator's. */
  client: Client
  /** What a node agent would have. */
  nodeClient(name: string): Client
  clock: Clock
  log: Log
  close(): Promise<void>
}

export async function startControlPlane(clock: Clock = systemClock): Promise<ControlPlane> {
  const log = process.env.DEBUG ? createLog({ write: (line) => process.stderr.write(line), level: 'debug' }) : silentLog
  const store = createMemoryStore()
  const server = await createApiServer({ store, definitions: builtinDefinitions, clock, log })
  const clientOf = (name: string, group: string) =>
    createClient(createInProcessTransport(server.inProcess({ name, groups: [group, 'system:authenticated'] }) as never))
  const client = clientOf('admin', 'system:masters')
  // What a controller would have made.
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: 'default' } }
  await client.create(serviceAccounts, account)
  return {
    client,
    nodeClient: (name) => clientOf(`system:node:${name}`, 'system:nodes'),
    clock,
    log,
    async close() {
      await server.close()
      await store.close()
    },
  }
}
