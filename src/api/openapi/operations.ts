/**
 * Which operations a set of resources has, dialect-free: paths, methods, what goes in and what comes out. `v3.ts` and `v2.ts` write them.
 */
import type { ResourceDefinition, SubresourceDefinition } from '../definition.ts'
import { builtinSchema, kindSchema } from '../schema/builtin.ts'
import type { StructSchema } from '../schema/schema.ts'
import type { Component, Components, GroupVersionKind } from './components.ts'
import { type Action, type Parameter, parametersOf } from './parameters.ts'

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete'

export interface Operation {
  readonly path: string
  readonly method: Method
  readonly id: string
  readonly tag: string
  /** Absent for discovery. */
  readonly action: Action | undefined
  readonly gvk: GroupVersionKind | undefined
  readonly parameters: readonly Parameter[]
  /** Undefined: no body. */
  readonly body: Component | undefined
  /** Undefined: plain text. */
  readonly answer: Component | undefined
  /** The codes of success. */
  readonly codes: readonly number[]
  /** Whether list answers may be watch streams. */
  readonly watchable: boolean
  /** Whether patches may be strategic, which custom resources have no schema for; kubectl asks the document. */
  readonly strategic: boolean
}

const CODES: Record<Action, readonly number[]> = {
  get: [200],
  list: [200],
  post: [200, 201, 202],
  put: [200, 201],
  patch: [200, 201],
  delete: [200, 202],
  deletecollection: [200],
  connect: [200],
}
const METHODS: Record<Exclude<Action, 'connect'>, Method> = {
  get: 'get',
  list: 'get',
  post: 'post',
  put: 'put',
  patch: 'patch',
  delete: 'delete',
  deletecollection: 'delete',
}
const WORDS: Record<Action, string> = {
  get: 'read',
  list: 'list',
  post: 'create',
  put: 'replace',
  patch: 'patch',
  delete: 'delete',
  deletecollection: 'deleteCollection',
  connect: 'connect',
}
const CONNECT_METHODS: Readonly<Record<string, readonly Method[]>> = { proxy: ['get', 'post', 'put', 'patch', 'delete'] }

/** `/api/v1` or `/apis/apps/v1`. */
export function rootOf(group: string, version: string): string {
  return group === '' ? `/api/${version}` : `/apis/${group}/${version}`
}

/** All operations of the resources of one group and version, discovery first. */
export function operationsOf(definitions: readonly ResourceDefinition[], components: Components): Operation[] {
  const first = definitions[0]
  if (!first) return []
  const operations = [
    discovery(`${rootOf(first.group, first.version)}/`, 'APIResourceList', first.group, first.version, components),
  ]
  for (const definition of definitions) operations.push(...resourceOperations(definition, components))
  return operations
}

/** What `GET /apis/`, `GET /apis/apps/` and the like answer. */
export function discovery(path: string, answer: string, group: string, version: string, components: Components): Operation {
  const words = nameOf(group, version)
  return {
    ...{ path, method: 'get', id: `get${words.camel}${answer}`, tag: words.tag, action: undefined, gvk: undefined },
    ...{
      parameters: [],
      body: undefined,
      answer: components.builtin(builtinSchema(`meta/v1.${answer}`)),
      codes: [200],
      watchable: false,
      strategic: false,
    },
  }
}

interface Bodies {
  object: Component
  list: Component
  /** What a delete answers. */
  deleted: Component
}

function resourceOperations(definition: ResourceDefinition, components: Components): Operation[] {
  const { group, version, kind, plural, namespaced } = definition
  const root = rootOf(group, version)
  const collection = namespaced ? `${root}/namespaces/{namespace}/${plural}` : `${root}/${plural}`
  const bodies = bodiesOf(definition, components)
  const has = (verb: string) => (definition.verbs as readonly string[]).includes(verb)
  const make = (path: string, action: Exclude<Action, 'connect'>, suffix = ''): Operation => {
    const words = nameOf(group, version)
    const scope = namespaced && suffix === '' ? 'Namespaced' : ''
    const collected = action === 'deletecollection' ? 'Collection' : ''
    const word = WORDS[action].replace('Collection', '')
    return {
      ...{
        path,
        method: METHODS[action],
        id: `${word}${words.camel}${collected}${scope}${kind}${suffix}`,
        tag: words.tag,
        action,
      },
      ...{ gvk: { group, kind, version }, parameters: parametersOf(action, undefined), codes: CODES[action] },
      ...{ body: bodyOf(action, bodies, components), answer: answerOf(action, bodies, components) },
      watchable: action === 'list' && has('watch'),
      strategic: typeof definition.schema === 'string',
    }
  }
  const named = `${collection}/{name}`
  const operations: Operation[] = []
  if (has('list')) operations.push(make(collection, 'list'))
  if (has('create')) operations.push(make(collection, 'post'))
  if (has('deletecollection')) operations.push(make(collection, 'deletecollection'))
  if (has('get')) operations.push(make(named, 'get'))
  if (has('update')) operations.push(make(named, 'put'))
  if (has('patch')) operations.push(make(named, 'patch'))
  if (has('delete')) operations.push(make(named, 'delete'))
  if (namespaced && has('list')) operations.push(make(`${root}/${plural}`, 'list', 'ForAllNamespaces'))
  for (const subresource of definition.subresources)
    operations.push(...subresourceOperations(definition, subresource, named, components))
  return operations
}

