/** A command's session over a client without sockets. */
import type { Session } from '../../src/cli/session.ts'
import type { Client } from '../../src/client/client.ts'
import { createDiscovery } from '../../src/client/discovery.ts'

export function sessionOf(client: Client, namespace = 'default'): Session {
  const { transport } = client
  const access = { server: 'https://in-process', namespace, contextName: 'in-process' }
  return { client, quiet: transport, discovery: createDiscovery(transport), access, env: {}, namespace, close: () => {} }
}
