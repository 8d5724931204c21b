/**
 * The way of a request, whichever door it came through: what does it ask for, may this user, which resource and view, and
 * then the verb. Admission and the store come behind the verbs.
 */
import { notFound, StatusError, unavailable } from '../api/status.ts'
import type { Attributes } from './auth/contract.ts'
import { forbiddenRequest } from './auth/forbidden.ts'
import type { Core } from './core.ts'
import { noSuchMethod, noSuchResource } from './failures.ts'
import type { Resource } from './registry.ts'
import type { Answer, ApiRequest } from './request/request.ts'
import { parseTarget, type ResourceTarget, type Target } from './request/target.ts'
import { create } from './verbs/create.ts'
import { remove } from './verbs/delete.ts'
import { removeCollection } from './verbs/deletecollection.ts'
import { get } from './verbs/get.ts'
import { list } from './verbs/list.ts'
import { patch } from './verbs/patch.ts'
import { answerQuestion } from './verbs/question.ts'
import { update } from './verbs/update.ts'
import { watch } from './verbs/watch.ts'
import { negotiate, type Representation } from './views/negotiate.ts'
import type { View } from './views/view.ts'

type Verb = (core: Core, request: ApiRequest, resource: Resource, target: ResourceTarget, view: View) => Answer | Promise<Answer>

const VERBS: Record<string, Verb> = {
  get,
  list,
  watch,
  create,
  update,
  patch,
  delete: remove,
  deletecollection: removeCollection,
}

/** Throws StatusError; an error of another kind is a defect of the server's. */
export async function serve(core: Core, request: ApiRequest): Promise<Answer> {
  const target = parseTarget(request.method, request.path, request.query.flag('watch'))
  const done = core.metrics.begin(target.verb, target.resource ? target.plural : '')
  let release: (() => void) | undefined
  try {
    // What the server's own parts ask for in process is not kept waiting behind others.
    if (!request.trusted) {
      const seat = core.fairness.take(request.user, target, () => request.signal)
      release = seat instanceof Promise ? await seat : seat
    }
    const answer = await route(core, request, target)
    done(answer.type === 'watch' ? 200 : answer.status)
    return answer
  } catch (error) {
    done(error instanceof StatusError ? error.code : 500)
    throw error
  } finally {
    release?.()
  }
}

async function route(core: Core, request: ApiRequest, target: Target): Promise<Answer> {
  if (core.closing.aborted) throw unavailable('the server is shutting down')
  await authorizeTarget(core, request, target)
  const elsewhere = core.outside.versions.ofPath(request.path)
  if (elsewhere && core.outside.passOn) return core.outside.passOn(request, elsewhere)
  if (!target.resource) {
    const { servePath } = await import('./discovery/paths.ts')
    return servePath(core, request, target.path)
  }
  const resource = core.registry.lookup(target.group, target.version, target.plural)
  if (!resource) return unknownResource(core, request, target)
  const { deprecation } = resource.definition
  if (deprecation) request.warnings.push(deprecation)
  if (target.subresource !== '') return serveSubresource(core, request, resource, target)
  checkRoute(resource, target, request.method)
  if (core.questions.has(target.plural)) return answerQuestion(core, request, resource, target)
  const { view, encoding } = await represent(core, request, resource, target)
  if (resource.definition.computed) {
    const { serveMetrics } = await import('./usage/serve.ts')
    return encoded(await serveMetrics(core, request, resource, target, view), encoding)
  }
  if (resource.definition.verbs.length === 1) {
    const { POSTED } = await import('./subresources/subresources.ts')
    const posted = POSTED[`${target.group}/${target.plural}`]
    if (posted) return posted(core, request, resource, target, view)
  }
  return encoded(await VERBS[target.verb]!(core, request, resource, target, view), encoding)
}

