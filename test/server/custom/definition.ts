/** Definitions of custom resources for tests, and waiting until they are served. */
import { expect } from 'vitest'
import type { KubeObject } from '../../../src/api/object.ts'
import { until } from '../../controllers/until.ts'
import type { TestServer } from '../start-server.ts'

export const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'

/** One version, `v1`, with the given schema of its `spec` and whatever else the version has. */
export function definition(plural: string, kind: string, spec: object, more: object = {}, group = 'stable.example.com') {
  const schema = {
    openAPIV3Schema: {
      type: 'object',
      properties: { spec, status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
    },
  }
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural, kind },
      versions: [{ name: 'v1', served: true, storage: true, schema, ...more }],
    },
  }
}

export function condition(crd: KubeObject, type: string): { status: string; reason: string; message: string } | undefined {
  return crd.status?.conditions?.find((one: { type: string }) => one.type === type)
}

export async function establish(server: TestServer, crd: object & { metadata: { name: string } }): Promise<KubeObject> {
  await server.call('POST', CRDS, crd)
  return await established(server, crd.metadata.name)
}

export async function established(server: TestServer, name: string): Promise<KubeObject> {
  let found: KubeObject = { metadata: {} }
  await until(async () => {
    found = await server.call('GET', `${CRDS}/${name}`)
    expect(condition(found, 'Established')?.status).toBe('True')
  })
  return found
}
