/** What a pod refers to and cannot do without. */
import { describe, expect, it } from 'vitest'
import { inferRequirements } from '../../../src/api/requires/infer.ts'
import { describe as named } from '../../../src/api/requires/requirement.ts'
import type { Container, PodSpec } from '../../../src/api/types.ts'

const found = (spec: Partial<PodSpec>, fieldPaths: string[] = []) =>
  inferRequirements({ containers: [], ...spec }, fieldPaths).map(named)
const container = (more: Partial<Container>): Partial<PodSpec> => ({ containers: [{ name: 'c', ...more }] })

describe('inferRequirements', () => {
  it('finds config maps and secrets in variables and volumes, but not those that are optional', () => {
    const env: Container['env'] = [
      { name: 'A', valueFrom: { configMapKeyRef: { name: 'settings', key: 'a' } } },
      { name: 'B', valueFrom: { secretKeyRef: { name: 'password', key: 'b' } } },
      { name: 'C', valueFrom: { secretKeyRef: { name: 'spare', key: 'c', optional: true } } },
    ]
    const envFrom = [{ configMapRef: { name: 'all' } }, { secretRef: { name: 'more', optional: true } }]
    expect(found(container({ env, envFrom }))).toEqual(['configmap/all', 'configmap/settings', 'secret/password'])
    const volumes: PodSpec['volumes'] = [
      { name: 'a', configMap: { name: 'files' } },
      { name: 'b', secret: { secretName: 'keys' } },
      { name: 'c', secret: { secretName: 'spare', optional: true } },
      { name: 'd', projected: { sources: [{ configMap: { name: 'part' } }, { secret: { name: 'piece' } }] } },
      { name: 'kube-api-access-x', projected: { sources: [{ configMap: { name: 'kube-root-ca.crt' } }] } },
    ]
    expect(found({ volumes })).toEqual(['configmap/files', 'configmap/part', 'secret/keys', 'secret/piece'])
  })

  it('finds claims, which only have to exist: they may be bound by the pod itself', () => {
    const volumes = [{ name: 'a', persistentVolumeClaim: { claimName: 'disk' } }]
    expect(found({ volumes })).toEqual(['persistentvolumeclaim/disk: Exists'])
  })

  it("finds Services in variables and field paths, and not the API server's own", () => {
    const env = [{ name: 'URL', value: 'http://$(MY_CACHE_SERVICE_HOST):$(MY_CACHE_SERVICE_PORT_HTTP)/' }]
    const args = ['--api=$(KUBERNETES_SERVICE_HOST)', '--db=$(DB_SERVICE_PORT)']
    expect(found(container({ env, args }), ['service/queue:spec.clusterIP', 'node:metadata.name'])).toEqual([
      'service/db',
      'service/my-cache',
      'service/queue',
    ])
  })

  it('looks at init containers, and names each object once', () => {
    const env = [{ name: 'A', value: '$(DB_SERVICE_HOST)' }]
    expect(found({ ...container({ env }), initContainers: [{ name: 'i', env }] })).toEqual(['service/db'])
  })
})
