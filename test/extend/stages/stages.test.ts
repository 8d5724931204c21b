import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Pod } from '../../../src/api/types.ts'
import type { Client } from '../../../src/client/client.ts'
import { deployments, pods } from '../../../src/client/resources.ts'
import type { Cluster } from '../../../src/cluster.ts'
import { startTestCluster } from '../../../src/testing.ts'
import { refusalOf } from '../fields/cluster.ts'

let cluster: Cluster
let client: Client
beforeAll(async () => {
  cluster = await startTestCluster()
  client = cluster.client
}, 60_000)
afterAll(() => cluster.stop())

const podOf = (name: string, annotations: Record<string, string>): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default', annotations },
  spec: {
    initContainers: [{ name: 'own', image: 'tools:v1' }],
    containers: [
      { name: 'db', image: 'db:v1' },
      {
        ...{ name: 'web', image: 'web:v1', args: ['serve'], ports: [{ containerPort: 80 }], workingDir: '/srv' },
        ...{ env: [{ name: 'A', value: 'b' }], volumeMounts: [{ name: 'data', mountPath: '/data' }] },
        livenessProbe: { tcpSocket: { port: 80 } },
      },
    ],
    volumes: [{ name: 'data', emptyDir: {} }],
  },
})

describe('pre-start hooks', () => {
  it("become init containers with their container's image, environment and mounts, after the pod's own", async () => {
    const annotations = { 'skiff.dev/pre-start.web': '["migrate", "--all"]', 'skiff.dev/pre-start.db': '["fsck"]' }
    const { spec } = await client.create(pods, podOf('hooked', annotations))
    expect(spec?.initContainers?.map(({ name }) => name)).toEqual(['own', 'pre-start-db', 'pre-start-web'])
    const hook = spec?.initContainers?.[2]
    expect(hook).toMatchObject({
      image: 'web:v1',
      command: ['migrate', '--all'],
      workingDir: '/srv',
      env: [{ name: 'A', value: 'b' }],
    })
    expect(hook?.volumeMounts).toContainEqual({ name: 'data', mountPath: '/data' })
    expect(hook).not.toHaveProperty('args')
    expect(hook).not.toHaveProperty('ports')
    expect(hook).not.toHaveProperty('livenessProbe')
  })
})

describe('annotations that are wrong', () => {
  it('are refused with all that is wrong with them, and cost nothing to pods without them', async () => {
    const annotations = { 'skiff.dev/timeouts': 'redy: 3s', 'skiff.dev/notify': 'yes', 'skiff.dev/pre-start.x': '["a"]' }
    const { code, message, status } = await refusalOf(client.create(pods, podOf('wrong', annotations)))
    expect(code).toBe(422)
    expect(message).toContain('there is no stage "redy"; there are requires, preStart, start, ready, stop, watchdog')
    expect(status.details?.causes?.map(({ field }) => field).sort()).toEqual([
      'metadata.annotations[skiff.dev/notify]',
      'metadata.annotations[skiff.dev/pre-start.x]',
      'metadata.annotations[skiff.dev/timeouts]',
    ])
  })

  it('are refused in templates, with their place', async () => {
    const { metadata, spec } = podOf('x', { 'skiff.dev/timeouts': 'ready: soon' })
    const template = { metadata: { ...metadata, labels: { a: 'b' } }, spec }
    const deployment = {
      ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'wrong', namespace: 'default' } },
      spec: { selector: { matchLabels: { a: 'b' } }, template },
    }
    const { status } = await refusalOf(client.create(deployments, deployment as never))
    expect(status.details?.causes?.[0]?.field).toBe('spec.template.metadata.annotations[skiff.dev/timeouts]')
  })

  it('that were there before do not stand in the way of another change', async () => {
    await client.create(pods, podOf('old', { 'skiff.dev/timeouts': 'ready: 1m' }))
    const patch = (annotations: Record<string, string>) =>
      client.patch(pods, 'old', 'merge', { metadata: { annotations } }, { namespace: 'default' })
    expect((await refusalOf(patch({ 'skiff.dev/timeouts': 'soon' }))).code).toBe(422)
    expect((await patch({ other: 'x' })).metadata.annotations).toMatchObject({ other: 'x' })
  })

  it('of the stage requires hold for requirements without a timeout of their own', async () => {
    const requires = '- configmap/later\n- configmap/other: {timeout: 1m, onTimeout: Proceed}'
    const made = await client.create(
      pods,
      podOf('waits', { 'skiff.dev/requires': requires, 'skiff.dev/timeouts': 'requires: 90s' }),
    )
    const resolved = Object.values(made.metadata.annotations ?? {}).find((text) => text.startsWith('[{'))
    expect(JSON.parse(resolved ?? '[]')).toMatchObject([
      { timeoutMs: 90_000, onTimeout: 'Fail' },
      { timeoutMs: 60_000, onTimeout: 'Proceed' },
    ])
  })
})
