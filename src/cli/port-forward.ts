/** `skiff port-forward`: local ports, each connection of which has a WebSocket of its own into the pod. */
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import type { KubeObject } from '../api/object.ts'
import type { Pod } from '../api/types.ts'
import { objectPath } from '../client/paths.ts'
import { pods } from '../client/resources.ts'
import { findPods } from './find-pods.ts'
import { CommandError, INTERRUPTED, type Io, writeLine } from './io.ts'
import { type GlobalOptions, type Session, withSession } from './session.ts'

export interface PortForwardOptions extends GlobalOptions {
  pod: string
  ports: readonly string[]
  address: string
}

interface Forward {
  local: number
  remote: number
}

const DATA = 0
const ERROR = 1
const PROTOCOLS = ['v4.channel.k8s.io']
/** Each channel begins with its port as 16 bits. */
const PREFIX_BYTES = 2
/** The channels cannot carry a half-closed connection: after the local end, the pod has this long to answer. */
const HALF_CLOSED_MS = 5_000

export async function runPortForward(options: PortForwardOptions, io: Io): Promise<number> {
  return withSession(options, io, async (session) => {
    const found = await findPods(options.pod, session)
    const pod = found.pods[0]!
    if (pod.status?.phase !== 'Running')
      throw new CommandError(`pod ${pod.metadata?.name} is not running (${pod.status?.phase ?? 'Unknown'})`)
    const forwards = options.ports.map((text) => parseForward(text, pod, found.owner))
    const servers: Server[] = []
    const open = new Set<Socket>()
    try {
      for (const forward of forwards) servers.push(await listen(forward, pod, options.address, session, io, open))
      if (!io.signal.aborted) await once(io.signal, 'abort')
      return INTERRUPTED
    } finally {
      for (const server of servers) server.close()
      for (const socket of open) socket.destroy()
    }
  })
}

function parseForward(text: string, pod: Pod, owner: KubeObject | undefined): Forward {
  const match = /^(?:(\d*):)?([\w-]+)$/.exec(text)
  if (!match) throw new CommandError(`${JSON.stringify(text)} is no port: [LOCAL:]REMOTE`)
  const [, local, remote = ''] = match
  const target = owner?.kind === 'Service' ? targetOf(owner, remote) : remote
  const port = portNumber(target, pod)
  const shown = /^\d+$/.test(remote) ? Number(remote) : port
  const forward = { local: local === undefined ? shown : Number(local || 0), remote: port }
  if (forward.local > 65_535) throw new CommandError(`${forward.local} is no port`)
  return forward
}

/** The pod's port that a port of the service leads to. */
function targetOf(service: KubeObject, asked: string): string {
  const ports = (service.spec?.ports ?? []) as { name?: string; port: number; targetPort?: number | string }[]
  const found = ports.find((one) => String(one.port) === asked || one.name === asked)
  if (!found) throw new CommandError(`service ${service.metadata.name} has no port ${asked}`)
  return String(found.targetPort ?? found.port)
}

function portNumber(word: string, pod: Pod): number {
  const named = (pod.spec?.containers ?? []).flatMap(({ ports = [] }) => ports).find(({ name }) => name === word)?.containerPort
  const port = /^\d+$/.test(word) ? Number(word) : named
  if (port === undefined || port < 1 || port > 65_535)
    throw new CommandError(`pod ${pod.metadata?.name} has no port ${JSON.stringify(word)}`)
  return port
}

async function listen(forward: Forward, pod: Pod, address: string, session: Session, io: Io, open: Set<Socket>): Promise<Server> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
    writeLine(io.stdout, `Handling connection for ${(server.address() as AddressInfo).port}`)
    carry(socket, forward, pod, session, io).catch((error: Error) => {
      writeLine(io.stderr, `error: ${error.message}`)
      socket.destroy()
    })
  })
  server.listen(forward.local, address)
  try {
    await once(server, 'listening')
  } catch (error) {
    throw new CommandError(`cannot listen on ${address}:${forward.local}: ${(error as Error).message}`, 1, { cause: error })
  }
  writeLine(io.stdout, `Forwarding from ${address}:${(server.address() as AddressInfo).port} -> ${forward.remote}`)
  return server
}

async function carry(local: Socket, forward: Forward, pod: Pod, session: Session, io: Io): Promise<void> {
  // A reset by the local program is its own affair; 'close' follows.
  local.on('error', () => {})
  const path = objectPath(pods, pod.metadata?.name ?? '', session.namespace, 'portforward')
  const query = { ports: String(forward.remote) }
  const remote = await session.client.transport.connect({ method: 'GET', path, query, signal: io.signal }, PROTOCOLS)
  const prefixLeft = [PREFIX_BYTES, PREFIX_BYTES]
  remote.onMessage((message) => {
    const channel = message[0] ?? DATA
    const skipped = Math.min(prefixLeft[channel] ?? 0, message.length - 1)
    prefixLeft[channel] = (prefixLeft[channel] ?? 0) - skipped
    const data = message.subarray(1 + skipped)
    if (data.length === 0) return
    if (channel === ERROR) writeLine(io.stderr, `error: ${Buffer.from(data).toString('utf8').trim()}`)
    else if (channel === DATA && !local.write(data)) {
      remote.pause()
      local.once('drain', () => remote.resume())
    }
  })
  local.on('data', (data) => remote.send(Buffer.concat([Buffer.of(DATA), data])))
  let lingering: NodeJS.Timeout | undefined
  local.once('end', () => {
    lingering = setTimeout(() => remote.close(1000), HALF_CLOSED_MS)
  })
  local.once('close', () => remote.close(1000))
  local.resume()
  await new Promise<void>((resolve) => remote.onClose(() => resolve()))
  clearTimeout(lingering)
  local.end()
}
