import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Pod } from '../../src/api/types.ts'
import { leases, nodes, pods } from '../../src/client/resources.ts'
import { createNode, createNodes, type Node } from '../../src/node/node.ts'
import type { Runtime } from '../../src/node/runtime/runtime.ts'
import { createSimulatedRuntime } from '../../src/node/runtime/simulated/simulated.ts'
import { type ControlPlane, startControlPlane } from './support/control-plane.ts'
import { createManualClock, type ManualClock } from './support/manual-clock.ts'
import { conditionOf, type PodWorld, podWorld, stateOf } from './support/pods.ts'

let clock: ManualClock
let plane: ControlPlane
let runtime: Runtime
let node: Node
let world: PodWorld
let directory: string

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'skiff-node-'))
  clock = createManualClock()
  plane = await startControlPlane(clock)
  world = podWorld(plane)
  runtime = createSimulatedRuntime({ clock, capacity: { cpuCores: 4, memoryBytes: 8 * 2 ** 30, pods: 5 } })
  node = createNode({ ...plane, client: plane.nodeClient('n1'), name: 'n1', runtime, dataDirectory: directory })
  await node.start()
})
afterEach(async () => {
  await node.stop({ remove: true })
  await plane.close()
  rmSync(directory, { recursive: true, force: true })
})

const setting = (values: Record<string, string>) => ({
  annotations: Object.fromEntries(Object.entries(values).map(([key, value]) => [`simulated.skiff.dev/${key}`, value])),
})

describe('annotations of skiff', () => {
  it('that hold a mistake are refused, and what there is is said', async () => {
    await world.run('wrong', {}, { annotations: { 'skiff.dev/timeouts': 'redy: 3s' } })
    const { status } = await world.until('wrong', (pod) => pod.status?.phase === 'Failed')
    expect(status).toMatchObject({ reason: 'InvalidAnnotation' })
    expect(status?.message).toContain('annotation skiff.dev/timeouts: there is no stage "redy"; there are requires, preStart')
  })
})

describe('the node object', () => {
  it('says what the node is and that it is ready', async () => {
    const object = await plane.client.get(nodes, 'n1')
    expect(object.metadata.labels).toMatchObject({ 'kubernetes.io/hostname': 'n1', 'kubernetes.io/os': 'linux' })
    expect(object.status?.capacity).toMatchObject({ cpu: '4', memory: '8Gi', pods: '5' })
    expect(object.status?.addresses).toContainEqual({ type: 'InternalIP', address: '192.0.2.1' })
    const ready = object.status?.conditions?.find((c) => c.type === 'Ready')
    expect(ready).toMatchObject({ status: 'True', reason: 'KubeletReady' })
  })

  it('renews its lease', async () => {
    const before = await plane.client.get(leases, 'n1', { namespace: 'kube-node-lease' })
    await clock.advance(10_000)
    const after = await plane.client.get(leases, 'n1', { namespace: 'kube-node-lease' })
    expect(Date.parse(after.spec?.renewTime ?? '') - Date.parse(before.spec?.renewTime ?? '')).toBe(10_000)
    expect(after.spec).toMatchObject({ holderIdentity: 'n1', leaseDurationSeconds: 40 })
  })

  it('says when the agent stops', async () => {
    await node.stop()
    const object = await plane.client.get(nodes, 'n1')
    expect(object.status?.conditions?.find((c) => c.type === 'Ready')?.status).toBe('False')
  })
})

