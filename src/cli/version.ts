/** `skiff version`. */
import type { Host } from './host.ts'
import { type Io, writeLine } from './io.ts'
import { type GlobalOptions, withSession } from './session.ts'

export async function runVersion(
  options: GlobalOptions & { clientOnly: boolean; json: boolean },
  io: Io,
  host: Host,
): Promise<number> {
  // The own version is printed even when the server does not answer.
  if (!options.json) writeLine(io.stdout, `skiff ${host.version}`)
  const server = options.clientOnly
    ? undefined
    : await withSession(
        options,
        io,
        async ({ client }) => (await client.transport.request({ method: 'GET', path: '/version' })).object,
      )
  if (options.json) writeLine(io.stdout, JSON.stringify({ client: host.version, ...(server && { server }) }, undefined, 2))
  else if (server) writeLine(io.stdout, `server ${server.gitVersion}`)
  return 0
}
