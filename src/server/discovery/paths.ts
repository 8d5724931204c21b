/** Everything that is served outside resources: discovery, OpenAPI, version, health, metrics. */
import { createHash } from 'node:crypto'
import { OpenApiDocuments } from '../../api/openapi/documents.ts'
import { custom, notAcceptable } from '../../api/status.ts'
import type { Core } from '../core.ts'
import { noSuchResource } from '../failures.ts'
import { type Answer, type ApiRequest, jsonAnswer, type ObjectAnswer, textAnswer } from '../request/request.ts'
import { parseAccept } from '../views/negotiate.ts'
import { Discovery } from './groups.ts'
import { serveHealth } from './health.ts'
import { GIT_VERSION, versionInfo } from './version.ts'

const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
const ACCEPTED = 'application/json, application/yaml, application/vnd.kubernetes.protobuf'

/** What is written about one registry: kept with it. */
interface Documents {
  discovery: Discovery
  openApi: OpenApiDocuments
  /** The aggregated form by root, as it is sent, with the tag by which clients ask whether it is still so. */
  aggregated: Map<string, { document: Buffer; tag: string }>
  generation: number
}

const documents = new WeakMap<Core, Documents>()

function documentsOf(core: Core): Documents {
  const { registry } = core
  let known = documents.get(core)
  if (!known || known.generation !== registry.generation) {
    const definitions = [...registry.resources()].map(({ definition }) => definition)
    const openApi = new OpenApiDocuments(definitions, GIT_VERSION)
    known = {
      discovery: known?.discovery ?? new Discovery(registry, core.outside.versions),
      openApi,
      aggregated: new Map(),
      generation: registry.generation,
    }
    documents.set(core, known)
  }
  return known
}

/** A 404 page for paths that nobody registered. */
export async function servePath(core: Core, request: ApiRequest, path: string): Promise<Answer> {
  const answer = serveHealth(core, request, path) ?? serveFixed(core, request, path) ?? serveDiscovery(core, request, path)
  const found = answer instanceof Promise ? await answer : answer
  if (!found) return missingPage(path)
  if (request.method !== 'GET')
    throw custom(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {})
  return found
}

/** What Go's mux answers for a path nobody registered. */
export function missingPage(_path: string): Answer {
  return textAnswer(404, '404 page not found\n')
}

function serveFixed(core: Core, request: ApiRequest, path: string): Answer | Promise<Answer> | undefined {
  switch (path) {
    case '/':
      return jsonAnswer(200, { paths: rootPaths(core) })
    case '/version':
    case '/version/':
      return jsonAnswer(200, versionInfo())
    case '/metrics':
      return textAnswer(200, core.metrics.render(core.store), 'text/plain; version=0.0.4; charset=utf-8')
    case '/.well-known/openid-configuration':
      return core.openId && jsonAnswer(200, core.openId.configuration())
    case '/openid/v1/jwks':
      return core.openId && { ...jsonAnswer(200, core.openId.keySet), contentType: 'application/jwk-set+json' }
    default:
      return path.startsWith('/openapi/') ? serveOpenApi(core, request, path) : undefined
  }
}

function rootPaths(core: Core): string[] {
  const fixed = ['/api', '/apis', '/healthz', '/livez', '/metrics', '/openapi/v2', '/openapi/v3', '/readyz', '/version']
  return [...new Set([...documentsOf(core).discovery.paths(), ...fixed])].sort()
}

function serveOpenApi(core: Core, request: ApiRequest, path: string): Answer | Promise<Answer> | undefined {
  const { openApi } = documentsOf(core)
  const { versions, openApi: theirs } = core.outside
  const outside = versions.isEmpty ? undefined : theirs
  if (path === '/openapi/v2') {
    const accept = request.header('accept')
    if (accept && !/json|\*\/\*/.test(accept))
      throw notAcceptable(`only the following media types are accepted: application/json`)
    const [own, hash] = [openApi.v2(), openApi.v2Hash()]
    if (!outside) return documentAnswer(own, hash)
    return outside.swagger(own, hash).then((whole) => documentAnswer(whole.document, whole.hash))
  }
  if (path === '/openapi/v3' || path === '/openapi/v3/')
    return outside ? outside.index(openApi.index()).then(indexAnswer) : indexAnswer(openApi.index())
  const part = path.startsWith('/openapi/v3/') ? path.slice('/openapi/v3/'.length) : ''
  const document = openApi.v3(part)
  if (document) return documentAnswer(document, openApi.v3Hash(part))
  return part ? { ...textAnswer(404, ''), contentType: '' } : undefined
}

const indexAnswer = (index: Buffer): Answer => ({ ...documentAnswer(index), contentType: 'text/plain; charset=utf-8' })

/** The hash in the address makes a document one that never changes, for clients that keep it. */
function documentAnswer(document: Buffer, hash?: string): ObjectAnswer {
  return {
    type: 'object',
    status: 200,
    contentType: 'application/json',
    ...(hash && { headers: { etag: `"${hash}"` } }),
    object: () => JSON.parse(document.toString()),
    chunks: () => [document],
  }
}

function serveDiscovery(core: Core, request: ApiRequest, path: string): Answer | undefined {
  const [root, group, version, ...rest] = path.replace(/\/$/, '').slice(1).split('/')
  const { discovery } = documentsOf(core)
  if (root !== 'api' && root !== 'apis') return undefined
  if (group === undefined) {
    if (wantsAggregated(request)) return aggregatedAnswer(core, request, root)
    return jsonAnswer(200, root === 'api' ? discovery.coreVersions() : discovery.groupList())
  }
  if (root === 'api') return found(version === undefined ? discovery.resources('', group) : undefined)
  if (version === undefined) {
    const document = discovery.group(group)
    return document && jsonAnswer(200, document)
  }
  const document = rest.length === 0 ? discovery.resources(group, version) : undefined
  if (document) return jsonAnswer(200, document)
  return core.registry.servesGroup(group) ? found(undefined) : undefined
}

/** Who has it already, and says so, is answered that it is still so. */
function aggregatedAnswer(core: Core, request: ApiRequest, root: 'api' | 'apis'): Answer {
  const { discovery, aggregated } = documentsOf(core)
  let known = aggregated.get(root)
  if (!known) {
    const document = Buffer.from(JSON.stringify(discovery.aggregated(root === 'api')))
    known = { document, tag: createHash('sha256').update(document).digest('hex').slice(0, 32).toUpperCase() }
    aggregated.set(root, known)
  }
  const answer = { ...documentAnswer(known.document, known.tag), contentType: AGGREGATED }
  if (request.header('if-none-match') !== `"${known.tag}"`) return answer
  return { ...answer, status: 304, chunks: () => [] }
}

/** Below a group that is served, what is missing is a Status. */
function found(document: object | undefined): Answer {
  if (!document) throw noSuchResource()
  return jsonAnswer(200, document)
}

/** Throws a 406 when only a form of discovery is accepted that is not spoken here. */
function wantsAggregated(request: ApiRequest): boolean {
  const accept = request.header('accept')
  if (!accept) return false
  const json = parseAccept(accept).filter(({ type }) => type === 'application/json' || type === '*/*')
  for (const { parameters } of json) {
    const { as, g, v } = parameters
    if (as === undefined) return false
    if (as === 'APIGroupDiscoveryList' && g === 'apidiscovery.k8s.io' && v === 'v2') return true
  }
  throw notAcceptable(`only the following media types are accepted: ${ACCEPTED}`)
}
