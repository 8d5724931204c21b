/** What a path and a method ask for: Kubernetes' paths are regular, so this is the whole router. */

/** A request about a resource, or about a path that is none. */
export type Target = ResourceTarget | PathTarget

export interface ResourceTarget {
  readonly resource: true
  /** The verb as authorization knows it. */
  readonly verb: string
  readonly group: string
  readonly version: string
  readonly plural: string
  readonly subresource: string
  /** What follows the subresource. */
  readonly rest: string
  readonly namespace: string
  readonly name: string
}

export interface PathTarget {
  readonly resource: false
  readonly verb: string
  readonly path: string
}

/** What `/namespaces/NAME/x` means a subresource of the namespace by; every other x is a resource inside it. */
const NAMESPACE_SUBRESOURCES = new Set(['status', 'finalize'])
const METHOD_VERBS: Record<string, string> = {
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
  GET: 'get',
  HEAD: 'get',
}

const LONG_RUNNING = new Set(['attach', 'exec', 'log', 'portforward', 'proxy'])

/** Whether a request goes on for as long as its two ends like: Kubernetes audits its beginning too, and lets it have no seat. */
export function isLongRunning(target: Target): boolean {
  return target.resource && (target.verb === 'watch' || LONG_RUNNING.has(target.subresource))
}

/** `watch` says whether the query asks for one. */
export function parseTarget(method: string, path: string, watch: boolean): Target {
  const segments = decodePath(path).split('/')
  const parsed = parseResource(segments[0] === '' ? segments.slice(1) : segments)
  if (!parsed) return { resource: false, verb: method.toLowerCase(), path }
  const { watchPath, ...place } = parsed
  return { resource: true, verb: verbOf(method, place.name, watch, watchPath), ...place }
}

/** An encoded slash separates like a plain one; a path that is not well encoded stands for itself. */
function decodePath(path: string): string {
  if (!path.includes('%')) return path
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

function verbOf(method: string, name: string, watch: boolean, watchPath: boolean): string {
  const verb = METHOD_VERBS[method] ?? method.toLowerCase()
  if (verb === 'get' && watchPath) return 'watch'
  if (name !== '') return verb
  if (verb === 'get') return watch ? 'watch' : 'list'
  return verb === 'delete' ? 'deletecollection' : verb
}

type Place = Omit<ResourceTarget, 'resource' | 'verb'> & { watchPath: boolean }

/** `api/v1/…` or `apis/GROUP/VERSION/…`, with at least a resource behind it. */
function parseResource(segments: string[]): Place | undefined {
  const isCore = segments[0] === 'api'
  if (!isCore && segments[0] !== 'apis') return undefined
  const group = isCore ? '' : (segments[1] ?? '')
  const version = (isCore ? segments[1] : segments[2]) ?? ''
  let rest = segments.slice(isCore ? 2 : 3)
  if (rest.at(-1) === '') rest = rest.slice(0, -1)
  const watchPath = rest[0] === 'watch' && rest.length > 1
  if (watchPath) rest = rest.slice(1)
  if (rest.length === 0 || version === '' || (!isCore && group === '')) return undefined
  return { group, version, watchPath, ...parsePlace(rest) }
}

function parsePlace(rest: string[]): Pick<Place, 'namespace' | 'plural' | 'name' | 'subresource' | 'rest'> {
  const [first = '', name = '', third = ''] = rest
  const inNamespace = first === 'namespaces' && rest.length > 2 && !NAMESPACE_SUBRESOURCES.has(third)
  if (!inNamespace) {
    const namespace = first === 'namespaces' ? name : ''
    return { namespace, plural: first, name, subresource: third, rest: rest.slice(3).join('/') }
  }
  return { namespace: name, plural: third, name: rest[3] ?? '', subresource: rest[4] ?? '', rest: rest.slice(5).join('/') }
}
