/** A server before a registry that may say something else than the registry does, or nothing at all. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Front extends AsyncDisposable {
  host: string
  /** Paths that were asked for. */
  requests: string[]
}

export interface Change {
  /** What is sent in place of the registry's body. */
  body?: Buffer
  headers?: Record<string, string>
}

/** `intercept` answers itself by returning true; `change` edits what the registry behind at `host` answered. */
export async function startFront(options: {
  host?: string
  intercept?: (request: IncomingMessage, response: ServerResponse) => boolean
  change?: (path: string, body: Buffer) => Change | undefined
}): Promise<Front> {
  const requests: string[] = []
  const server = createServer((request, response) => {
    const path = request.url ?? ''
    requests.push(path)
    if (options.intercept?.(request, response)) return
    if (!options.host) return void response.writeHead(404).end()
    const { accept, authorization } = request.headers
    const headers = { ...(accept && { accept }), ...(authorization && { authorization }) }
    fetch(`http://${options.host}${path}`, { method: request.method ?? 'GET', headers }).then(
      async (answer) => {
        const body = Buffer.from(await answer.arrayBuffer())
        const changed = options.change?.(path, body)
        const kept = ['docker-content-digest', 'content-type', 'www-authenticate', 'link']
        const known = Object.fromEntries(
          kept.flatMap((name) => (answer.headers.has(name) ? [[name, answer.headers.get(name)!]] : [])),
        )
        response.writeHead(answer.status, { ...known, ...changed?.headers })
        response.end(request.method === 'HEAD' ? undefined : (changed?.body ?? body))
      },
      () => response.destroy(),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
