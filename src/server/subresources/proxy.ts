/** `proxy` of pods, services and nodes: a request is passed on to a port inside, and its answer comes back as it is. */
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { connect } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as tlsConnect } from 'node:tls'
import { badRequest, custom, unavailable } from '../../api/status.ts'
import type { NodeStreams } from '../../api/streams.ts'
import type { Core } from '../core.ts'
import { noSuchResource } from '../failures.ts'
import type { Resource } from '../registry.ts'
import { type Answer, type ApiRequest, jsonAnswer, textAnswer } from '../request/request.ts'
import type { ResourceTarget } from '../request/target.ts'
import { findPod } from '../streams/pod-target.ts'
import { readEntry } from '../verbs/get.ts'
import { type Endpoint, endpointOf, parseName, podPort } from './proxy-target.ts'

/** Headers that are about one connection, not about what is asked (RFC 9110 section 7.6.1); credentials stay here. */
const NOT_PASSED_ON = new Set([
  ...['connection', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'te', 'trailer', 'transfer-encoding', 'upgrade'],
  ...['host', 'authorization', 'content-length'],
])

export async function proxy(core: Core, request: ApiRequest, resource: Resource, target: ResourceTarget): Promise<Answer> {
  if (target.rest === '' && !request.path.endsWith('/') && request.method === 'GET') return redirect(request)
  if (target.plural === 'nodes') return ofNode(core, request, resource, target)
  const signal = AbortSignal.any([request.signal, core.closing])
  const { scheme, name, port } = parseName(target.name, target.plural)
  const aim = { ...target, name }
  const endpoint = target.plural === 'pods' ? ofPod(core, resource, aim, port) : await endpointOf(core, resource, aim, port)
  const duplex = await open(core, endpoint, signal)
  return forward(request, target, { ...endpoint, secure: scheme === 'https' }, duplex, signal)
}

/** A page at an address without a slash would have its links go astray. */
function redirect({ path, query }: ApiRequest): Answer {
  const search = query.toString()
  return { ...textAnswer(301, ''), headers: { location: `${path}/${search ? `?${search}` : ''}` } }
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
  return (await reached(() => node.portForward(ref, port, signal), `${target.name}:${port}`)).duplex
}

async function reached<T>(work: () => ReturnType<NodeStreams['portForward']> | Promise<T>, place: string): Promise<T> {
  try {
    return (await work()) as T
  } catch (error) {
    throw unreachable(place, error)
  }
}

function unreachable(place: string, error: unknown): Error {
  const failure = unavailable(
    `error trying to reach service: ${place}: ${error instanceof Error ? error.message : String(error)}`,
  )
  failure.cause = error
  return failure
}

async function forward(
  request: ApiRequest,
  target: ResourceTarget,
  endpoint: Endpoint & { secure: boolean },
  duplex: Duplex,
  signal: AbortSignal,
): Promise<Answer> {
  const place = `${endpoint.address || target.name}:${endpoint.port}`
  const body = await request.body()
  // As kube-apiserver, it takes the certificate that the other end has: there is no name to check it by.
  const socket = endpoint.secure ? tlsConnect({ socket: duplex, rejectUnauthorized: false }) : duplex
  const search = request.query.toString()
  const options: RequestOptions = {
    method: request.method,
    path: `/${pathInside(request, target)}${search ? `?${search}` : ''}`,
    headers: { ...passedOn(request), host: place, connection: 'close' },
    createConnection: () => socket,
    signal,
  }
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const asked = httpRequest(options, resolve)
    asked.on('error', (error) => reject(unreachable(place, error)))
    duplex.on('error', (error) => reject(unreachable(place, error)))
    asked.end(body instanceof Uint8Array ? body : undefined)
  })
  answer.on('close', () => duplex.destroy())
  const headers: Record<string, string | string[]> = {}
  for (const [name, value] of Object.entries(answer.headers)) {
    if (value !== undefined && !NOT_PASSED_ON.has(name)) headers[name] = value
  }
  return { type: 'stream', status: answer.statusCode ?? 502, contentType: '', headers, stream: answer }
}

/** What follows `proxy`, in the caller's own encoding. */
function pathInside({ path }: ApiRequest, { namespace, plural }: ResourceTarget): string {
  // `/api/v1/namespaces/NAMESPACE/pods/NAME/proxy/…`, or the same without a namespace.
  const before = namespace && plural !== 'nodes' ? 8 : 6
  return path.split('/').slice(before).join('/')
}

function passedOn(request: ApiRequest): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const name of request.headerNames()) {
    const value = request.header(name)
    if (value !== undefined && !name.startsWith(':') && !name.startsWith('impersonate-') && !NOT_PASSED_ON.has(name))
      headers[name] = value
  }
  return headers
}

/** What a kubelet serves of itself, as far as the API server and its agent know it. */
async function ofNode(core: Core, request: ApiRequest, resource: Resource, target: ResourceTarget): Promise<Answer> {
  const { name, port } = parseName(target.name, 'nodes')
  readEntry(core, resource, '', name)
  const node = core.nodes.get(name)
  if (!node) throw unavailable(`node ${JSON.stringify(name)} is not connected to this API server`)
  if (port !== '' && port !== '10250') throw unavailable(`nothing listens on port ${port} of node ${JSON.stringify(name)}`)
  const usage = () => node.usage(undefined, AbortSignal.any([request.signal, core.closing]))
  const pages = () => import('../usage/kubelet-pages.ts')
  switch (target.rest) {
    case 'healthz':
      return textAnswer(200, 'ok')
    case 'pods': {
      const items = core.reader.list('', 'pods').filter((pod) => pod.spec?.nodeName === name)
      return jsonAnswer(200, { kind: 'PodList', apiVersion: 'v1', metadata: {}, items })
    }
    case 'stats/summary':
      return jsonAnswer(200, (await pages()).statsSummary(name, await usage()))
    case 'metrics/resource':
      return textAnswer(200, (await pages()).resourceMetrics(await usage()), 'text/plain; version=0.0.4; charset=utf-8')
    default:
      throw custom(
        404,
        'NotFound',
        `the node serves /healthz, /pods, /stats/summary and /metrics/resource, not /${target.rest}`,
        {},
      )
  }
}
