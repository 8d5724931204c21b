/** The query and path parameters of the API's operations. */
export interface Parameter {
  readonly name: string
  readonly in: 'query' | 'path'
  readonly type: 'string' | 'integer' | 'boolean'
}

export type Action = 'get' | 'list' | 'post' | 'put' | 'patch' | 'delete' | 'deletecollection' | 'connect'

const strings = (...names: string[]): Parameter[] => names.map((name) => ({ name, in: 'query', type: 'string' }))
const integers = (...names: string[]): Parameter[] => names.map((name) => ({ name, in: 'query', type: 'integer' }))
const booleans = (...names: string[]): Parameter[] => names.map((name) => ({ name, in: 'query', type: 'boolean' }))

export const PRETTY: Parameter = strings('pretty')[0]!

const LIST = [
  ...booleans('allowWatchBookmarks', 'sendInitialEvents', 'watch'),
  ...strings('continue', 'fieldSelector', 'labelSelector', 'resourceVersion', 'resourceVersionMatch'),
  ...integers('limit', 'timeoutSeconds'),
]
const WRITE = strings('dryRun', 'fieldManager', 'fieldValidation')
const DELETE = [
  ...strings('dryRun', 'propagationPolicy'),
  ...integers('gracePeriodSeconds'),
  ...booleans('ignoreStoreReadErrorWithClusterBreakingPotential', 'orphanDependents'),
]
const SELECTED = new Set([
  'continue',
  'fieldSelector',
  'labelSelector',
  'resourceVersion',
  'resourceVersionMatch',
  'sendInitialEvents',
  'limit',
  'timeoutSeconds',
])

const BY_ACTION: Record<Action, readonly Parameter[]> = {
  get: [],
  list: LIST,
  post: WRITE,
  put: WRITE,
  patch: [...WRITE, ...booleans('force')],
  delete: DELETE,
  deletecollection: [...DELETE, ...LIST.filter(({ name }) => SELECTED.has(name))],
  connect: [],
}

const STREAMS = [...booleans('stderr', 'stdin', 'stdout', 'tty'), ...strings('container')]
const BY_SUBRESOURCE: Readonly<Record<string, readonly Parameter[]>> = {
  attach: STREAMS,
  exec: [...STREAMS, ...strings('command')],
  log: [
    ...strings('container', 'sinceTime', 'stream'),
    ...booleans('follow', 'insecureSkipTLSVerifyBackend', 'previous', 'timestamps'),
    ...integers('limitBytes', 'sinceSeconds', 'tailLines'),
  ],
  portforward: integers('ports'),
  proxy: strings('path'),
}

/** What an operation takes besides what its path takes, by name. */
export function parametersOf(action: Action, subresource: string | undefined): Parameter[] {
  const own = action === 'get' || action === 'connect' ? (BY_SUBRESOURCE[subresource ?? ''] ?? []) : []
  return [...BY_ACTION[action], ...own].sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** The parameters in the braces of a path, and what every operation takes. */
export function pathParameters(path: string): Parameter[] {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map((match): Parameter => ({ name: match[1]!, in: 'path', type: 'string' }))
  return [...inPath, PRETTY]
}
