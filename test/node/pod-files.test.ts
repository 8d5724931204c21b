import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { configMaps, pods } from '../../src/client/resources.ts'
import { createNode, type Node } from '../../src/node/node.ts'
import { LogWriter } from '../../src/node/runtime/log-writer.ts'
import type { ContainerConfig, ContainerState, Runtime } from '../../src/node/runtime/runtime.ts'
import { createSimulatedRuntime } from '../../src/node/runtime/simulated/simulated.ts'
import { type ControlPlane, startControlPlane } from './support/control-plane.ts'
import { createManualClock, type ManualClock } from './support/manual-clock.ts'
import { type PodWorld, podWorld } from './support/pods.ts'

// The simulated runtime, told to the agent as one whose containers read and write files, so that the agent keeps them.
let clock: ManualClock
let plane: ControlPlane
let node: Node
let world: PodWorld
let directory: string
let started: ContainerConfig[]

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'skiff-files-'))
  clock = createManualClock()
  plane = await startControlPlane(clock)
  world = podWorld(plane)
  started = []
  node = createNode({ ...plane, name: 'n1', runtime: withFiles(), dataDirectory: directory, clusterDns: ['10.96.0.10'] })
  await node.start()
})
afterEach(async () => {
  await node.stop({ remove: true })
  await plane.close()
  rmSync(directory, { recursive: true, force: true })
})

function withFiles(): Runtime {
  const runtime = createSimulatedRuntime({ clock })
  return Object.create(runtime, {
    info: { value: { ...runtime.info, isolation: 'process' } },
    logLines: { value: undefined },
    startContainer: {
      value: (sandboxId: string, config: ContainerConfig): Promise<ContainerState> => {
        started.push(config)
        return runtime.startContainer(sandboxId, config)
      },
    },
  }) as Runtime
}

const podDirectory = (uid: string | undefined) => join(directory, 'pods', uid ?? '')
const mountsOf = (name: string) => new Map(started.find((c) => c.name === name)?.mounts.map((m) => [m.containerPath, m.hostPath]))

