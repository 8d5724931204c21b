import { describe, expect, it } from 'vitest'
import type { ResourceDefinition } from '../../../src/api/definition.ts'
import { builtinDefinitions } from '../../../src/api/definitions.ts'
import { OpenApiDocuments } from '../../../src/api/openapi/documents.ts'
import { compileStructural } from '../../../src/api/schema/structural.ts'

// biome-ignore lint/suspicious/noExplicitAny: documents are read freely here.
type Json = any

const cronTab: ResourceDefinition = {
  group: 'stable.example.com',
  version: 'v1',
  kind: 'CronTab',
  plural: 'crontabs',
  singular: 'crontab',
  shortNames: [],
  categories: [],
  namespaced: true,
  verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
  columns: [],
  subresources: [
    { name: 'status', kind: { group: 'stable.example.com', version: 'v1', kind: 'CronTab' }, verbs: ['get', 'update', 'patch'] },
  ],
  strategy: {},
  schema: compileStructural({
    type: 'object',
    properties: {
      spec: {
        type: 'object',
        required: ['cronSpec'],
        properties: {
          cronSpec: { type: 'string', description: 'When.', nullable: true },
          port: { 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] },
        },
      },
    },
  }),
}

const documents = new OpenApiDocuments([...builtinDefinitions, cronTab], 'v1.36.0')
const v3 = (path: string): Json => JSON.parse(documents.v3(path)!.toString())
const index = JSON.parse(documents.index().toString()) as { paths: Record<string, { serverRelativeURL: string }> }
const v2: Json = JSON.parse(documents.v2().toString())

/** Every `$ref` within; a JSON schema has a property of that name. */
function refs(node: unknown, found: Set<string> = new Set()): Set<string> {
  if (typeof node !== 'object' || node === null) return found
  for (const [key, value] of Object.entries(node)) {
    if (key === '$ref' && typeof value === 'string') found.add(value)
    else refs(value, found)
  }
  return found
}

describe('the index', () => {
  it('has a document for everything that is served', () => {
    expect(Object.keys(index.paths)).toEqual(
      expect.arrayContaining(['api', 'api/v1', 'apis', 'apis/apps', 'apis/apps/v1', 'version']),
    )
    for (const [path, { serverRelativeURL }] of Object.entries(index.paths)) {
      expect(serverRelativeURL).toBe(`/openapi/v3/${path}?hash=${documents.v3Hash(path)}`)
      expect(v3(path).openapi).toBe('3.0.0')
    }
    expect(documents.v3('apis/no.such.group/v1')).toBeUndefined()
  })

  it('has a new hash for what has changed, and the old one for the rest', () => {
    const other = new OpenApiDocuments(
      [...builtinDefinitions, { ...cronTab, schema: compileStructural({ type: 'object' }) }],
      'v1.36.0',
    )
    expect(other.v3Hash('apis/stable.example.com/v1')).not.toBe(documents.v3Hash('apis/stable.example.com/v1'))
    expect(other.v3Hash('apis/apps/v1')).toBe(documents.v3Hash('apis/apps/v1'))
    expect(other.v2Hash()).not.toBe(documents.v2Hash())
  })
})

