/** `proxy` of pods, services and nodes: a request is passed on to a port inside, and its answer comes back, its links through here. */
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import type { KubeObject } from '../../api/object.ts'
import { custom, unavailable } from '../../api/status.ts'
import { type Caller, splice } from '../callout/splice.ts'
import type { Core } from '../core.ts'
import type { Resource } from '../registry.ts'
import { type Answer, type ApiRequest, jsonAnswer, textAnswer } from '../request/request.ts'
import type { ResourceTarget } from '../request/target.ts'
import { readEntry } from '../verbs/get.ts'
import { admitConnect } from './connect.ts'
import { NOT_PASSED_ON, prepareProxied, unreachable } from './proxy-request.ts'
import { type Page, rewriteHtml, rewriteUrl } from './proxy-rewrite.ts'
import { parseName } from './proxy-target.ts'

/** A larger page comes back as it is. */
const MAX_REWRITTEN_BYTES = 8 * 1024 * 1024
/** Which pages of other origins may read an answer is this server's to say, as in Kubernetes. */
const ACCESS_CONTROL = ['credentials', 'headers', 'methods', 'origin'].map((what) => `access-control-allow-${what}`)

export async function proxy(core: Core, request: ApiRequest, resource: Resource, target: ResourceTarget): Promise<Answer> {
  const options = await admitConnect(core, request, resource, target)
  const isBare = !options.path && !request.path.endsWith('/')
  if (isBare && (request.method === 'GET' || request.method === 'HEAD')) return redirect(request)
  if (target.plural === 'nodes') return ofNode(core, request, resource, target, options)
  const body = await request.body()
  const signal = AbortSignal.any([request.signal, core.closing])
  const proxied = await prepareProxied(core, request, resource, target, options, signal)
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const headers = { ...proxied.options.headers, connection: 'close' }
    const asked = httpRequest({ ...proxied.options, headers }, resolve)
    asked.on('error', (error) => reject(unreachable(proxied.page.behind, error)))
    proxied.duplex.on('error', (error) => reject(unreachable(proxied.page.behind, error)))
    asked.end(body instanceof Uint8Array ? body : undefined)
  })
  answer.on('close', () => proxied.duplex.destroy())
  return await shown(answer, proxied.page)
}

/** The same for a caller who wants to speak another protocol than HTTP. Resolves when either end has closed the connection. */
export async function proxyUpgrade(
  core: Core,
  request: ApiRequest,
  resource: Resource,
  target: ResourceTarget,
  caller: Caller,
): Promise<void> {
  const options = await admitConnect(core, request, resource, target)
  if (target.plural === 'nodes') throw notOfNode(target)
  const proxied = await prepareProxied(core, request, resource, target, options, caller.signal)
  const headers = { ...proxied.options.headers, connection: 'Upgrade', upgrade: request.header('upgrade') }
  try {
    await splice(caller, httpRequest({ ...proxied.options, headers }))
  } catch (error) {
    throw unreachable(proxied.page.behind, error)
  } finally {
    proxied.duplex.destroy()
  }
}

/** A page at an address without a slash would have its links go astray. */
function redirect({ path, query }: ApiRequest): Answer {
  const search = query.toString()
  return { ...textAnswer(301, ''), headers: { location: `${path}/${search ? `?${search}` : ''}` } }
}

async function shown(answer: IncomingMessage, page: Page): Promise<Answer> {
  const headers: Record<string, string | string[]> = {}
  for (const [name, value] of Object.entries(answer.headers)) {
    if (value !== undefined && !NOT_PASSED_ON.has(name) && !ACCESS_CONTROL.includes(name)) headers[name] = value
  }
  const status = answer.statusCode ?? 502
  const { location } = answer.headers
  if (location) headers.location = rewriteUrl(location, page)
  else if (isPage(answer)) {
    // What was compressed comes back plain: then it need not be compressed again to have its links changed.
    const isPlain = !answer.headers['content-encoding']
    delete headers['content-encoding']
    return {
      type: 'stream',
      status,
      contentType: '',
      headers,
      stream: await rewritten(isPlain ? answer : unzipped(answer), page),
    }
  }
  return { type: 'stream', status, contentType: '', headers, stream: answer }
}

/** In an encoding that can be read. */
function isPage({ headers, statusCode }: IncomingMessage): boolean {
  const isHtml = /^\s*text\/html\s*(?:;|$)/i.test(headers['content-type'] ?? '')
  return isHtml && statusCode !== 304 && ['', 'gzip'].includes(headers['content-encoding'] ?? '')
}

function unzipped(answer: IncomingMessage): Readable {
  const plain = createGunzip()
  answer.on('error', (error) => plain.destroy(error))
  return answer.pipe(plain)
}

/** Byte for byte what was read, but for the links; all of it where there is too much. */
async function rewritten(source: Readable, page: Page): Promise<Readable> {
  const chunks: Buffer[] = []
  let length = 0
  const rest = source[Symbol.asyncIterator]() as AsyncIterableIterator<Buffer>
  for (let next = await rest.next(); !next.done; next = await rest.next()) {
    chunks.push(next.value)
    length += next.value.length
    if (length <= MAX_REWRITTEN_BYTES) continue
    return Readable.from(concatenated(chunks, rest), { objectMode: false })
  }
  const html = rewriteHtml(Buffer.concat(chunks, length).toString('latin1'), page)
  return Readable.from([Buffer.from(html, 'latin1')])
}

async function* concatenated(first: Iterable<Buffer>, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield* first
  yield* rest
}

function notOfNode({ rest }: ResourceTarget): Error {
  return custom(404, 'NotFound', `the node serves /healthz, /pods, /stats/summary and /metrics/resource, not /${rest}`, {})
}

/** What a kubelet serves of itself, as far as the API server and its agent know it. */
async function ofNode(
  core: Core,
  request: ApiRequest,
  resource: Resource,
  target: ResourceTarget,
  { path = '' }: KubeObject,
): Promise<Answer> {
  const { name, port } = parseName(target.name, 'nodes')
  readEntry(core, resource, '', name)
  const node = core.nodes.get(name)
  if (!node) throw unavailable(`node ${JSON.stringify(name)} is not connected to this API server`)
  if (port !== '' && port !== '10250') throw unavailable(`nothing listens on port ${port} of node ${JSON.stringify(name)}`)
  const usage = () => node.usage(undefined, AbortSignal.any([request.signal, core.closing]))
  const pages = () => import('../usage/kubelet-pages.ts')
  switch (path) {
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
      throw notOfNode(target)
  }
}
