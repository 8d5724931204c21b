/**
 * Requests that nobody thought of: each must be answered within its time by something that is no failure of the server's own. A
 * seed that found something stays below; `SKIFF_FUZZ_ROUNDS` and `SKIFF_FUZZ_SEED` look further.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ResourceDefinition } from '../../../src/api/definition.ts'
import { builtinDefinitions } from '../../../src/api/definitions.ts'
import { encodeProtobuf } from '../../../src/api/protobuf/envelope.ts'
import { builtinSchema } from '../../../src/api/schema/builtin.ts'
import { createRandom, type Random } from '../../api/random.ts'
import { type HttpAnswer, type HttpClient, httpsClient } from '../http/https-client.ts'
import { startServer, type TestServer } from '../start-server.ts'
import { invent, mutate } from './invent.ts'

const ROUNDS = Number(process.env.SKIFF_FUZZ_ROUNDS ?? 400)
const SEED = Number(process.env.SKIFF_FUZZ_SEED ?? 1)
const ANSWER_WITHIN_MS = 5000

/** Where Kubernetes itself answers 500, worded as it does. */
const KNOWN_500 = [
  /resourceVersion should not be set on objects to be created/,
  /strconv\.ParseUint/,
  /target\.(kind|name)/,
  /unable to find api field|patch type|unknown patch type|invalid patch|directive/i,
  /failed to create typed patch object|failed to create manager|failed to convert merged object|field not declared in schema|duplicate entries|invalid object type/i,
  /could not find the requested resource/,
  /more than one PodDisruptionBudget/,
]

let server: TestServer
let http: HttpClient
beforeAll(async () => {
  server = await startServer()
  http = await httpsClient(server)
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } }
  await server.call('POST', '/api/v1/namespaces/default/serviceaccounts', account)
})
afterAll(() => server.close())

interface Sent {
  method: string
  path: string
  body?: string
  headers: Record<string, string>
}

const apiVersionOf = ({ group, version }: ResourceDefinition) => (group ? `${group}/${version}` : version)

function objectOf(definition: ResourceDefinition, random: Random, name: string): Record<string, unknown> {
  const how = { random, wild: random.pick([0, 0, 0.01, 0.1]), filled: random.pick([0.1, 0.3, 0.6]) }
  const object = invent(builtinSchema(definition.schema as string), how) as Record<string, unknown>
  const kept = typeof object === 'object' && object !== null && !Array.isArray(object) ? object : {}
  return { ...kept, apiVersion: apiVersionOf(definition), kind: definition.kind, metadata: { ...metadataOf(kept), name } }
}

function metadataOf(object: Record<string, unknown>): object {
  const { metadata } = object
  if (typeof metadata !== 'object' || metadata === null) return {}
  const { namespace: _, resourceVersion: __, ...rest } = metadata as Record<string, unknown>
  return rest
}