describe('every document', () => {
  it.each(Object.keys(index.paths))('%s resolves its references and names its operations once', (path) => {
    const document = v3(path)
    for (const ref of refs(document)) {
      expect(ref).toMatch(/^#\/components\/schemas\//)
      expect(document.components.schemas, ref).toHaveProperty([ref.slice('#/components/schemas/'.length)])
    }
    const ids = Object.values(document.paths as Record<string, Json>).flatMap((item) =>
      Object.values(item as Record<string, Json>).flatMap((operation) => operation.operationId ?? []),
    )
    expect(new Set(ids).size).toBe(ids.length)
  })

  it('v2 does, too', () => {
    expect(v2.swagger).toBe('2.0')
    for (const ref of refs(v2)) expect(v2.definitions, ref).toHaveProperty([ref.slice('#/definitions/'.length)])
    expect(Object.keys(v2.definitions)).toEqual(
      expect.arrayContaining(['io.k8s.api.core.v1.Pod', 'com.example.stable.v1.CronTab']),
    )
  })
})

describe('what clients look for', () => {
  it('patch says that it takes fieldValidation and dryRun, and of what kind it is', () => {
    const { patch } = v3('apis/apps/v1').paths['/apis/apps/v1/namespaces/{namespace}/deployments/{name}']
    expect(patch['x-kubernetes-group-version-kind']).toEqual({ group: 'apps', kind: 'Deployment', version: 'v1' })
    expect(patch['x-kubernetes-action']).toBe('patch')
    expect(patch.parameters.map((parameter: Json) => parameter.name)).toEqual([
      'dryRun',
      'fieldManager',
      'fieldValidation',
      'force',
    ])
    expect(Object.keys(patch.requestBody.content)).toContain('application/strategic-merge-patch+json')
  })

  it('types carry how lists merge', () => {
    const { schemas } = v3('api/v1').components
    expect(schemas['io.k8s.api.core.v1.PodSpec'].required).toEqual(['containers'])
    expect(schemas['io.k8s.api.core.v1.PodSpec'].properties.volumes).toEqual({
      type: 'array',
      items: { $ref: '#/components/schemas/io.k8s.api.core.v1.Volume' },
      'x-kubernetes-list-map-keys': ['name'],
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-patch-merge-key': 'name',
      'x-kubernetes-patch-strategy': 'merge,retainKeys',
    })
    expect(schemas['io.k8s.api.core.v1.ContainerPort'].properties.protocol).toMatchObject({
      default: 'TCP',
      enum: ['SCTP', 'TCP', 'UDP'],
    })
    expect(schemas['io.k8s.api.core.v1.Pod']['x-kubernetes-group-version-kind']).toEqual([
      { group: '', kind: 'Pod', version: 'v1' },
    ])
    expect(schemas['io.k8s.api.core.v1.ObjectReference']['x-kubernetes-group-version-kind']).toBeUndefined()
    expect(
      schemas['io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions']['x-kubernetes-group-version-kind'].length,
    ).toBeGreaterThan(20)
    const strategy = v3('apis/apps/v1').components.schemas['io.k8s.api.apps.v1.DeploymentSpec'].properties.strategy
    expect(strategy).toEqual({
      allOf: [{ $ref: '#/components/schemas/io.k8s.api.apps.v1.DeploymentStrategy' }],
      'x-kubernetes-patch-strategy': 'retainKeys',
    })
  })

  it('subresources have operations of their own kinds', () => {
    const { paths } = v3('api/v1')
    const pod = '/api/v1/namespaces/{namespace}/pods/{name}'
    expect(Object.keys(paths[`${pod}/status`])).toEqual(['parameters', 'get', 'patch', 'put'])
    expect(paths[`${pod}/eviction`].post['x-kubernetes-group-version-kind'].kind).toBe('Eviction')
    expect(paths[`${pod}/exec`].get['x-kubernetes-action']).toBe('connect')
    expect(paths[`${pod}/log`].get.parameters.map((parameter: Json) => parameter.name)).toContain('tailLines')
    expect(paths['/api/v1/pods'].get.operationId).toBe('listCoreV1PodForAllNamespaces')
  })

  it('custom resources are described as their definitions have them, and take no strategic patch', () => {
    const document = v3('apis/stable.example.com/v1')
    const schema = document.components.schemas['com.example.stable.v1.CronTab']
    expect(schema.properties.spec.properties.cronSpec).toEqual({ type: 'string', description: 'When.', nullable: true })
    expect(schema.properties.metadata).toEqual({ $ref: '#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta' })
    expect(schema['x-kubernetes-group-version-kind']).toEqual([{ group: 'stable.example.com', kind: 'CronTab', version: 'v1' }])
    const { patch } = document.paths['/apis/stable.example.com/v1/namespaces/{namespace}/crontabs/{name}']
    expect(Object.keys(patch.requestBody.content)).not.toContain('application/strategic-merge-patch+json')
    expect(v2.definitions['com.example.stable.v1.CronTab'].properties.spec.properties).toEqual({
      cronSpec: { type: 'string', description: 'When.' },
      port: { 'x-kubernetes-int-or-string': true },
    })
  })
})
