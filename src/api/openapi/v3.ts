/** Writes OpenAPI 3.0 documents, one for each group and version. */
import type { Component, Components } from './components.ts'
import { type Operation, patchBody } from './operations.ts'
import { type Parameter, pathParameters } from './parameters.ts'

type Node = Record<string, unknown>

const OBJECT_TYPES = ['application/json', 'application/yaml']
const WATCH_TYPES = ['application/json;stream=watch']
export const PATCH_TYPES = ['application/apply-patch+yaml', 'application/json-patch+json', 'application/merge-patch+json']
export const STRATEGIC_PATCH_TYPES = [...PATCH_TYPES, 'application/strategic-merge-patch+json']
const SECURITY = {
  BearerToken: { type: 'apiKey', name: 'authorization', in: 'header', description: 'Bearer Token authentication' },
}
const CODE_WORDS: Readonly<Record<number, string>> = { 200: 'OK', 201: 'Created', 202: 'Accepted' }

/** The document's JSON text. `version` is the API server's, as `/version` has it. */
export function writeV3(operations: readonly Operation[], components: Components, version: string): string {
  const paths: Record<string, Node> = {}
  for (const operation of operations) {
    const item = paths[operation.path] ?? { parameters: pathParameters(operation.path).map(writeParameter) }
    paths[operation.path] = item
    item[operation.method] = writeOperation(operation, components)
  }
  const head = JSON.stringify({ openapi: '3.0.0', info: { title: 'Kubernetes', version }, paths })
  const schemas = collect(operations).map((component) => `${JSON.stringify(component.id)}:${component.json}`)
  return `${head.slice(0, -1)},"components":{"schemas":{${schemas.join(',')}},"securitySchemes":${JSON.stringify(SECURITY)}}}`
}

/** Every component that the operations need, by name. */
export function collect(operations: readonly Operation[]): Component[] {
  const found = new Map<string, Component>()
  const visit = (component: Component | undefined): void => {
    if (!component || found.has(component.id)) return
    found.set(component.id, component)
    component.refs.forEach(visit)
  }
  for (const { body, answer } of operations) {
    visit(body)
    visit(answer)
  }
  return [...found.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
}

function writeParameter({ name, in: place, type }: Parameter): Node {
  return { name, in: place, ...(place === 'path' && { required: true }), schema: { type, uniqueItems: true } }
}

function writeOperation(operation: Operation, components: Components): Node {
  const { body, answer, action, gvk } = operation
  const patchTypes = operation.strategic ? STRATEGIC_PATCH_TYPES : PATCH_TYPES
  const bodyTypes = body === patchBody(components) ? patchTypes : ['*/*']
  const types = answer ? [...OBJECT_TYPES, ...(operation.watchable ? WATCH_TYPES : [])] : ['text/plain']
  const content = contentOf(types, answer ? { $ref: components.pathOf(answer.id) } : { type: 'string' })
  const responses = Object.fromEntries(operation.codes.map((code) => [code, { description: CODE_WORDS[code], content }]))
  const requestBody = body && {
    content: contentOf(bodyTypes, { $ref: components.pathOf(body.id) }),
    ...(action !== 'delete' && action !== 'deletecollection' && { required: true }),
  }
  return {
    tags: [operation.tag],
    operationId: operation.id,
    ...(operation.parameters.length > 0 && { parameters: operation.parameters.map(writeParameter) }),
    ...(requestBody && { requestBody }),
    responses: { ...responses, 401: { description: 'Unauthorized' } },
    ...(action && { 'x-kubernetes-action': action }),
    ...(gvk && { 'x-kubernetes-group-version-kind': gvk }),
  }
}

function contentOf(types: readonly string[], schema: Node): Node {
  return Object.fromEntries(types.map((type) => [type, { schema }]))
}