describe('files of a pod', () => {
  it('follow their ConfigMap within a second', async () => {
    await plane.client.create(configMaps, { metadata: { name: 'settings', namespace: 'default' }, data: { a: '1' } })
    const volumeMounts = [{ name: 'v', mountPath: '/etc/settings' }]
    await world.run('web', {
      volumes: [{ name: 'v', configMap: { name: 'settings' } }],
      containers: [{ name: 'web', image: 'web:1', volumeMounts }],
    })
    await world.until('web', (p) => p.status?.phase === 'Running')
    const path = join(mountsOf('web').get('/etc/settings') ?? '', 'a')
    expect(readFileSync(path, 'utf8')).toBe('1')
    await plane.client.patch(configMaps, 'settings', 'merge', { data: { a: '2' } }, { namespace: 'default' })
    await expect.poll(() => readFileSync(path, 'utf8'), { timeout: 1_000, interval: 5 }).toBe('2')
  })

  it('follow the pod’s labels', async () => {
    const items = [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }]
    const pod = await world.run('web', { volumes: [{ name: 'v', downwardAPI: { items } }] }, { labels: { app: 'web' } })
    await world.until('web', (p) => p.status?.phase === 'Running')
    const path = join(podDirectory(pod.metadata.uid), 'volumes/v/labels')
    expect(readFileSync(path, 'utf8')).toBe('app="web"')
    await plane.client.patch(pods, 'web', 'merge', { metadata: { labels: { tier: 'x' } } }, { namespace: 'default' })
    await expect.poll(() => readFileSync(path, 'utf8'), { timeout: 1_000, interval: 5 }).toBe('app="web"\ntier="x"')
  })

  it('hold a token that is renewed in time', async () => {
    const serviceAccountToken = { path: 'token', expirationSeconds: 1000 }
    const pod = await world.run('web', { volumes: [{ name: 't', projected: { sources: [{ serviceAccountToken }] } }] })
    await world.until('web', (p) => p.status?.phase === 'Running')
    const path = join(podDirectory(pod.metadata.uid), 'volumes/t/token')
    const first = readFileSync(path, 'utf8')
    const [, payload = ''] = first.split('.')
    expect(JSON.parse(Buffer.from(payload, 'base64url').toString())).toMatchObject({
      sub: 'system:serviceaccount:default:default',
      'kubernetes.io': { pod: { name: 'web', uid: pod.metadata.uid } },
    })
    await clock.advance(790_000)
    expect(readFileSync(path, 'utf8')).toBe(first)
    await clock.advance(20_000)
    await expect.poll(() => readFileSync(path, 'utf8') !== first, { timeout: 1_000, interval: 5 }).toBe(true)
  })

  it('take a container’s last words', async () => {
    const annotations = { 'simulated.skiff.dev/exit-code': '2', 'simulated.skiff.dev/run-for': '5s' }
    await world.run('web', { restartPolicy: 'Never' }, { annotations })
    await world.until('web', (p) => p.status?.phase === 'Running')
    const file = mountsOf('web').get('/dev/termination-log') ?? ''
    expect(statSync(file).mode & 0o777).toBe(0o666)
    writeFileSync(file, 'out of luck')
    await clock.advance(5_000)
    const pod = await world.until('web', (p) => p.status?.phase === 'Failed')
    expect(pod.status?.containerStatuses?.[0]?.state?.terminated).toMatchObject({ exitCode: 2, message: 'out of luck' })
  })

  it('go when the pod goes, and its log stays until then', async () => {
    const annotations = { 'simulated.skiff.dev/run-for': '0s' }
    const pod = await world.run('web', { restartPolicy: 'Never', volumes: [{ name: 'v', emptyDir: {} }] }, { annotations })
    const home = podDirectory(pod.metadata.uid)
    await world.until('web', (p) => p.status?.phase === 'Succeeded')
    await expect.poll(() => existsSync(join(home, 'volumes')), { timeout: 2_000, interval: 5 }).toBe(false)
    const log = new LogWriter({ path: join(home, 'logs/web/0.log'), now: () => clock.now() })
    log.write('stdout', Buffer.from('hello\n'))
    log.close()
    await plane.client.delete(pods, 'web', { namespace: 'default' })
    await world.untilGone('web')
    await expect.poll(() => existsSync(home), { timeout: 2_000, interval: 5 }).toBe(false)
  })

  it('of pods that nobody knows are removed at the start', async () => {
    await node.stop({ farewell: false })
    const log = new LogWriter({ path: join(podDirectory('unknown'), 'logs/web/0.log'), now: () => clock.now() })
    log.close()
    node = createNode({ ...plane, name: 'n1', runtime: withFiles(), dataDirectory: directory })
    await node.start()
    expect(readdirSync(join(directory, 'pods'))).toEqual([])
  })
})

describe('what a container is started with', () => {
  it('is expanded and complete', async () => {
    const env = [
      { name: 'NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
      { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
    ]
    const container = { name: 'web', image: 'web:1', command: ['run', '$(NAME)'], args: ['--ip=$(IP)', '$$(IP)'], env }
    await world.run('web', { containers: [container], securityContext: { runAsUser: 1000, fsGroup: 2000 } })
    await world.until('web', (p) => p.status?.phase === 'Running')
    expect(started[0]).toMatchObject({
      name: 'web',
      attempt: 0,
      command: ['run', 'web'],
      args: ['--ip=10.244.0.2', '$(IP)'],
      user: { uid: 1000, supplementalGroups: [2000] },
    })
    const values = Object.fromEntries(started[0]?.env.map(({ name, value }) => [name, value]) ?? [])
    expect(values).toMatchObject({
      NAME: 'web',
      IP: '10.244.0.2',
      KUBERNETES_SERVICE_HOST: '10.96.0.1',
      KUBERNETES_SERVICE_PORT: '443',
    })
    expect(Number(values.CPU)).toBeGreaterThan(0)
  })
})
