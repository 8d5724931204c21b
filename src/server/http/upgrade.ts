/** Upgraded connections: exec, attach and port-forward, over WebSocket or SPDY. */
import { setMaxListeners } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { type WebSocket, WebSocketServer } from 'ws'
import { badRequest, custom, type StatusError } from '../../api/status.ts'
import type { ExecOptions } from '../../api/streams.ts'
import type { Auth } from '../auth/auth.ts'
import type { Core } from '../core.ts'
import { asStatusError, noSuchResource } from '../failures.ts'
import { authorizeTarget } from '../pipeline.ts'
import type { Resource } from '../registry.ts'
import { Query } from '../request/query.ts'
import type { ApiRequest } from '../request/request.ts'
import { parseTarget, type ResourceTarget } from '../request/target.ts'
import { findPod, type PodTarget } from '../streams/pod-target.ts'
import {
  CHANNEL_PROTOCOLS,
  forwardChannels,
  forwardSpdy,
  PORT_FORWARD_PROTOCOL,
  readPorts,
  TUNNEL_PROTOCOL,
  tunnel,
} from '../streams/port-forward.ts'
import { readProcessOptions, runProcess } from '../streams/process.ts'
import { SPDY_PROCESS_PROTOCOLS, spdyChannels } from '../streams/spdy-process.ts'
import { PROCESS_PROTOCOLS, webSocketChannels } from '../streams/websocket-process.ts'
import { Admission } from '../write/admit.ts'
import { writeCall } from '../write/call.ts'

const BEARER_PROTOCOL = 'base64url.bearer.authorization.k8s.io.'
/** One message of a client; kubectl sends 32 KiB at most. */
const MAX_MESSAGE_BYTES = 1024 * 1024

/** What an upgrade is about, once it is known to be allowed. */
interface Session {
  core: Core
  call: ApiRequest
  target: ResourceTarget
  pod: PodTarget
  request: IncomingMessage
  socket: Duplex
  head: Buffer
  signal: AbortSignal
}

/** Resolves when the session has ended. */
export async function handleUpgrade(
  core: Core,
  auth: Auth,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): Promise<void> {
  const abort = new AbortController()
  socket.on('close', () => abort.abort())
  socket.on('error', () => abort.abort())
  try {
    const signal = AbortSignal.any([abort.signal, core.closing])
    // One session may carry many connections, each of which listens for its end.
    setMaxListeners(0, signal)
    const session = await admit(core, auth, request, socket, head, signal)
    const upgrade = String(request.headers.upgrade ?? '').toLowerCase()
    if (upgrade === 'websocket') await serveWebSocket(session)
    else if (upgrade === 'spdy/3.1') await serveSpdy(session)
    else throw badRequest(`unable to upgrade: unknown protocol ${JSON.stringify(request.headers.upgrade)}`)
  } catch (error) {
    const failure = asStatusError(error)
    if (failure !== error && !abort.signal.aborted) core.log.error('upgrade failed', { path: request.url, error })
    refuse(socket, failure)
  }
}

async function admit(
  core: Core,
  auth: Auth,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  signal: AbortSignal,
): Promise<Session> {
  const [path = '', search = ''] = (request.url ?? '').split('?', 2)
  const webSocketToken = bearerToken(request)
  const credentials = {
    authorization: request.headers.authorization,
    socket: socket as TLSSocket,
    ...(webSocketToken && { webSocketToken }),
  }
  const known = (await auth.authenticator.authenticate(credentials)) ?? auth.anonymous
  const call: ApiRequest = {
    method: request.method ?? 'GET',
    path,
    query: Query.parse(search),
    header: (name) => request.headers[name] as string | undefined,
    headerNames: () => Object.keys(request.headers),
    user: await auth.impersonate(known, request.rawHeaders),
    trusted: false,
    signal,
    body: async () => undefined,
    warnings: [],
  }
  const target = parseTarget(call.method, path, false)
  await authorizeTarget(core, call, target)
  if (!target.resource || target.plural !== 'pods' || target.group !== '') throw noSuchResource()
  // To read from a pod is not to run something in it: a GET needs both permissions.
  if (target.verb === 'get') await authorizeTarget(core, call, { ...target, verb: 'create' })
  const resource = core.registry.lookup(target.group, target.version, target.plural)
  if (!resource) throw noSuchResource()
  await admitConnect(core, call, resource, target)
  return { core, call, target, pod: findPod(core, resource, target), request, socket, head, signal }
}

const OPTIONS_KINDS: Record<string, string> = {
  exec: 'PodExecOptions',
  attach: 'PodAttachOptions',
  portforward: 'PodPortForwardOptions',
}

async function admitConnect(core: Core, call: ApiRequest, resource: Resource, target: ResourceTarget): Promise<void> {
  const kind = OPTIONS_KINDS[target.subresource]
  if (!kind) throw badRequest(`pods/${target.subresource} is not a stream`)
  const object = {
    kind,
    apiVersion: 'v1',
    metadata: {},
    container: call.query.get('container'),
    command: call.query.all('command'),
  }
  const admission = new Admission(
    writeCall(core, call, resource, target, 'CreateOptions'),
    'CONNECT',
    target.name,
    object,
    undefined,
  )
  await admission.mutate()
  await admission.validate()
}