describe('a pod', () => {
  it('runs', async () => {
    await world.run('web', {})
    const pod = await world.until('web', (p) => p.status?.phase === 'Running')
    expect(pod.status).toMatchObject({
      podIP: '10.244.0.2',
      podIPs: [{ ip: '10.244.0.2' }],
      hostIP: '192.0.2.1',
      qosClass: 'BestEffort',
      startTime: '2024-01-01T00:00:00Z',
    })
    expect(pod.status?.containerStatuses).toMatchObject([
      { name: 'web', ready: true, started: true, restartCount: 0, state: { running: { startedAt: '2024-01-01T00:00:00Z' } } },
    ])
    for (const type of ['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled']) {
      expect(conditionOf(pod, type), type).toBe('True')
    }
    await clock.advance(0)
    expect((await world.events('web')).sort()).toEqual([
      'Created: Container created',
      'Pulled: Container image "web:1" already present on machine and can be accessed by the pod',
      'Started: Container started',
    ])
  })

  it('is taken down within its grace and leaves the API last', async () => {
    await world.run('web', {}, setting({ 'stop-delay': '3s' }))
    await world.until('web', (p) => p.status?.phase === 'Running')
    const gone = world.untilGone('web')
    await plane.client.delete(pods, 'web', { namespace: 'default' })
    await clock.advance(2_900)
    expect(stateOf(await world.get('web'))).toBe('Running')
    await clock.advance(200)
    const last = await gone
    expect(last.status?.containerStatuses?.[0]?.state?.terminated).toMatchObject({ exitCode: 143, reason: 'Error' })
    expect(last.status?.phase).toBe('Failed')
    expect(conditionOf(last, 'Ready')).toBe('False')
    expect(await runtime.list()).toEqual([])
    expect(await world.events('web')).toContain('Killing: Stopping container web')
  })

  it('is killed when its grace is over', async () => {
    await world.run('web', { terminationGracePeriodSeconds: 4 }, setting({ 'stop-delay': '60s' }))
    await world.until('web', (p) => p.status?.phase === 'Running')
    const gone = world.untilGone('web')
    await plane.client.delete(pods, 'web', { namespace: 'default' })
    await clock.advance(4_100)
    const last = await gone
    expect(last.status?.containerStatuses?.[0]?.state?.terminated).toMatchObject({ exitCode: 137 })
  })

  it('goes at once when forced, and what ran is stopped', async () => {
    await world.run('web', {}, setting({ 'stop-delay': '60s' }))
    await world.until('web', (p) => p.status?.phase === 'Running')
    await plane.client.delete(pods, 'web', { namespace: 'default', gracePeriodSeconds: 0 })
    await clock.advance(2_100)
    expect(await runtime.list()).toEqual([])
  })

  it('restarts a container with growing pauses', async () => {
    await world.run('web', {}, setting({ 'exit-code': '1', 'run-for': '1s' }))
    await clock.advance(1_000)
    expect((await world.get('web')).status?.containerStatuses?.[0]).toMatchObject({ restartCount: 1, state: { running: {} } })
    await clock.advance(1_000)
    const waiting = await world.get('web')
    expect(waiting.status?.containerStatuses?.[0]).toMatchObject({
      ready: false,
      state: {
        waiting: { reason: 'CrashLoopBackOff', message: expect.stringContaining('back-off 10s restarting failed container=web') },
      },
      lastState: { terminated: { exitCode: 1, reason: 'Error' } },
    })
    expect(waiting.status?.phase).toBe('Running')
    expect(conditionOf(waiting, 'Ready')).toBe('False')
    await clock.advance(9_900)
    expect(stateOf(await world.get('web'))).toBe('CrashLoopBackOff')
    await clock.advance(200)
    expect((await world.get('web')).status?.containerStatuses?.[0]).toMatchObject({ restartCount: 2, state: { running: {} } })
    await clock.advance(1_000)
    expect((await world.get('web')).status?.containerStatuses?.[0]?.state?.waiting?.message).toContain('back-off 20s')
    expect((await world.events('web')).filter((e) => e.startsWith('BackOff'))).toHaveLength(1)
  })

  it('succeeds or fails as its containers do', async () => {
    await world.run('good', { restartPolicy: 'Never' }, setting({ 'run-for': '1s' }))
    await world.run('bad', { restartPolicy: 'Never' }, setting({ 'run-for': '1s', 'exit-code': '3' }))
    await clock.advance(1_000)
    const good = await world.get('good')
    expect(good.status?.phase).toBe('Succeeded')
    expect(stateOf(good)).toBe('Completed')
    expect(good.status?.conditions?.find((c) => c.type === 'Ready')).toMatchObject({ status: 'False', reason: 'PodCompleted' })
    const bad = await world.get('bad')
    expect(bad.status?.phase).toBe('Failed')
    expect(bad.status?.containerStatuses?.[0]?.state?.terminated?.exitCode).toBe(3)
    // The addresses of finished pods are free again; the pods stay until somebody deletes them.
    expect(await runtime.list()).toEqual([])
    await plane.client.delete(pods, 'good', { namespace: 'default' })
    await world.untilGone('good')
  })

  it('runs init containers in their order, and sidecars beside the rest', async () => {
    const sidecar = {
      name: 'side',
      image: 'side:1',
      restartPolicy: 'Always',
      startupProbe: { periodSeconds: 1, exec: { command: ['true'] } },
    }
    await world.run(
      'web',
      { initContainers: [{ name: 'first', image: 'i:1' }, sidecar, { name: 'second', image: 'i:1' }] },
      setting({ 'first.run-for': '1s', 'side.ready-delay': '2s', 'second.run-for': '1s' }),
    )
    await clock.advance(500)
    let pod = await world.get('web')
    expect([stateOf(pod, 'first'), stateOf(pod, 'side'), stateOf(pod)]).toEqual(['Running', 'PodInitializing', 'PodInitializing'])
    expect(pod.status?.conditions?.find((c) => c.type === 'Initialized')?.message).toBe(
      'containers with incomplete status: [first side second]',
    )
    await clock.advance(1_000)
    pod = await world.get('web')
    expect([stateOf(pod, 'first'), stateOf(pod, 'side'), stateOf(pod, 'second')]).toEqual([
      'Completed',
      'Running',
      'PodInitializing',
    ])
    await clock.advance(2_000)
    expect(stateOf(await world.get('web'), 'second')).toBe('Running')
    await clock.advance(1_000)
    pod = await world.get('web')
    expect([stateOf(pod, 'second'), stateOf(pod), pod.status?.phase]).toEqual(['Completed', 'Running', 'Running'])
    expect(conditionOf(pod, 'Ready')).toBe('True')
  })

  it('fails with an init container that may not run again', async () => {
    await world.run(
      'web',
      { restartPolicy: 'Never', initContainers: [{ name: 'i', image: 'i:1' }] },
      setting({ 'i.exit-code': '1' }),
    )
    await clock.advance(0)
    const pod = await world.get('web')
    expect(pod.status?.phase).toBe('Failed')
    expect(stateOf(pod)).toBe('PodInitializing')
  })

  it('is ready when its readiness probe says so', async () => {
    const readinessProbe = { httpGet: { port: 80 }, periodSeconds: 1 }
    await world.run('web', { containers: [{ name: 'web', image: 'web:1', readinessProbe }] }, setting({ 'ready-delay': '5s' }))
    await clock.advance(2_000)
    const pod = await world.get('web')
    expect(pod.status?.containerStatuses?.[0]).toMatchObject({ ready: false, started: true })
    expect(pod.status?.conditions?.find((c) => c.type === 'Ready')).toMatchObject({
      status: 'False',
      reason: 'ContainersNotReady',
      message: 'containers with unready status: [web]',
    })
    await clock.advance(4_000)
    expect(conditionOf(await world.get('web'), 'Ready')).toBe('True')
    expect(await world.events('web')).toContain('Unhealthy: Readiness probe failed: simulated: not ready')
  })

  it('waits for readiness gates of others', async () => {
    await world.run('web', { readinessGates: [{ conditionType: 'example.com/checked' }] })
    await world.until('web', (p) => conditionOf(p, 'ContainersReady') === 'True' && conditionOf(p, 'Ready') === 'False')
    const status = { conditions: [{ type: 'example.com/checked', status: 'True' }] }
    await plane.client.patch(pods, 'web', 'strategic', { status }, { namespace: 'default', subresource: 'status' })
    const pod = await world.until('web', (p) => conditionOf(p, 'Ready') === 'True')
    expect(conditionOf(pod, 'example.com/checked')).toBe('True')
  })

  it('is restarted by its liveness probe', async () => {
    const livenessProbe = { tcpSocket: { port: 80 }, periodSeconds: 1, failureThreshold: 2 }
    await world.run('web', { containers: [{ name: 'web', image: 'web:1', livenessProbe }] }, setting({ 'unhealthy-after': '3s' }))
    await clock.advance(5_000)
    const pod = await world.get('web')
    expect(pod.status?.containerStatuses?.[0]).toMatchObject({ restartCount: 1, lastState: { terminated: { exitCode: 143 } } })
    expect(await world.events('web')).toContain('Killing: Container web failed liveness probe, will be restarted')
  })

  it('says why its image is not there, and tries again', async () => {
    await world.run('web', { containers: [{ name: 'web', image: 'registry.invalid/web:1' }] })
    await clock.advance(0)
    const pod = await world.get('web')
    expect(pod.status?.containerStatuses?.[0]?.state?.waiting).toMatchObject({
      reason: 'ErrImagePull',
      message: expect.stringContaining('no such host'),
    })
    expect(pod.status?.phase).toBe('Pending')
    await clock.advance(6_000)
    expect((await world.get('web')).status?.containerStatuses?.[0]?.state?.waiting).toMatchObject({
      reason: 'ImagePullBackOff',
      message: expect.stringMatching(/^Back-off pulling image "registry.invalid\/web:1": ErrImagePull: /),
    })
    const told = await world.events('web')
    expect(told).toContain('Pulling: Pulling image "registry.invalid/web:1"')
    expect(told).toContain('Failed: Error: ErrImagePull')
    expect(told).toContain('BackOff: Back-off pulling image "registry.invalid/web:1"')
    const containers = [{ name: 'web', image: 'web:1' }]
    await plane.client.patch(pods, 'web', 'strategic', { spec: { containers } }, { namespace: 'default' })
    await clock.advance(5_000)
    expect(stateOf(await world.get('web'))).toBe('Running')
  })

  it('is restarted with another image', async () => {
    await world.run('web', {})
    await world.until('web', (p) => p.status?.phase === 'Running')
    const containers = [{ name: 'web', image: 'web:2' }]
    await plane.client.patch(pods, 'web', 'strategic', { spec: { containers } }, { namespace: 'default' })
    const pod = await world.until('web', (p) => p.status?.containerStatuses?.[0]?.image === 'web:2')
    expect(pod.status?.containerStatuses?.[0]?.restartCount).toBe(1)
  })

  it('runs its hooks, and says when they fail', async () => {
    const hook = (command: string) => ({ exec: { command: ['sh', '-c', command] } })
    const container = (name: string, lifecycle: object) => ({ containers: [{ name, image: 'web:1', lifecycle }] })
    await world.run('good', container('web', { postStart: hook('sleep 2'), preStop: { sleep: { seconds: 3 } } }))
    await clock.advance(1_000)
    const starting = (await world.get('good')).status?.containerStatuses?.[0]
    expect(starting).toMatchObject({ ready: false, started: false })
    await clock.advance(1_000)
    expect(conditionOf(await world.get('good'), 'Ready')).toBe('True')
    await plane.client.delete(pods, 'good', { namespace: 'default' })
    await clock.advance(2_900)
    expect(stateOf(await world.get('good'))).toBe('Running')
    const gone = world.untilGone('good')
    await clock.advance(200)
    await gone

    await world.run('bad', container('web', { postStart: hook('false'), preStop: hook('false') }))
    await clock.advance(0)
    expect(stateOf(await world.get('bad'))).toBe('CrashLoopBackOff')
    const told = await world.events('bad')
    expect(told).toContain('FailedPostStartHook: PostStartHook failed')
    expect(told).toContain('FailedPreStopHook: PreStopHook failed')
  })

  it('is taken down main containers first, then sidecars in reverse', async () => {
    const sidecar = (name: string) => ({ name, image: 'side:1', restartPolicy: 'Always' })
    await world.run('web', { initContainers: [sidecar('s1'), sidecar('s2')] }, setting({ 'stop-delay': '2s' }))
    await world.until('web', (p) => p.status?.phase === 'Running')
    const gone = world.untilGone('web')
    await plane.client.delete(pods, 'web', { namespace: 'default' })
    const states = (pod: Pod) => [stateOf(pod), stateOf(pod, 's2'), stateOf(pod, 's1')]
    await clock.advance(2_100)
    expect(states(await world.get('web'))).toEqual(['Error', 'Running', 'Running'])
    await clock.advance(2_000)
    expect(states(await world.get('web'))).toEqual(['Error', 'Error', 'Running'])
    await clock.advance(2_000)
    await gone
  })

  it('is not run when it asks for what the node cannot give', async () => {
    await world.run('web', { hostUsers: false })
    await clock.advance(0)
    expect(await world.events('web')).toContain(
      'FailedCreatePodSandBox: Failed to create pod sandbox: hostUsers: false is not supported by this node',
    )
  })

  it('ends at its active deadline', async () => {
    await world.run('web', { activeDeadlineSeconds: 5 })
    await world.until('web', (p) => p.status?.phase === 'Running')
    await clock.advance(5_000)
    const pod = await world.until('web', (p) => p.status?.phase === 'Failed')
    expect(pod.status).toMatchObject({ reason: 'DeadlineExceeded' })
    expect(stateOf(pod)).toBe('Error')
  })

  it('waits for the ConfigMap it needs, and starts when it comes', async () => {
    const env = [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'settings', key: 'a' } } }]
    await world.run('web', { containers: [{ name: 'web', image: 'web:1', env }] })
    await clock.advance(0)
    const pod = await world.get('web')
    expect(pod.status?.containerStatuses?.[0]?.state?.waiting).toEqual({
      reason: 'CreateContainerConfigError',
      message: 'configmap "settings" not found',
    })
    const { configMaps } = await import('../../src/client/resources.ts')
    await plane.client.create(configMaps, { metadata: { name: 'settings', namespace: 'default' }, data: { a: '1' } })
    await world.until('web', (p) => p.status?.phase === 'Running')
    expect(await world.events('web')).toContain('Failed: Error: configmap "settings" not found')
  })

  it('waits for the Secret its volume needs', async () => {
    await world.run('web', { volumes: [{ name: 's', secret: { secretName: 'key' } }] })
    await clock.advance(0)
    const pod = await world.get('web')
    expect(stateOf(pod)).toBe('ContainerCreating')
    expect(pod.status?.phase).toBe('Pending')
    expect(await world.events('web')).toContain('FailedMount: MountVolume.SetUp failed for volume "s" : secret "key" not found')
    const { secrets } = await import('../../src/client/resources.ts')
    await plane.client.create(secrets, { metadata: { name: 'key', namespace: 'default' } })
    await world.until('web', (p) => p.status?.phase === 'Running')
  })

  it('is refused when it does not fit', async () => {
    const resources = { requests: { cpu: '3' } }
    await world.run('a', { containers: [{ name: 'web', image: 'web:1', resources }] })
    await world.until('a', (p) => p.status?.phase === 'Running')
    await world.run('b', { containers: [{ name: 'web', image: 'web:1', resources }] })
    const refused = await world.until('b', (p) => p.status?.phase === 'Failed')
    expect(refused.status).toMatchObject({
      reason: 'OutOfcpu',
      message: "Pod was rejected: Node didn't have enough resource: cpu, requested: 3000, used: 3000, capacity: 4000",
    })
    await world.run('c', { nodeSelector: { disk: 'fast' } })
    expect((await world.until('c', (p) => p.status?.phase === 'Failed')).status?.reason).toBe('NodeAffinity')
    await plane.client.delete(pods, 'b', { namespace: 'default' })
    await world.untilGone('b')
  })

  it('makes room when it is over', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) await world.run(name, { restartPolicy: 'Never' }, setting({ 'run-for': '1s' }))
    await world.until('e', (p) => p.status?.phase === 'Running')
    await world.run('f', {})
    expect((await world.until('f', (p) => p.status?.phase === 'Failed')).status?.reason).toBe('OutOfpods')
    await clock.advance(1_000)
    await world.run('g', {})
    await world.until('g', (p) => p.status?.phase === 'Running')
  })
})