function bodiesOf(definition: ResourceDefinition, components: Components): Bodies {
  const { schema } = definition
  const status = components.builtin(builtinSchema('meta/v1.Status'))
  if (typeof schema !== 'string') return { ...components.custom(definition), deleted: status }
  const object = components.builtin(builtinSchema(schema))
  const list = kindSchema(definition.group, definition.version, `${definition.kind}List`)
  return { object, list: list ? components.builtin(list) : object, deleted: definition.strategy.returnsDeleted ? object : status }
}

function bodyOf(action: Action, bodies: Bodies, components: Components): Component | undefined {
  if (action === 'post' || action === 'put') return bodies.object
  if (action === 'patch') return patchBody(components)
  if (action === 'delete' || action === 'deletecollection') return components.builtin(builtinSchema('meta/v1.DeleteOptions'))
  return undefined
}

export function patchBody(components: Components): Component {
  return components.plain('io.k8s.apimachinery.pkg.apis.meta.v1.Patch', { type: 'object' })
}

function answerOf(action: Action, bodies: Bodies, components: Components): Component {
  if (action === 'list') return bodies.list
  if (action === 'deletecollection') return components.builtin(builtinSchema('meta/v1.Status'))
  return action === 'delete' ? bodies.deleted : bodies.object
}

function subresourceOperations(
  definition: ResourceDefinition,
  subresource: SubresourceDefinition,
  named: string,
  components: Components,
): Operation[] {
  const { group, version, kind } = definition
  const path = `${named}/${subresource.name}`
  const words = nameOf(group, version)
  const own = subresource.kind.kind === kind && subresource.kind.group === group
  const object = own ? bodiesOf(definition, components).object : subresourceObject(subresource, components)
  const title = `${definition.namespaced ? 'Namespaced' : ''}${kind}${capital(subresource.name)}`
  const make = (action: Action, method: Method, idWord: string): Operation => ({
    ...{ path, method, id: `${WORDS[action]}${words.camel}${idWord}${title}`, tag: words.tag, action },
    ...{
      gvk: { ...subresource.kind },
      parameters: parametersOf(action, subresource.name),
      codes: CODES[action],
      watchable: false,
      strategic: typeof definition.schema === 'string',
    },
    body: action === 'post' || action === 'put' ? object : action === 'patch' ? patchBody(components) : undefined,
    answer: action === 'connect' || subresource.name === 'log' ? undefined : object,
  })
  if (isConnection(subresource)) {
    const methods = CONNECT_METHODS[subresource.name] ?? (['get', 'post'] as const)
    return methods.map((method) => make('connect', method, capital(method)))
  }
  const actions: Partial<Record<string, Exclude<Action, 'connect'>>> = {
    get: 'get',
    create: 'post',
    update: 'put',
    patch: 'patch',
  }
  return subresource.verbs.flatMap((verb) => {
    const action = actions[verb]
    return action ? [make(action, METHODS[action], '')] : []
  })
}

function isConnection({ kind, verbs }: SubresourceDefinition): boolean {
  return verbs.includes('connect') || /^(Pod(Attach|Exec|PortForward|Proxy)|NodeProxy|ServiceProxy)Options$/.test(kind.kind)
}

function subresourceObject({ kind, name }: SubresourceDefinition, components: Components): Component {
  const schema: StructSchema | undefined = kindSchema(kind.group, kind.version, kind.kind)
  if (!schema) throw new Error(`the subresource ${name} is of the unknown kind ${kind.kind}`)
  return components.builtin(schema)
}

/** `rbac.authorization.k8s.io/v1` as `RbacAuthorizationV1` and `rbacAuthorization_v1`; the core group as `CoreV1`, `core_v1`. */
function nameOf(group: string, version: string): { camel: string; tag: string } {
  const parts = (group === '' ? 'core' : group.replace(/\.k8s\.io$/, '')).split(/[.-]/)
  const camel = parts.map(capital).join('')
  if (version === '') return { camel, tag: camel.charAt(0).toLowerCase() + camel.slice(1) }
  return { camel: `${camel}${capital(version)}`, tag: `${camel.charAt(0).toLowerCase()}${camel.slice(1)}_${version}` }
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1)
}
