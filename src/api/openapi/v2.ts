/** Writes the one Swagger 2.0 document of the whole API. */
import type { Components } from './components.ts'
import { type Operation, patchBody } from './operations.ts'
import { type Parameter, pathParameters } from './parameters.ts'
import { collect, PATCH_TYPES, STRATEGIC_PATCH_TYPES } from './v3.ts'

type Node = Record<string, unknown>

const CODE_WORDS: Readonly<Record<number, string>> = { 200: 'OK', 201: 'Created', 202: 'Accepted' }
const SECURITY = {
  BearerToken: { type: 'apiKey', name: 'authorization', in: 'header', description: 'Bearer Token authentication' },
}

/** The document's JSON text. */
export function writeV2(operations: readonly Operation[], components: Components, version: string): string {
  const paths: Record<string, Node> = {}
  for (const operation of operations) {
    const item = paths[operation.path] ?? { parameters: pathParameters(operation.path).map(writeParameter) }
    paths[operation.path] = item
    item[operation.method] = writeOperation(operation, components)
  }
  const head = JSON.stringify({ swagger: '2.0', info: { title: 'Kubernetes', version }, paths })
  const definitions = collect(operations).map((component) => `${JSON.stringify(component.id)}:${component.json}`)
  const tail = JSON.stringify({ securityDefinitions: SECURITY, security: [{ BearerToken: [] }] })
  return `${head.slice(0, -1)},"definitions":{${definitions.join(',')}},${tail.slice(1)}`
}

function writeParameter({ name, in: place, type }: Parameter): Node {
  return { name, in: place, ...(place === 'path' && { required: true }), type, uniqueItems: true }
}

function writeOperation(operation: Operation, components: Components): Node {
  const { body, answer, action, gvk } = operation
  const patchTypes = operation.strategic ? STRATEGIC_PATCH_TYPES : PATCH_TYPES
  const schema = answer ? { $ref: components.pathOf(answer.id) } : { type: 'string' }
  const responses = Object.fromEntries(operation.codes.map((code) => [code, { description: CODE_WORDS[code], schema }]))
  const isDelete = action === 'delete' || action === 'deletecollection'
  const inBody = body && {
    name: 'body',
    in: 'body',
    ...(!isDelete && { required: true }),
    schema: { $ref: components.pathOf(body.id) },
  }
  return {
    tags: [operation.tag],
    operationId: operation.id,
    consumes: body === patchBody(components) ? patchTypes : ['*/*'],
    produces: answer ? ['application/json', 'application/yaml'] : ['text/plain'],
    schemes: ['https'],
    parameters: [...(inBody ? [inBody] : []), ...operation.parameters.map(writeParameter)],
    responses: { ...responses, 401: { description: 'Unauthorized' } },
    ...(action && { 'x-kubernetes-action': action }),
    ...(gvk && { 'x-kubernetes-group-version-kind': gvk }),
  }
}
