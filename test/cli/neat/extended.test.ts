/** What skiff's own admission made of a manifest is shown as it was written. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { KubeObject } from '../../../src/api/object.ts'
import type { Deployment } from '../../../src/api/types.ts'
import { builtinKind } from '../../../src/cli/neat/kind.ts'
import { neat } from '../../../src/cli/neat/neat.ts'
import { deployments } from '../../../src/client/resources.ts'
import type { Cluster } from '../../../src/cluster.ts'
import { startTestCluster } from '../../../src/testing.ts'

let cluster: Cluster
beforeAll(async () => {
  cluster = await startTestCluster()
}, 60_000)
afterAll(() => cluster.stop())

const manifest = {
  ...{ apiVersion: 'apps/v1', kind: 'Deployment' },
  metadata: {
    name: 'web',
    annotations: { 'skiff.dev/requires': '- configmap/settings\n', 'skiff.dev/pre-start.app': '["true"]' },
  },
  spec: {
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: {
        containers: [
          {
            ...{
              name: 'app',
              image: 'web:v1',
              args: ['$(node:metadata.name) $(pod:metadata.name) $(pod:spec.containers[0].image)'],
            },
            env: [
              { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'service/db:spec.clusterIP ?? "none"' } } },
              { name: 'OWN', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
              { name: 'BOTH', value: '$(OWN) $(pod:metadata.uid)' },
            ],
            volumeMounts: [{ name: 'info', mountPath: '/info' }],
          },
        ],
        volumes: [
          { name: 'info', downwardAPI: { items: [{ path: 'image', fieldRef: { fieldPath: 'spec.containers[0].image' } }] } },
        ],
      },
    },
  },
}
const within = (namespace: string) => ({ ...manifest, metadata: { ...manifest.metadata, namespace } }) as unknown as Deployment

it('created or applied', async () => {
  const kind = await builtinKind('apps/v1', 'Deployment')
  const shown = (object: Deployment) => neat(object as KubeObject, { kind, withNamespace: false })
  const created = await cluster.client.create(deployments, within('default'), { fieldManager: 'kubectl-create' })
  // It was compiled: otherwise this says nothing.
  expect(JSON.stringify(created)).toContain('SKIFF_FIELD_')
  expect(shown(created)).toEqual(manifest)
  await cluster.client.delete(deployments, 'web', { namespace: 'default' })
  const how = { namespace: 'default', fieldManager: 'kubectl' }
  expect(shown(await cluster.client.patch(deployments, 'web', 'apply', within('default'), how))).toEqual(manifest)
})
