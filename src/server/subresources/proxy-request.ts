/** What a proxied request becomes on its way in: where it goes, under which path, with which headers. */
import type { RequestOptions } from 'node:http'
import { connect } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as tlsConnect } from 'node:tls'
import type { KubeObject } from '../../api/object.ts'
import { badRequest, StatusError, unavailable } from '../../api/status.ts'
import type { Core } from '../core.ts'
import { noSuchResource } from '../failures.ts'
import type { Resource } from '../registry.ts'
import type { ApiRequest } from '../request/request.ts'
import type { ResourceTarget } from '../request/target.ts'
import { findPod } from '../streams/pod-target.ts'
import type { Page } from './proxy-rewrite.ts'
import { type Endpoint, endpointOf, parseName, podPort } from './proxy-target.ts'

/** Headers that are about one connection, not about what is asked (RFC 9110 section 7.6.1); credentials stay here. */
export const NOT_PASSED_ON: ReadonlySet<string> = new Set([
  ...['connection', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'te', 'trailer', 'transfer-encoding', 'upgrade'],
  ...['host', 'authorization', 'content-length'],
])

export interface Proxied {
  /** All but what is particular to a plain request or an upgrade. */
  readonly options: RequestOptions & { headers: Record<string, string> }
  /** The connection, to be closed when it is over. */
  readonly duplex: Duplex
  readonly page: Page
}

/** Throws 404 and 503 for what is not there. */
export async function prepareProxied(
  core: Core,
  request: ApiRequest,
  resource: Resource,
  target: ResourceTarget,
  { path }: KubeObject,
  signal: AbortSignal,
): Promise<Proxied> {
  const { scheme, name, port } = parseName(target.name, target.plural)
  const aim = { ...target, name }
  const endpoint = target.plural === 'pods' ? ofPod(core, resource, aim, port) : await endpointOf(core, resource, aim, port)
  const duplex = await open(core, endpoint, signal)
  // As kube-apiserver, it takes the certificate that the other end has: there is no name to check it by.
  const socket = scheme === 'https' ? tlsConnect({ socket: duplex, rejectUnauthorized: false }) : duplex
  const [prefix, inside] = split(request, target)
  const asked = request.header('host') ?? request.header(':authority') ?? ''
  const behind = `${endpoint.address || name}:${endpoint.port}`
  const search = request.query.toString()
  // Admission may have sent it elsewhere; otherwise the path keeps the caller's own encoding.
  const there = (path ?? '') === target.rest ? inside : encodeURI(`/${path}`)
  return {
    duplex,
    page: { prefix, behind, asked },
    options: {
      ...{ method: request.method, path: `${there}${search ? `?${search}` : ''}`, signal },
      headers: { ...passedOn(request), host: asked || behind, 'x-forwarded-uri': `${prefix}${there}` },
      createConnection: () => socket,
    },
  }
}

/** What leads to `proxy`, and what follows it with its slash. */
function split({ path }: ApiRequest, { namespace, plural }: ResourceTarget): [prefix: string, inside: string] {
  // `/api/v1/namespaces/NAMESPACE/pods/NAME/proxy/…`, or the same without a namespace.
  const segments = path.split('/')
  const count = namespace && plural !== 'nodes' ? 8 : 6
  return [segments.slice(0, count).join('/'), `/${segments.slice(count).join('/')}`]
}

function passedOn(request: ApiRequest): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const name of request.headerNames()) {
    const value = request.header(name)
    if (value !== undefined && !name.startsWith(':') && !name.startsWith('impersonate-') && !NOT_PASSED_ON.has(name))
      headers[name] = value
  }
  if (request.clientAddress) {
    const before = headers['x-forwarded-for']
    headers['x-forwarded-for'] = before ? `${before}, ${request.clientAddress}` : request.clientAddress
  }
  return headers
}

function ofPod(core: Core, resource: Resource, target: ResourceTarget, port: string): Endpoint {
  const { pod } = findPod(core, resource, target)
  const number = port === '' ? podPort(pod) : Number(port)
  if (!Number.isInteger(number) || number < 1 || number > 65535) throw badRequest(`invalid port ${JSON.stringify(port)}`)
  return { pod: target, address: pod.status?.podIP ?? '', port: number }
}

async function open(core: Core, endpoint: Endpoint, signal: AbortSignal): Promise<Duplex> {
  const { pod: target, address, port } = endpoint
  const pods = core.registry.lookup('', 'v1', 'pods')
  if (!pods) throw noSuchResource()
  if (!target) return connect({ host: address, port, signal })
  const { node, ref } = findPod(core, pods, target)
  try {
    return (await node.portForward(ref, port, signal)).duplex
  } catch (error) {
    throw unreachable(`${target.name}:${port}`, error)
  }
}

/** A 503, unless it is an answer already. */
export function unreachable(place: string, error: unknown): Error {
  if (error instanceof StatusError) return error
  const failure = unavailable(
    `error trying to reach service: ${place}: ${error instanceof Error ? error.message : String(error)}`,
  )
  failure.cause = error
  return failure
}