describe('streams', () => {
  it('reads logs, follows them to the end, and runs commands', async () => {
    await world.run('web', { restartPolicy: 'Never' }, setting({ 'run-for': '5s', log: 'hello' }))
    await world.until('web', (p) => p.status?.phase === 'Running')
    const signal = new AbortController().signal
    const pod = { namespace: 'default', name: 'web' }
    const following = node.streams.logs(pod, { follow: true }, signal).then(collect)
    expect(await collect(await node.streams.logs(pod, { timestamps: true }, signal))).toBe(
      '2024-01-01T00:00:00.000000000Z hello\n',
    )
    const { PassThrough } = await import('node:stream')
    const stdout = new PassThrough()
    const process = await node.streams.exec(pod, { command: ['sh', '-c', 'echo hi; exit 3'], stdout: true }, { stdout }, signal)
    expect(await process.exit).toEqual({ code: 3 })
    expect(stdout.read()?.toString()).toBe('hi\n')
    await clock.advance(5_000)
    expect(await following).toBe('hello\n')
    await expect(node.streams.exec(pod, { command: ['true'] }, {}, signal)).rejects.toThrow('container not found ("web")')
  })
})

async function collect(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

describe('several nodes', () => {
  it('share one process, and each runs its own pods', async () => {
    const names = ['m1', 'm2', 'm3']
    const each = names.map((name, index) => ({
      name,
      runtime: createSimulatedRuntime({ clock, podCidr: `10.250.${index}.0/24` }),
      dataDirectory: join(directory, name),
    }))
    const several = createNodes(each, plane)
    await Promise.all(several.map((one) => one.start()))
    for (const nodeName of names) await world.run(`on-${nodeName}`, { nodeName })
    for (const [index, name] of names.entries()) {
      const pod = await world.until(`on-${name}`, (p) => p.status?.phase === 'Running')
      expect(pod.status?.podIP).toBe(`10.250.${index}.2`)
    }
    await Promise.all(several.map((one) => one.stop({ remove: true })))
  })
})

describe('a second agent on the same runtime', () => {
  it('goes on with what runs and removes what nobody knows', async () => {
    await world.run('web', {})
    const before = await world.until('web', (p) => p.status?.phase === 'Running')
    await world.run('lost', {})
    await world.until('lost', (p) => p.status?.phase === 'Running')
    const keep: Runtime = Object.create(runtime, { close: { value: async () => {} } })
    await node.stop({ farewell: false })
    await plane.client.delete(pods, 'lost', { namespace: 'default', gracePeriodSeconds: 0 })
    node = createNode({ ...plane, client: plane.nodeClient('n1'), name: 'n1', runtime: keep, dataDirectory: directory })
    await node.start()
    await clock.advance(0)
    const after = await world.get('web')
    expect(after.status?.containerStatuses).toEqual(before.status?.containerStatuses)
    expect((await runtime.list()).map(({ name }) => name)).toEqual(['web'])
  })

  it('restarts what was lost with the runtime, and counts it', async () => {
    await world.run('web', {})
    await world.until('web', (p) => p.status?.phase === 'Running')
    await node.stop({ remove: true, farewell: false })
    runtime = createSimulatedRuntime({ clock })
    node = createNode({ ...plane, client: plane.nodeClient('n1'), name: 'n1', runtime, dataDirectory: directory })
    await node.start()
    const pod = await world.until('web', (p) => p.status?.containerStatuses?.[0]?.restartCount === 1 && stateOf(p) === 'Running')
    expect(pod.status?.containerStatuses?.[0]?.lastState?.terminated).toMatchObject({
      exitCode: 137,
      reason: 'ContainerStatusUnknown',
    })
  })
})