/** Throws a 403. */
export async function authorizeTarget(core: Core, request: ApiRequest, target: Target): Promise<void> {
  const attributes = attributesOf(request, target)
  const decision = core.authorizer.authorize(attributes)
  const { allowed, reason } = decision instanceof Promise ? await decision : decision
  if (request.annotations) {
    request.annotations['authorization.k8s.io/decision'] = allowed ? 'allow' : 'forbid'
    request.annotations['authorization.k8s.io/reason'] = reason
  }
  if (!allowed) throw forbiddenRequest(attributes, reason)
}

function attributesOf(request: ApiRequest, target: Target): Attributes {
  const { user } = request
  if (!target.resource) return { user, verb: target.verb, path: target.path }
  const { verb, group, version, plural, subresource, namespace } = target
  const pinned = verb === 'list' || verb === 'watch' ? pinnedName(request) : ''
  return { user, verb, group, version, resource: plural, subresource, namespace, name: target.name || pinned }
}

/** The name that `fieldSelector=metadata.name=…` pins: who may read that object may list it alone. */
function pinnedName(request: ApiRequest): string {
  const selector = request.query.get('fieldSelector')
  return /^metadata\.name==?([^,=!]+)$/.exec(selector ?? '')?.[1] ?? ''
}

/** Groups that are not served are plain missing pages, as nothing is registered there. */
async function unknownResource(core: Core, request: ApiRequest, target: ResourceTarget): Promise<Answer> {
  if (target.group === '' || core.registry.servesBuiltInGroup(target.group)) throw noSuchResource()
  const { missingPage } = await import('./discovery/paths.ts')
  return missingPage(request.path)
}

function checkRoute(resource: Resource, target: ResourceTarget, method: string): void {
  const { namespaced, verbs } = resource.definition
  const isNamespaces = !namespaced && target.plural === 'namespaces'
  if (target.rest !== '') throw noSuchResource()
  if (namespaced ? target.namespace === '' && target.name !== '' : target.namespace !== '' && !isNamespaces)
    throw noSuchResource()
  const onCollection = target.name === ''
  const { verb } = target
  if (!VERBS[verb] || method === 'HEAD' || !(verbs as readonly string[]).includes(verb)) throw noSuchMethod()
  if (onCollection ? verb === 'update' || verb === 'patch' : verb === 'create') throw noSuchMethod()
  const acrossNamespaces = namespaced && target.namespace === ''
  if (acrossNamespaces && verb !== 'list' && verb !== 'watch') throw noSuchMethod()
}

async function represent(core: Core, request: ApiRequest, resource: Resource, target: ResourceTarget): Promise<Representation> {
  return negotiate(request.header('accept'), {
    isList: target.verb === 'list' || target.verb === 'deletecollection',
    isWatch: target.verb === 'watch',
    hasProtobuf: typeof resource.definition.schema === 'string',
    includeObject: request.query.get('includeObject'),
    clock: core.clock,
  })
}

/** Kept: every status is written through them, and an import costs something each time. */
let subresources: typeof import('./subresources/subresources.ts') | undefined

async function serveSubresource(core: Core, request: ApiRequest, resource: Resource, target: ResourceTarget): Promise<Answer> {
  const definition = resource.definition.subresources.find(({ name }) => name === target.subresource)
  if (!definition && resource.itemsCarryKind) throw notFound(resource.name, target.name)
  if (!definition || (resource.definition.namespaced && target.namespace === '')) throw noSuchResource()
  if (target.rest !== '' && target.subresource !== 'proxy') throw noSuchResource()
  subresources ??= await import('./subresources/subresources.ts')
  const handlers = subresources.SUBRESOURCES[target.subresource]
  if (!handlers) throw noSuchResource()
  const handler = handlers[target.verb]
  if (!handler || request.method === 'HEAD') throw noSuchMethod()
  const { view, encoding } = await represent(core, request, resource, target)
  return encoded(await handler(core, request, resource, target, view), encoding)
}

async function encoded(answer: Answer, encoding: Representation['encoding']): Promise<Answer> {
  if (encoding === 'json' || answer.type !== 'object') return answer
  const { reencode } = await import('./views/encodings.ts')
  return reencode(answer, encoding)
}