const QUERIES = [
  ...[
    '',
    '',
    '',
    '?watch=1&timeoutSeconds=1',
    '?limit=1',
    '?limit=-1',
    '?continue=x',
    '?resourceVersion=0',
    '?resourceVersion=x',
  ],
  ...['?labelSelector=a%20in%20(', '?labelSelector=a,b!=c', '?fieldSelector=metadata.name=x', '?fieldSelector=x', '?dryRun=All'],
  ...['?dryRun=x', '?fieldValidation=Strict', '?fieldManager=m&force=true', '?pretty=1', '?propagationPolicy=Foreground'],
  ...['?gracePeriodSeconds=0', '?sendInitialEvents=true&watch=1&resourceVersionMatch=NotOlderThan&timeoutSeconds=1', '?%zz=1'],
]
const ACCEPTS = [
  ...['application/json', '*/*', 'application/vnd.kubernetes.protobuf', 'application/yaml', 'text/html', ''],
  ...['application/json;as=Table;g=meta.k8s.io;v=v1', 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1'],
]
const PATCHES = [
  ...['application/json-patch+json', 'application/merge-patch+json', 'application/strategic-merge-patch+json'],
  'application/apply-patch+yaml',
]

function invented(random: Random): Sent {
  const definition = random.pick(BUILTIN)
  const name = random.pick(['a', 'b', 'c'])
  const root = definition.group ? `/apis/${definition.group}/${definition.version}` : `/api/${definition.version}`
  const place = definition.namespaced ? `${root}/namespaces/${random.pick(['default', 'default', 'nowhere'])}` : root
  const collection = `${place}/${definition.plural}`
  const subresource = random.chance(0.2) ? `/${random.pick(['status', 'scale', 'eviction', 'binding', 'token', 'log', 'x'])}` : ''
  const method = random.pick(['GET', 'GET', 'POST', 'POST', 'POST', 'PUT', 'PATCH', 'PATCH', 'PATCH', 'DELETE'])
  const onCollection = method === 'POST' ? subresource === '' : random.chance(0.15)
  const path = (onCollection ? collection : `${collection}/${name}${subresource}`) + random.pick(QUERIES)
  const accept = random.pick(ACCEPTS)
  const headers: Record<string, string> = { ...(accept && { accept }) }
  if (method === 'GET' || (method === 'DELETE' && random.chance(0.7))) return { method, path, headers }
  return { method, path, headers, ...bodyOf(definition, method, name, headers, random) }
}

function bodyOf(
  definition: ResourceDefinition,
  method: string,
  name: string,
  headers: Record<string, string>,
  random: Random,
): { body: string } {
  const object = objectOf(definition, random, name)
  const type =
    method === 'PATCH' ? random.pick(PATCHES) : random.pick(['application/json', 'application/json', 'application/yaml'])
  headers['content-type'] = type
  if (type === 'application/json-patch+json') return { body: JSON.stringify(jsonPatch(object, random)) }
  const value = random.chance(0.2) ? mutate(object, random) : object
  const text = JSON.stringify(value)
  return { body: random.chance(0.03) ? text.slice(0, random.below(text.length + 1)) : text }
}

function jsonPatch(object: Record<string, unknown>, random: Random): unknown {
  return Array.from({ length: random.below(4) }, () => ({
    op: random.pick(['add', 'remove', 'replace', 'move', 'copy', 'test', 'x']),
    path: random.pick([
      '/metadata/labels',
      '/spec',
      '/spec/replicas',
      '/metadata/name',
      '',
      '/a~1b/-',
      'x',
      '/metadata/labels/a',
    ]),
    from: random.pick(['/spec', '/metadata', '', '/x']),
    value: random.pick([object.spec, null, 'x', 1, {}, []]),
  }))
}

const BUILTIN = builtinDefinitions.filter(({ schema }) => typeof schema === 'string')

async function send({ method, path, body, headers }: Sent): Promise<HttpAnswer> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ANSWER_WITHIN_MS} ms`)), ANSWER_WITHIN_MS)
  })
  try {
    return await Promise.race([http.send(method, path, body, headers), late])
  } finally {
    clearTimeout(timer)
  }
}

test('invented requests are answered, and never by a failure of the server’s own', { timeout: 120_000 }, async () => {
  const random = createRandom(SEED)
  const failures: string[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const sent = invented(random)
    const shown = `${sent.method} ${sent.path} ${JSON.stringify(sent.headers)} ${sent.body ?? ''}`
    try {
      const answer = await send(sent)
      const text = answer.body.toString()
      if (answer.status >= 500 && answer.status !== 501 && answer.status !== 503 && !KNOWN_500.some((known) => known.test(text)))
        failures.push(`${answer.status} ${text.slice(0, 400)} ← ${shown.slice(0, 1500)}`)
    } catch (error) {
      failures.push(`${(error as Error).message} ← ${shown.slice(0, 1500)}`)
    }
  }
  expect(failures).toEqual([])
  // It still works.
  expect((await http.send('GET', '/readyz')).body.toString()).toBe('ok')
})

test('protobuf that is cut or flipped is refused, not stumbled over', async () => {
  const random = createRandom(SEED)
  for (let round = 0; round < 60; round++) {
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `p${round}` }, data: { a: 'b' } }
    const bytes = encodeProtobuf(object)
    const at = random.below(bytes.length)
    if (random.chance(0.5)) bytes[at] = random.below(256)
    const body = random.chance(0.5) ? bytes.subarray(0, at) : bytes
    const headers = { 'content-type': 'application/vnd.kubernetes.protobuf' }
    const answer = await http.send('POST', '/api/v1/namespaces/default/configmaps', body, headers)
    expect([201, 400, 409, 415, 422]).toContain(answer.status)
  }
})