function bearerToken(request: IncomingMessage): string | undefined {
  const offered = protocolsOf(request).find((protocol) => protocol.startsWith(BEARER_PROTOCOL))
  return offered && Buffer.from(offered.slice(BEARER_PROTOCOL.length), 'base64url').toString()
}

function protocolsOf(request: IncomingMessage): string[] {
  const header = request.headers['sec-websocket-protocol']
  return header ? header.split(',').map((protocol) => protocol.trim()) : []
}

async function serveWebSocket(session: Session): Promise<void> {
  const { target, pod, call, request, signal } = session
  const offered = protocolsOf(request)
  if (target.subresource !== 'portforward') {
    const kind = target.subresource as 'exec' | 'attach'
    const options: ExecOptions = readProcessOptions(call.query, kind, pod)
    const socket = await accept(session, choose(offered, PROCESS_PROTOCOLS))
    return runProcess(kind, pod, options, webSocketChannels(socket, options), signal)
  }
  if (offered.includes(TUNNEL_PROTOCOL)) {
    const socket = await accept(session, TUNNEL_PROTOCOL)
    return forwardSpdy(tunnel(socket), pod, signal)
  }
  const ports = readPorts(call.query.all('ports'))
  const socket = await accept(session, choose(offered, CHANNEL_PROTOCOLS))
  return forwardChannels(socket, ports, pod, signal)
}

/** The first of ours that the client offers; a client that offers none gets the oldest. */
function choose(offered: readonly string[], spoken: readonly string[]): string | undefined {
  const wanted = offered.filter((protocol) => !protocol.startsWith(BEARER_PROTOCOL))
  if (wanted.length === 0) return undefined
  const found = spoken.find((protocol) => wanted.includes(protocol))
  if (!found)
    throw badRequest(
      `unable to negotiate a protocol: client supports [${wanted.join(' ')}], server accepts [${spoken.join(' ')}]`,
    )
  return found
}

/** The library refuses protocol names with a slash, which the tunnel's has; so it never sees the header, and ours is added. */
function accept({ request, socket, head }: Session, protocol: string | undefined): Promise<WebSocket> {
  const server = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES, perMessageDeflate: false })
  delete request.headers['sec-websocket-protocol']
  server.on('headers', (headers) => {
    if (protocol !== undefined) headers.push(`Sec-WebSocket-Protocol: ${protocol}`)
  })
  return new Promise((resolve, reject) => {
    socket.once('close', () => reject(new Error('the client went away')))
    server.handleUpgrade(request, socket, head, (webSocket) => {
      Object.defineProperty(webSocket, 'protocol', { value: protocol ?? 'channel.k8s.io' })
      webSocket.on('error', () => webSocket.terminate())
      resolve(webSocket)
    })
  })
}

async function serveSpdy(session: Session): Promise<void> {
  const { target, pod, call, request, socket, head, signal } = session
  const offered = String(request.headers['x-stream-protocol-version'] ?? '')
    .split(',')
    .map((protocol) => protocol.trim())
    .filter((protocol) => protocol !== '')
  const isForward = target.subresource === 'portforward'
  const spoken = isForward ? [PORT_FORWARD_PROTOCOL] : SPDY_PROCESS_PROTOCOLS
  const protocol = offered.length === 0 ? spoken.at(-1) : spoken.find((one) => offered.includes(one))
  if (!protocol) {
    throw custom(
      403,
      'Forbidden',
      `unable to upgrade: unable to negotiate protocol: client supports ${offered}, server accepts ${spoken}`,
    )
  }
  const kind = target.subresource as 'exec' | 'attach'
  const options = isForward ? undefined : readProcessOptions(call.query, kind, pod)
  const lines = [
    'HTTP/1.1 101 Switching Protocols',
    'Connection: Upgrade',
    'Upgrade: SPDY/3.1',
    `X-Stream-Protocol-Version: ${protocol}`,
  ]
  socket.write(`${lines.join('\r\n')}\r\n\r\n`)
  if (head.length > 0) socket.unshift(head)
  if (!options) return forwardSpdy(socket, pod, signal)
  const channels = await spdyChannels(socket, options, protocol)
  await runProcess(kind, pod, options, channels, signal)
  await channels.connection.closed
}

/** Before the upgrade an error is an ordinary answer. */
function refuse(socket: Duplex, failure: StatusError): void {
  if (socket.destroyed || !socket.writable) return
  const body = Buffer.from(`${JSON.stringify(failure.status)}\n`)
  const lines = [
    `HTTP/1.1 ${failure.code} ${failure.reason || 'Error'}`,
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    'Connection: close',
  ]
  socket.end(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), body]))
}
