/** `skiff extend serve` beside a cluster that is as stock as it gets: the same extensions, as a webhook and reconcilers. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TestCluster, testCluster } from './support/cluster.ts'
import { type Running, SKIFF, start, until, works } from './support/skiff.ts'

const hasKubectl = works('kubectl', 'version', '--client')
const REGISTRATION = 'get mutatingwebhookconfigurations -o name'

describe.skipIf(!hasKubectl)('skiff extend serve', () => {
  let cluster: TestCluster
  let serving: Running

  const pod = (name: string, annotations: object, path = 'metadata.name') => {
    const env = [{ name: 'V', valueFrom: { fieldRef: { fieldPath: path } } }]
    const metadata = { name, annotations }
    return JSON.stringify({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata,
      spec: { containers: [{ name: 'c', image: 'web:v1', env }] },
    })
  }

  beforeAll(async () => {
    cluster = testCluster()
    await cluster.up('--in-memory', '--runtime', 'simulated', '--extensions', 'off')
    serving = start('node', [SKIFF, 'extend', 'serve', '--port', '0'], cluster.env)
    await until('the extensions are registered', () => /^extensions of https:\/\/\S+ on port \d+$/m.test(serving.output()))
  })
  afterAll(async () => {
    serving.child.kill('SIGINT')
    await serving.result
    await cluster.down()
    cluster.remove()
  })

  it('holds a pod until what it requires is there', async () => {
    await cluster.ok('create -f -', pod('waiting', { 'skiff.dev/requires': '- configmap/later' }))
    const message = [
      'get',
      'pod',
      'waiting',
      '-o',
      'jsonpath={.status.conditions[?(@.type=="skiff.dev/RequirementsMet")].message}',
    ]
    await until('it says so', async () => (await cluster.ok(message)) === 'waiting for configmap/later (there is none)')
    expect(await cluster.ok('get pod waiting -o jsonpath={.spec.schedulingGates[0].name}')).toBe('skiff.dev/requires')
    await cluster.ok('create configmap later')
    await cluster.ok('wait pod/waiting --for=condition=Ready --timeout=30s')
  })

  it('fills in field paths that Kubernetes does not have', async () => {
    await cluster.ok('create -f -', pod('knowing', {}, 'spec.containers[0].image'))
    const given = await cluster.ok('get pod knowing -o jsonpath={.metadata.annotations}')
    expect(Object.values(JSON.parse(given) as object)).toContain('web:v1')
  })

  it('refuses what only its own node agent can do, by name', async () => {
    const { code, err } = await cluster.kubectl('create -f -', pod('notifying', { 'skiff.dev/notify': 'true' }))
    expect(code).toBe(1)
    expect(err).toContain("metadata.annotations[skiff.dev/notify]: Forbidden: sd_notify needs skiff's node agent")
  })

  it('passes refusals on with their causes, and leaves plain pods as they are', async () => {
    const { err } = await cluster.kubectl('create -f -', pod('bad', { 'skiff.dev/requires': 'nonsense' }))
    expect(err).toContain(
      'The Pod "bad" is invalid: metadata.annotations[skiff.dev/requires]: Invalid value: "nonsense": line 1: must be a YAML list',
    )
    await cluster.ok('create -f -', pod('plain', {}))
    expect(await cluster.ok('get pod plain -o jsonpath={.metadata.annotations}')).toBe('')
  })

  it('prints manifests that the server takes', async () => {
    const { code, out } = await cluster.skiff('extend', 'manifests', '--image', 'skiff:v1')
    expect(code).toBe(0)
    await cluster.ok('apply --dry-run=client -f -', out)
    await cluster.ok('apply -f -', out)
    expect(await cluster.ok('-n skiff-system get deployment,service,serviceaccount skiff-extensions -o name')).toContain(
      'deployment.apps/skiff-extensions',
    )
  })

  it('takes its registration back when it ends', async () => {
    expect(await cluster.ok(REGISTRATION)).toContain('skiff-extensions')
    serving.child.kill('SIGINT')
    expect((await serving.result).code).toBe(0)
    expect(await cluster.ok(REGISTRATION)).toBe('')
  })
})
