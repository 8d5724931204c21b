/** The sessions of exec, attach and port-forward: the protocol is agreed on, the connection upgraded, and the streams run. */
import type { IncomingMessage } from 'node:http'
import { type WebSocket, WebSocketServer } from 'ws'
import type { KubeObject } from '../../api/object.ts'
import { badRequest, custom } from '../../api/status.ts'
import type { ExecOptions } from '../../api/streams.ts'
import type { Caller } from '../callout/splice.ts'
import type { ResourceTarget } from '../request/target.ts'
import type { PodTarget } from './pod-target.ts'
import {
  CHANNEL_PROTOCOLS,
  forwardChannels,
  forwardSpdy,
  PORT_FORWARD_PROTOCOL,
  readPorts,
  TUNNEL_PROTOCOL,
  tunnel,
} from './port-forward.ts'
import { readProcessOptions, runProcess } from './process.ts'
import { SPDY_PROCESS_PROTOCOLS, spdyChannels } from './spdy-process.ts'
import { PROCESS_PROTOCOLS, webSocketChannels } from './websocket-process.ts'

/** One message of a client; kubectl sends 32 KiB at most. */
const MAX_MESSAGE_BYTES = 1024 * 1024

/** What an upgrade is about, once it is known to be allowed. */
export interface Session {
  readonly target: ResourceTarget
  readonly pod: PodTarget
  /** PodExecOptions, PodAttachOptions or PodPortForwardOptions. */
  readonly options: KubeObject
  readonly request: IncomingMessage
  readonly caller: Caller
}

/** Resolves when the session has ended. Throws a StatusError before the upgrade. */
export async function serveSession(session: Session): Promise<void> {
  const upgrade = String(session.request.headers.upgrade ?? '').toLowerCase()
  if (upgrade === 'websocket') await serveWebSocket(session)
  else if (upgrade === 'spdy/3.1') await serveSpdy(session)
  else throw badRequest(`unable to upgrade: unknown protocol ${JSON.stringify(session.request.headers.upgrade)}`)
}

export function protocolsOf(request: IncomingMessage): string[] {
  const header = request.headers['sec-websocket-protocol']
  return header ? header.split(',').map((protocol) => protocol.trim()) : []
}

async function serveWebSocket(session: Session): Promise<void> {
  const { target, pod, request, options: given } = session
  const { signal } = session.caller
  const offered = protocolsOf(request)
  if (target.subresource !== 'portforward') {
    const kind = target.subresource as 'exec' | 'attach'
    const options: ExecOptions = readProcessOptions(given, kind, pod)
    const socket = await accept(session, choose(offered, PROCESS_PROTOCOLS))
    return runProcess(kind, pod, options, webSocketChannels(socket, options), signal)
  }
  if (offered.includes(TUNNEL_PROTOCOL)) {
    const socket = await accept(session, TUNNEL_PROTOCOL)
    return forwardSpdy(tunnel(socket), pod, signal)
  }
  const ports = readPorts(given.ports)
  const socket = await accept(session, choose(offered, CHANNEL_PROTOCOLS))
  return forwardChannels(socket, ports, pod, signal)
}

/** The first of ours that the client offers; a client that offers none gets the oldest. */
function choose(offered: readonly string[], spoken: readonly string[]): string | undefined {
  if (offered.length === 0) return undefined
  const found = spoken.find((protocol) => offered.includes(protocol))
  if (!found)
    throw badRequest(
      `unable to negotiate a protocol: client supports [${offered.join(' ')}], server accepts [${spoken.join(' ')}]`,
    )
  return found
}

/** The library refuses protocol names with a slash, which the tunnel's has; so it never sees the header, and ours is added. */
function accept({ request, caller }: Session, protocol: string | undefined): Promise<WebSocket> {
  const server = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES, perMessageDeflate: false })
  const { socket, head } = caller
  delete request.headers['sec-websocket-protocol']
  server.on('headers', (headers) => {
    caller.started(101)
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

async function serveSpdy({ target, pod, options: given, request, caller }: Session): Promise<void> {
  const { socket, head, signal } = caller
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
  const options = isForward ? undefined : readProcessOptions(given, kind, pod)
  const lines = [
    'HTTP/1.1 101 Switching Protocols',
    'Connection: Upgrade',
    'Upgrade: SPDY/3.1',
    `X-Stream-Protocol-Version: ${protocol}`,
  ]
  caller.started(101)
  socket.write(`${lines.join('\r\n')}\r\n\r\n`)
  if (head.length > 0) socket.unshift(head)
  if (!options) return forwardSpdy(socket, pod, signal)
  const channels = await spdyChannels(socket, options, protocol)
  await runProcess(kind, pod, options, channels, signal)
  await channels.connection.closed
}
