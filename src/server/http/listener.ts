/** The HTTP door: one TLS port for HTTP/1.1, HTTP/2 and upgraded connections. */
import { createSecureServer, type Http2SecureServer } from 'node:http2'
import { isIPv6, type Socket } from 'node:net'
import type { Auth } from '../auth/auth.ts'
import type { Core } from '../core.ts'
import { handleRequest } from './exchange.ts'
import { FlushRounds } from './flush-rounds.ts'

/** How long a connection without requests is kept. Clients that pool connections give up theirs first. */
const KEEP_ALIVE_MS = 120_000
/** Headers must have arrived within this time. */
const HEADERS_TIMEOUT_MS = 30_000
/** Requests one HTTP/2 connection may have open: an informer-based client watches a hundred kinds through one. */
const MAX_CONCURRENT_STREAMS = 1000
/** How long requests at work may go on once the server closes. */
const CLOSE_GRACE_MS = 3000

export interface Listener {
  url: string
  port: number
  /** Resolves when no connection is left. */
  close: () => Promise<void>
}

/** Throws with a one-line message when the address cannot be had. */
export async function listen(core: Core, auth: Auth, place: { host: string; port: number }): Promise<Listener> {
  const { pki } = auth
  const server = createSecureServer({
    allowHTTP1: true,
    key: pki.serving.key,
    cert: pki.serving.certificate,
    ca: pki.caCertificate,
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: 'TLSv1.2',
    settings: { maxConcurrentStreams: MAX_CONCURRENT_STREAMS },
  })
  Object.assign(server, { keepAliveTimeout: KEEP_ALIVE_MS, headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: 0 })
  const connections = trackConnections(server)
  const door = { core, auth, rounds: new FlushRounds(core.clock) }
  const atWork = new Set<Promise<void>>()
  const upgraded = new Set<Promise<void>>()
  server.on('request', (request, response) => {
    const work = handleRequest(door, request, response)
    atWork.add(work)
    void work.finally(() => atWork.delete(work))
  })
  server.on('upgrade', (request, socket: Socket, head: Buffer) => {
    const work = import('./upgrade.ts')
      .then(({ handleUpgrade }) => handleUpgrade(door, request as never, socket, head))
      .catch((error: unknown) => {
        core.log.error('upgrade failed', { path: request.url, error })
        socket.destroy()
      })
    upgraded.add(work)
    void work.finally(() => upgraded.delete(work))
  })
  // Handshakes that fail are the client's affair: wrong certificates, plain HTTP, port scans.
  server.on('tlsClientError', (error) => core.log.debug('TLS handshake failed', { error: error.message }))
  server.on('sessionError', (error) => core.log.debug('HTTP/2 session failed', { error: String(error) }))
  const port = await bind(server, place)
  return {
    url: `https://${isIPv6(place.host) ? `[${place.host}]` : place.host}:${port}`,
    port,
    close: () => close(server, connections, atWork, upgraded),
  }
}

function bind(server: Http2SecureServer, place: { host: string; port: number }): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const where = `${place.host}:${place.port}`
      const why = error.code === 'EADDRINUSE' ? 'another process listens there' : error.message
      reject(new Error(`cannot listen on ${where}: ${why}`, { cause: error }))
    })
    server.listen(place.port, place.host, () => {
      const address = server.address()
      resolve(typeof address === 'object' && address ? address.port : place.port)
    })
  })
}

function trackConnections(server: Http2SecureServer): Set<Socket> {
  const connections = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    connections.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => connections.delete(socket))
  })
  return connections
}

/** Watches have been ended before; what is at work may finish within the grace. */
async function close(
  server: Http2SecureServer,
  connections: Set<Socket>,
  atWork: Set<Promise<void>>,
  upgraded: Set<Promise<void>>,
): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  await settled(atWork)
  for (const socket of connections) socket.destroy()
  // Without their sockets, streams end; what they have to say of that is still said.
  await settled(upgraded)
  await closed
}

/** Or the grace is over. */
async function settled(work: ReadonlySet<Promise<void>>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const grace = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, CLOSE_GRACE_MS)
  })
  await Promise.race([Promise.allSettled([...work]), grace])
  clearTimeout(timer)
}
