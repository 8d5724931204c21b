import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
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
  node = createNode({
    ...plane,
    client: plane.nodeClient('n1'),
    name: 'n1',
    runtime: withFiles(),
    dataDirectory: directory,
    clusterDns: ['10.96.0.10'],
  })
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
    info: { value: { ...runtime.info, isolation: 'namespaces' } },
    network: { value: { ...runtime.network, connect: connectHere } },
    logLines: { value: undefined },
    startContainer: {
      value: (sandboxId: string, config: ContainerConfig): Promise<ContainerState> => {
        started.push(config)
        return runtime.startContainer(sandboxId, config)
      },
    },
  }) as Runtime
}

/** Pods' addresses lead to this host. */
function connectHere(_address: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket))
    socket.on('error', reject)
  })
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
    await expect.poll(() => readFileSync(path, 'utf8'), { timeout: 20_000, interval: 5 }).toBe('2')
  })

  it('follow the pod’s labels', async () => {
    const items = [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }]
    const pod = await world.run('web', { volumes: [{ name: 'v', downwardAPI: { items } }] }, { labels: { app: 'web' } })
    await world.until('web', (p) => p.status?.phase === 'Running')
    const path = join(podDirectory(pod.metadata.uid), 'volumes/v/labels')
    expect(readFileSync(path, 'utf8')).toBe('app="web"')
    await plane.client.patch(pods, 'web', 'merge', { metadata: { labels: { tier: 'x' } } }, { namespace: 'default' })
    await expect.poll(() => readFileSync(path, 'utf8'), { timeout: 20_000, interval: 5 }).toBe('app="web"\ntier="x"')
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
    await expect.poll(() => readFileSync(path, 'utf8') !== first, { timeout: 20_000, interval: 5 }).toBe(true)
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
    await expect.poll(() => existsSync(join(home, 'volumes')), { timeout: 20_000, interval: 5 }).toBe(false)
    const log = new LogWriter({ path: join(home, 'logs/web/0.log'), now: () => clock.now() })
    log.write('stdout', Buffer.from('hello\n'))
    log.close()
    await plane.client.delete(pods, 'web', { namespace: 'default' })
    await world.untilGone('web')
    await expect.poll(() => existsSync(home), { timeout: 20_000, interval: 5 }).toBe(false)
  })

  it('of pods that nobody knows are removed at the start', async () => {
    await node.stop({ farewell: false })
    const log = new LogWriter({ path: join(podDirectory('unknown'), 'logs/web/0.log'), now: () => clock.now() })
    log.close()
    node = createNode({ ...plane, client: plane.nodeClient('n1'), name: 'n1', runtime: withFiles(), dataDirectory: directory })
    await node.start()
    expect(readdirSync(join(directory, 'pods'))).toEqual([])
  })
})

describe('host ports', () => {
  it('lead into the pod while it is there', async () => {
    const server = createServer((socket) => socket.end('from the pod'))
    const free = createServer()
    for (const each of [server, free]) await new Promise<void>((resolve) => each.listen(0, '127.0.0.1', resolve))
    const portOf = (each: Server) => (each.address() as AddressInfo).port
    const ports = [{ containerPort: portOf(server), hostPort: portOf(free), hostIP: '127.0.0.1' }]
    await new Promise((resolve) => free.close(resolve))
    await world.run('web', { containers: [{ name: 'web', image: 'web:1', ports }] })
    await world.until('web', (p) => p.status?.phase === 'Running')
    const answer = () =>
      new Promise<string>((resolve) => {
        let text = ''
        const socket = connect(ports[0]?.hostPort ?? 0, '127.0.0.1')
        socket.on('data', (chunk) => {
          text += chunk
        })
        socket.on('error', (error) => resolve((error as NodeJS.ErrnoException).code ?? ''))
        socket.on('close', () => resolve(text))
      })
    expect(await answer()).toBe('from the pod')
    await plane.client.delete(pods, 'web', { namespace: 'default', gracePeriodSeconds: 1 })
    await world.untilGone('web')
    await expect.poll(answer, { timeout: 20_000 }).toBe('ECONNREFUSED')
    server.close()
  })
})

describe('claims', () => {
  it('hold the pod up until they are bound to a path', async () => {
    await world.run('web', { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }] })
    await expect
      .poll(() => world.events('web'), { timeout: 20_000, interval: 5 })
      .toContain('FailedMount: MountVolume.SetUp failed for volume "v" : persistentvolumeclaim "data" not found')
    const { persistentVolumeClaims, persistentVolumes } = await import('../../src/client/resources.ts')
    const common = { accessModes: ['ReadWriteOnce'], storageClassName: '' }
    const capacity = { storage: '1Gi' }
    await plane.client.create(persistentVolumes, {
      metadata: { name: 'pv1' },
      spec: { ...common, capacity, hostPath: { path: join(directory, 'pv1'), type: 'DirectoryOrCreate' } },
    })
    const claim = await plane.client.create(persistentVolumeClaims, {
      metadata: { name: 'data', namespace: 'default' },
      spec: { ...common, resources: { requests: capacity }, volumeName: 'pv1' },
    })
    await plane.client.updateStatus(persistentVolumeClaims, { ...claim, status: { phase: 'Bound' } })
    await clock.advance(10_000)
    await world.until('web', (p) => p.status?.phase === 'Running')
    expect(existsSync(join(directory, 'pv1'))).toBe(true)
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
