/**
 * CONNECT: what exec, attach, port-forward and proxy are to admission. What is asked for stands in the query, and is an object there
 * (PodExecOptions, ServiceProxyOptions, …), which admission may change like any other.
 */
import type { KubeObject } from '../../api/object.ts'
import { builtinSchema } from '../../api/schema/builtin.ts'
import type { Field } from '../../api/schema/schema.ts'
import { badRequest } from '../../api/status.ts'
import { timestamp } from '../../base/clock.ts'
import type { Core } from '../core.ts'
import { noSuchResource } from '../failures.ts'
import type { Resource } from '../registry.ts'
import type { Query } from '../request/query.ts'
import type { ApiRequest } from '../request/request.ts'
import type { ResourceTarget } from '../request/target.ts'
import { Admission } from '../write/admit.ts'
import type { WriteCall } from '../write/call.ts'
import { partKind } from './part-kinds.ts'

/** The options as admission leaves them. Throws what it refuses with. */
export async function admitConnect(
  core: Core,
  request: ApiRequest,
  resource: Resource,
  target: ResourceTarget,
): Promise<KubeObject> {
  const kind = resource.definition.subresources.find(({ name }) => name === target.subresource)?.kind
  if (!kind) throw noSuchResource()
  const part = partKind(kind.group, kind.version, kind.kind)
  const object = { kind: part.kind, apiVersion: part.version, ...optionsOf(request.query, part.schema as string) } as KubeObject
  if (target.subresource === 'proxy' && target.rest !== '') object.path = target.rest
  const admission = new Admission(callOf(core, request, resource, target), {
    ...{ operation: 'CONNECT', name: target.name, object, kind: part },
  })
  await admission.mutate()
  await admission.validate()
  return object
}

/** A connection has no options of a write: whatever the query says is for the other end. */
function callOf(core: Core, request: ApiRequest, resource: Resource, target: ResourceTarget): WriteCall {
  const { namespace, name, subresource } = target
  return {
    ...{ core, request, resource, namespace, name, subresource },
    ...{ dryRun: false, force: false, fieldManager: '', options: undefined, now: timestamp(core.clock) },
  }
}

/** The fields that the query names. Throws a 400 for what is no number. */
function optionsOf(query: Query, schema: string): Record<string, unknown> {
  const options: Record<string, unknown> = {}
  for (const [name, field] of builtinSchema(schema).fields) {
    if (name === 'kind' || name === 'apiVersion' || !query.has(name)) continue
    options[name] = fieldValue(query, name, field)
  }
  return options
}

function fieldValue(query: Query, name: string, { schema }: Field): unknown {
  if (schema.kind === 'bool') return query.flag(name)
  if (schema.kind !== 'list') return query.get(name)
  const texts = query.all(name)
  return schema.element.kind === 'string' ? texts : texts.flatMap((text) => text.split(',')).map(number)
}

function number(text: string): number {
  if (!/^\d+$/.test(text)) throw badRequest(`strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`)
  return Number(text)
}
