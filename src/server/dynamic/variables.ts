/** What expressions about a request may name: the object, the one before, the request itself, who sends it. */

import { type Ask, authorizerFor, resourceCheck, type Subject } from '../../api/cel/authorizer.ts'
import { fromJson, type Value } from '../../api/cel/values.ts'
import type { ObjectKind, ResourceDefinition } from '../../api/definition.ts'
import type { AdmissionRequest } from '../admission/contract.ts'
import type { Environment } from './environment.ts'
import { inVersion, type Matched } from './matching.ts'

/** The values, each made when it is first asked for; `matched` is the version that the rules name. */
export function valuesOf(environment: Environment, request: AdmissionRequest, matched: Matched): Map<string, () => Value> {
  const shown = (object: AdmissionRequest['object']) => fromJson(object && inVersion(object, request.kind, matched.kind))
  return new Map<string, () => Value>([
    ['object', lazily(() => shown(request.object))],
    ['oldObject', lazily(() => shown(request.old))],
    ['request', lazily(() => requestValue(request, matched))],
    ['authorizer', () => authorizerFor(ask(environment), userOf(request))],
    ['authorizer.requestResource', () => checkOf(ask(environment), userOf(request), request, matched.definition)],
  ])
}

export function lazily(make: () => Value): () => Value {
  let made: { value: Value } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}

function requestValue(request: AdmissionRequest, { definition, kind: matchedKind }: Matched): Value {
  const { user, namespace, subresource, operation, dryRun, options, object } = request
  const kindOf = ({ group, version, kind }: ObjectKind) => ({ group, version, kind })
  const resourceOf = ({ group, version, plural }: ResourceDefinition) => ({ group, version, resource: plural })
  const name = request.name || object?.metadata?.name
  return fromJson({
    ...{ kind: kindOf(matchedKind), resource: resourceOf(definition), subResource: subresource },
    ...{
      requestKind: kindOf(request.kind),
      requestResource: resourceOf(request.definition),
      requestSubResource: subresource,
    },
    ...{ name: name ?? '', operation, dryRun, options: options ?? null },
    ...(namespace && { namespace }),
    userInfo: { username: user.name, uid: user.uid ?? '', groups: user.groups, extra: user.extra ?? {} },
  })
}

function userOf({ user }: AdmissionRequest): Subject {
  return user
}

/** Asks the server's own authorizer, which knows its rules by heart; one that would have to ask elsewhere allows nothing here. */
function ask({ authorizer }: Environment): Ask {
  return (question) => {
    const whole = 'path' in question ? question : { version: '*', subresource: '', namespace: '', name: '', ...question }
    const decision = authorizer.authorize(whole as never)
    return decision instanceof Promise ? { allowed: false, reason: 'the authorizer does not answer at once' } : decision
  }
}

function checkOf(asks: Ask, user: Subject, request: AdmissionRequest, { group, version, plural }: ResourceDefinition): Value {
  const { namespace, subresource } = request
  const name = request.name || (request.object?.metadata?.name ?? '')
  return resourceCheck(asks, user, { group, version, resource: plural, subresource, namespace, name })
}
