/** Upgraded connections: streams into containers over WebSocket or SPDY, and whatever passes through proxies and to servers outside. */
import { setMaxListeners } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import type { StatusError } from '../../api/status.ts'
import type { AuditEntry } from '../audit/audit.ts'
import type { Caller } from '../callout/splice.ts'
import { asStatusError, noSuchResource } from '../failures.ts'
import { authorizeTarget } from '../pipeline.ts'
import { Query } from '../request/query.ts'
import type { ApiRequest } from '../request/request.ts'
import { parseTarget, type ResourceTarget, type Target } from '../request/target.ts'
import { findPod } from '../streams/pod-target.ts'
import { protocolsOf, serveSession } from '../streams/session.ts'
import { admitConnect } from '../subresources/connect.ts'
import { authenticate, beginAudit } from './caller.ts'
import type { HttpDoor } from './exchange.ts'

/** A protocol that is none: what follows is a token. */
const BEARER_PROTOCOL = 'base64url.bearer.authorization.k8s.io.'
const STREAMS = new Set(['exec', 'attach', 'portforward'])

/** Resolves when the session has ended. */
export async function handleUpgrade(
  { core, auth }: Pick<HttpDoor, 'core' | 'auth'>,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): Promise<void> {
  const abort = new AbortController()
  socket.on('close', () => abort.abort())
  socket.on('error', () => abort.abort())
  const [path = '', search = ''] = (request.url ?? '').split('?', 2)
  const query = Query.parse(search)
  const target = parseTarget(request.method ?? 'GET', path, query.flag('watch'))
  let audit: AuditEntry | undefined
  let begun = 0
  try {
    const signal = AbortSignal.any([abort.signal, core.closing])
    // One session may carry many connections, each of which listens for its end.
    setMaxListeners(0, signal)
    const asked = { request, socket: socket as TLSSocket, target, query, webSocketToken: takeBearerToken(request) }
    const real = await authenticate({ core, auth }, asked)
    audit = beginAudit(core, asked, real, async () => undefined)
    const user = await auth.impersonate(real, request.rawHeaders)
    if (user !== real) audit?.actsAs(user)
    const call: ApiRequest = {
      method: request.method ?? 'GET',
      path,
      query,
      header: (name) => request.headers[name] as string | undefined,
      headerNames: () => Object.keys(request.headers),
      user,
      clientAddress: asked.socket.remoteAddress,
      trusted: false,
      signal,
      body: async () => undefined,
      annotations: audit?.annotations,
      warnings: [],
    }
    const started = (code: number) => {
      begun ||= code
      audit?.started(code)
    }
    await route({ core, auth }, call, target, request, { socket, head, signal, started })
    await audit?.complete(undefined, begun || 101)
  } catch (error) {
    const failure = asStatusError(error)
    if (failure !== error && !abort.signal.aborted) core.log.error('upgrade failed', { path: request.url, error })
    if (begun === 0) refuse(socket, failure)
    else socket.destroy()
    await audit?.complete(begun === 0 ? failure.status : undefined, begun || failure.code)
  }
}

async function route(
  { core }: Pick<HttpDoor, 'core' | 'auth'>,
  call: ApiRequest,
  target: Target,
  request: IncomingMessage,
  caller: Caller,
): Promise<void> {
  const done = core.metrics.begin(target.verb, target.resource ? target.plural : '')
  // It goes on without a seat: what is counted is only how it begins.
  let release: (() => void) | undefined = await core.fairness.take(call.user, target, () => call.signal)
  const begun = () => {
    release?.()
    release = undefined
  }
  let code = 101
  const starting: Caller = {
    ...caller,
    started(answer) {
      begun()
      caller.started(answer)
    },
  }
  try {
    await authorizeTarget(core, call, target)
    const elsewhere = core.outside.versions.ofPath(call.path)
    if (elsewhere && core.outside.passUpgrade) await core.outside.passUpgrade(call, elsewhere, starting)
    else if (target.resource) await serveConnection({ core }, call, target, request, starting)
    else throw noSuchResource()
  } catch (error) {
    code = asStatusError(error).code
    throw error
  } finally {
    begun()
    done(code)
  }
}

async function serveConnection(
  { core }: Pick<HttpDoor, 'core'>,
  call: ApiRequest,
  target: ResourceTarget,
  request: IncomingMessage,
  caller: Caller,
): Promise<void> {
  const resource = core.registry.lookup(target.group, target.version, target.plural)
  if (!resource?.definition.subresources.some(({ name }) => name === target.subresource)) throw noSuchResource()
  if (target.subresource === 'proxy') {
    const { proxyUpgrade } = await import('../subresources/proxy.ts')
    return proxyUpgrade(core, call, resource, target, caller)
  }
  if (!STREAMS.has(target.subresource)) throw noSuchResource()
  // To read from a pod is not to run something in it: a GET needs both permissions.
  if (target.verb === 'get') await authorizeTarget(core, call, { ...target, verb: 'create' })
  const options = await admitConnect(core, call, resource, target)
  return serveSession({ target, pod: findPod(core, resource, target), options, request, caller })
}

/** Browsers can send a token only as one of a WebSocket's protocols. It is for this server, and no protocol: nobody else sees it. */
function takeBearerToken(request: IncomingMessage): string | undefined {
  const offered = protocolsOf(request)
  const found = offered.find((protocol) => protocol.startsWith(BEARER_PROTOCOL))
  if (found === undefined) return undefined
  const others = offered.filter((protocol) => !protocol.startsWith(BEARER_PROTOCOL))
  if (others.length > 0) request.headers['sec-websocket-protocol'] = others.join(', ')
  else delete request.headers['sec-websocket-protocol']
  return Buffer.from(found.slice(BEARER_PROTOCOL.length), 'base64url').toString()
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
