/** A command's connection to the cluster that its flags and the kubeconfig name. */
import type { Client } from '../client/client.ts'
import { createClient } from '../client/create-client.ts'
import { createDiscovery, type Discovery } from '../client/discovery.ts'
import { cacheDirectory, createDiscoveryCache } from '../client/discovery-cache.ts'
import { createHttpTransport } from '../client/http.ts'
import { type ClusterAccess, loadKubeconfig } from '../client/kubeconfig.ts'
import type { Transport } from '../client/transport.ts'
import { type Io, writeLine } from './io.ts'

/** The flags that every command has. */
export interface GlobalOptions {
  kubeconfig?: string | undefined
  context?: string | undefined
  namespace?: string | undefined
}

export interface Session {
  readonly client: Client
  /** Like the client's own, but the server's warnings are not printed: for questions that the user did not ask. */
  readonly quiet: Transport
  readonly discovery: Discovery
  readonly access: ClusterAccess
  readonly env: NodeJS.ProcessEnv
  /** Of the flag, the context, or `default`. */
  readonly namespace: string
  close(): void
}

/** A cluster and a namespace of it: all that most commands need. */
export type Place = Pick<Session, 'client' | 'namespace'>

/** Throws KubeconfigError. The server is not spoken to yet; its warnings will be printed as they come. */
export async function connect(options: GlobalOptions, io: Io): Promise<Session> {
  const { kubeconfig, context, namespace } = options
  const access = await loadKubeconfig({ kubeconfig, context, namespace, env: io.env })
  const quiet = createHttpTransport(access)
  const directory = cacheDirectory(io.env)
  const client = createClient(warning(quiet, io))
  return {
    client,
    quiet,
    discovery: createDiscovery(quiet, directory === undefined ? undefined : createDiscoveryCache(directory, access)),
    access,
    env: io.env,
    namespace: access.namespace,
    close: () => client.transport.close(),
  }
}

/** Runs `work` with a session that is closed afterwards, however it ends. */
export async function withSession<T>(options: GlobalOptions, io: Io, work: (session: Session) => Promise<T>): Promise<T> {
  const session = await connect(options, io)
  try {
    return await work(session)
  } finally {
    session.close()
  }
}

function warning(transport: Transport, io: Io): Transport {
  return {
    ...transport,
    async request(request) {
      const response = await transport.request(request)
      for (const text of response.warnings) writeLine(io.stderr, `Warning: ${text}`)
      return response
    },
  }
}
