import { expect, it } from 'vitest'
import { builtinSchema, findBuiltinSchema, kindSchema } from '../../../src/api/schema/builtin.ts'
import { schemaData } from '../../../src/api/schema/data.ts'
import { applyDefaults } from '../../../src/api/schema/defaults.ts'
import { child, elementKeyDefault, elementKeys, isAtomic, schemaAt } from '../../../src/api/schema/lookup.ts'
import type { Schema } from '../../../src/api/schema/schema.ts'

const pod = builtinSchema('core/v1.Pod')

it('compiles every type, and every field of it', () => {
  const seen = new Set<Schema>()
  const visit = (schema: Schema): void => {
    if (seen.has(schema)) return
    seen.add(schema)
    if (schema.kind === 'list' || schema.kind === 'map') visit(schema.element)
    else if (schema.kind === 'struct') for (const field of schema.fields.values()) visit(field.schema)
    else expect(schema.goType).toBeTruthy()
  }
  for (const [name, data] of Object.entries(schemaData()))
    for (const type of Object.keys(data.types)) visit(builtinSchema(`${name}.${type}`))
  expect(seen.size).toBeGreaterThan(1000)
})

it('finds kinds by their names on the wire', () => {
  expect(kindSchema('rbac.authorization.k8s.io', 'v1', 'Role')?.id).toBe('io.k8s.api.rbac.v1.Role')
  expect(kindSchema('', 'v1', 'Status')?.id).toBe('io.k8s.apimachinery.pkg.apis.meta.v1.Status')
  expect(kindSchema('policy', 'v1', 'DeleteOptions')?.name).toBe('DeleteOptions')
  expect(kindSchema('apps', 'v1', 'Nothing')).toBeUndefined()
  expect(kindSchema('apps', 'v9', 'Deployment')).toBeUndefined()
  expect(findBuiltinSchema('core/v1.Nothing')).toBeUndefined()
})

it('knows how lists merge', () => {
  const spec = child(pod, 'spec')!.schema
  const containers = child(spec, 'containers')!
  expect(elementKeys(containers.schema)).toEqual(['name'])
  expect(containers.field).toMatchObject({ patchStrategy: 'merge', patchMergeKey: 'name', retainKeys: false, required: true })
  expect(child(spec, 'volumes')!.field!.retainKeys).toBe(true)
  const ports = schemaAt(containers.schema.kind === 'list' ? containers.schema.element : pod, ['ports'])!
  expect(elementKeys(ports)).toEqual(['containerPort', 'protocol'])
  expect(ports.kind === 'list' && elementKeyDefault(ports, 'protocol')).toBe('TCP')
  expect(elementKeys(schemaAt(spec, ['tolerations'])!)).toBeUndefined()
  expect(schemaAt(pod, ['metadata', 'finalizers'])).toMatchObject({ kind: 'list', listType: 'set' })
  expect(schemaAt(pod, ['spec', 'nothing'])).toBeUndefined()
})

it('knows what is owned as a whole', () => {
  const at = (...path: string[]) => {
    const parent = schemaAt(pod, path.slice(0, -1))!
    const found = child(parent, path.at(-1)!)!
    return isAtomic(found.schema, found.field)
  }
  expect(at('spec')).toBe(false)
  expect(at('spec', 'nodeSelector')).toBe(true)
  expect(at('metadata', 'labels')).toBe(false)
  expect(at('spec', 'tolerations')).toBe(true)
  expect(at('spec', 'nodeName')).toBe(true)
  const set = builtinSchema('apps/v1.ReplicaSetSpec')
  expect(isAtomic(child(set, 'selector')!.schema, undefined)).toBe(true)
})

it('fills in defaults where there are any', () => {
  const value = { spec: { ports: [{ port: 1 }, { port: 2, protocol: 'UDP' }] } }
  applyDefaults(builtinSchema('core/v1.Service'), value)
  expect(value).toEqual({
    spec: {
      ports: [
        { port: 1, protocol: 'TCP' },
        { port: 2, protocol: 'UDP' },
      ],
    },
  })
  const template = { spec: { template: { spec: { containers: [{ ports: [{ containerPort: 1 }] }] } } } }
  applyDefaults(builtinSchema('apps/v1.Deployment'), template)
  expect(template.spec.template.spec.containers[0]!.ports).toEqual([{ containerPort: 1, protocol: 'TCP' }])
})
