/**
 * The embedded runtime: pods as namespaces on this host, made with the host's own small tools. Everything it runs is a
 * child of this process and dies with it; `recover` sweeps what a killed agent left. Knows no API object.
 */

import { createHash } from 'node:crypto'
import { mkdirSync, rmSync } from 'node:fs'
import type { Server } from 'node:net'
import { join, resolve } from 'node:path'
import type { AttachOptions, PortConnection, ProcessHandle, ProcessIo } from '../../../api/streams.ts'
import type { Clock } from '../../../base/clock.ts'
import type { Log } from '../../../base/log.ts'
import type { RegistryCredential } from '../../../registry/credentials.ts'
import {
  type ContainerConfig,
  type ContainerState,
  type FirstAttach,
  type HostStats,
  type ImageState,
  type Runtime,
  RuntimeError,
  type RuntimeExec,
  type RuntimeInfo,
  type SandboxConfig,
  type SandboxState,
  type SandboxStats,
} from '../runtime.ts'
import { Bridge } from './bridge.ts'
import { openCgroups } from './cgroups.ts'
import { commandOf, environment } from './command.ts'
import { finish } from './container-end.ts'
import { describeHost } from './host-info.ts'
import type { ImageSource } from './image-source.ts'
import type { InnerNetwork } from './inner-network.ts'
import type { Isolation, Place, StartRequest } from './isolation.ts'
import type { Tools } from './launch.ts'
import { namespaceIsolation } from './namespaces.ts'
import { plainConnect, plainListen, plainUdp } from './network.ts'
import { processIsolation } from './processes.ts'
import { makeSkeleton } from './root-filesystem.ts'
import { findTool, runCommand } from './run-command.ts'
import type { RunningProcess } from './running-process.ts'
import { hostUsage, sampleUsage } from './stats.ts'
import { attachProcess, execProcess, execTerminal } from './streams.ts'

export interface LocalRuntimeOptions {
  /** Pods' files and images are below it; pods never see it. */
  dataDirectory: string
  /** Keeps the networks of several clusters on one host apart. Default: derived from the data directory. */
  clusterId?: string
  clock: Clock
  log: Log
  /** Default: a range that is free on this host. */
  podCidr?: string
  /** Takes less isolation than the host could give. */
  isolation?: 'process'
  /** Default: the store in the data directory. */
  images?: ImageSource
}

interface Container {
  state: ContainerState
  running: RunningProcess
  request: StartRequest
  sandbox: Sandbox
}

interface Sandbox {
  state: SandboxState
  config: SandboxConfig
  place: Place
  directory: string
  containers: Map<string, Container>
}

/** Where root agents remember what they made on the host. */
const STATE_DIRECTORY = '/run/skiff'

export async function createLocalRuntime(options: LocalRuntimeOptions): Promise<Runtime> {
  const dataDirectory = resolve(options.dataDirectory)
  const home = join(dataDirectory, 'runtime')
  // Nothing of an earlier agent runs any more; what it left are files, and the network that `Bridge.create` sweeps.
  rmSync(join(home, 'sandboxes'), { recursive: true, force: true })
  mkdirSync(join(home, 'sandboxes'), { recursive: true })
  const isolation = await chooseIsolation({ ...options, dataDirectory }, home)
  if (isolation.notice) options.log.warn(isolation.notice)
  const images = options.images ?? (await import('../../images/store.ts')).openImageStore(dataDirectory)
  return new LocalRuntime({ ...options, dataDirectory }, isolation, images)
}

async function chooseIsolation(options: LocalRuntimeOptions, home: string): Promise<Isolation> {
  const { dataDirectory } = options
  const clusterId = options.clusterId ?? dataDirectory
  const names = ['ip', 'mount', 'nsenter', 'setpriv', 'unshare', 'sh'] as const
  const found = names.map((name) => [name, findTool(name)] as const)
  const missing = found.filter(([, path]) => path === undefined).map(([name]) => name)
  const plain = (why: string) =>
    processIsolation({
      notice: `pods run as plain processes of host-based images (${why}): no address of their own, no volumes, users or limits`,
    })
  if (options.isolation === 'process') return plain('so it was asked for')
  if (process.platform !== 'linux') return plain(`${process.platform} has no namespaces`)
  if (missing.length > 0) return plain(`not installed: ${missing.join(', ')}`)
  const tools = Object.fromEntries(found) as Record<keyof Tools, string>
  const root = process.getuid?.() === 0
  let inner: InnerNetwork | undefined
  try {
    if (!root) inner = await (await import('./inner-network.ts')).openInnerNetwork(tools)
    const enter = inner ? [tools.nsenter, '--target', String(inner.pid), '--user', '--preserve-credentials', '--net', '--'] : []
    const ip = (args: readonly string[], input?: string) => {
      const [command = '', ...rest] = [...enter, tools.ip, ...args]
      return runCommand(command, rest, input)
    }
    const skeleton = join(home, 'skeleton')
    rmSync(skeleton, { recursive: true, force: true })
    makeSkeleton(skeleton)
    await tryNamespaces(tools, enter, skeleton, join(home, 'sandboxes', 'trial'))
    const bridge = await Bridge.create({
      ip,
      reach: inner ? 'inside' : 'host',
      sockets: inner ?? { connect: plainConnect, listen: plainListen, bindUdp: plainUdp },
      clusterId,
      podCidr: options.podCidr,
      ...(root ? { stateDirectory: STATE_DIRECTORY, swept: (bridge: string) => openCgroups(bridge)?.sweep() } : {}),
    })
    const cgroups = root ? openCgroups(bridge.name) : undefined
    return namespaceIsolation({
      tools,
      bridge,
      dataDirectory,
      skeleton,
      ...(inner ? { inner } : {}),
      ...(cgroups ? { cgroups } : { notice: 'limits of cpu, memory and processes are not kept: no control groups can be made' }),
    })
  } catch (error) {
    await inner?.close()
    return plain((error as Error).message)
  }
}

/** Rejects with the reason when this host refuses what a container is made of, before a pod finds out. */
async function tryNamespaces(tools: Tools, enter: readonly string[], skeleton: string, directory: string): Promise<void> {
  for (const name of ['root', 'upper', 'work']) mkdirSync(join(directory, name), { recursive: true })
  const script = `set -e; cd "$1"; m='${tools.mount} --no-mtab'
$m -t proc proc root; $m -t overlay -o "lowerdir=$2,upperdir=$1/upper,workdir=$1/work" overlay root`
  const namespaces = ['--net', '--uts', '--ipc', '--pid', '--mount', '--fork', '--kill-child=KILL', '--']
  const [command = '', ...args] = [...enter, tools.unshare, ...namespaces, tools.sh, '-c', script, 'skiff', directory, skeleton]
  await runCommand(command, args)
  rmSync(directory, { recursive: true, force: true })
}

class LocalRuntime implements Runtime {
  readonly name = 'local'
  readonly info: RuntimeInfo
  readonly network
  private readonly options: LocalRuntimeOptions
  private readonly isolation: Isolation
  private readonly images: ImageSource
  readonly inventory: Runtime['inventory']
  private readonly sandboxes = new Map<string, Sandbox>()
  private readonly containers = new Map<string, Container>()
  private readonly listeners = new Set<(sandboxId: string) => void>()

  constructor(options: LocalRuntimeOptions, isolation: Isolation, images: ImageSource) {
    this.images = images
    this.inventory = images.inventory
    this.options = options
    this.isolation = isolation
    this.network = isolation.network
    this.info = describeHost(options.dataDirectory, isolation.kind, isolation.notice)
  }

  /** What an earlier agent ran died with it, and `createLocalRuntime` removed its traces. */
  recover(): Promise<void> {
    return Promise.resolve()
  }

  async list(): Promise<SandboxState[]> {
    return [...this.sandboxes.values()].map((sandbox) => snapshot(sandbox))
  }

  onChange(listener: (sandboxId: string) => void): void {
    this.listeners.add(listener)
  }

  async createSandbox(config: SandboxConfig, signal?: AbortSignal): Promise<SandboxState> {
    signal?.throwIfAborted()
    const id = `${config.uid}-${config.attempt}`
    const existing = this.sandboxes.get(id)
    if (existing) return snapshot(existing)
    const directory = join(this.options.dataDirectory, 'runtime', 'sandboxes', id)
    const place = await this.isolation.createPlace(id, directory, config)
    const { uid, name, namespace, attempt, labels } = config
    const createdAtMs = this.options.clock.now()
    const state: SandboxState = {
      id,
      uid,
      name,
      namespace,
      attempt,
      labels,
      state: 'Ready',
      ip: place.address,
      createdAtMs,
      containers: [],
    }
    const sandbox: Sandbox = { state, config, place, directory, containers: new Map() }
    this.sandboxes.set(id, sandbox)
    void place.lost.then(() => {
      state.state = 'NotReady'
      this.changed(id)
    })
    if (signal?.aborted) {
      await this.removeSandbox(id)
      throw signal.reason
    }
    this.changed(id)
    return snapshot(sandbox)
  }

  async removeSandbox(sandboxId: string): Promise<void> {
    const sandbox = this.sandboxes.get(sandboxId)
    if (!sandbox) return
    await sandbox.place.remove()
    await this.isolation.removeFiles(sandbox.directory)
    for (const id of sandbox.containers.keys()) this.containers.delete(id)
    this.sandboxes.delete(sandboxId)
    this.changed(sandboxId)
  }

  async startContainer(sandboxId: string, config: ContainerConfig, attach?: FirstAttach): Promise<ContainerState> {
    const sandbox = this.sandboxes.get(sandboxId)
    if (!sandbox) throw new RuntimeError('CreateContainerError', `no sandbox ${sandboxId}`)
    const { images } = this
    const { clock } = this.options
    const image = await images.resolve(config.imageId)
    if (!image) throw new RuntimeError('CreateContainerError', `no image ${config.imageId}`)
    const layers = await images.layers(image.id)
    const command = commandOf(config, image)
    const id = createHash('sha256')
      .update(`${sandboxId} ${config.name} ${config.attempt} ${clock.now()} ${Math.random()}`)
      .digest('hex')
    const logPath = join(sandbox.config.logDirectory, config.name, `${config.attempt}.log`)
    const request: StartRequest = {
      directory: join(sandbox.directory, id),
      config,
      image,
      layers,
      command,
      workingDir: config.workingDir || image.config.workingDir || '/',
      env: environment(config, image, sandbox.config.hostname),
      logPath,
      now: () => clock.now(),
    }
    const running = sandbox.place.start(request)
    attach?.joined(attachProcess(running, attach.io, attach.signal, config.stdinOnce))
    try {
      await running.started
    } catch (error) {
      await running.ended
      await this.isolation.removeFiles(request.directory)
      throw new RuntimeError('RunContainerError', (error as Error).message, { cause: error })
    }
    const { name, attempt, labels } = config
    const imageId = image.digest ?? image.id
    const startedAtMs = clock.now()
    const state: ContainerState = {
      id,
      name,
      attempt,
      image: config.image,
      imageId,
      state: 'Running',
      startedAtMs,
      logPath,
      labels,
    }
    const container: Container = { state, running, request, sandbox }
    sandbox.containers.set(id, container)
    this.containers.set(id, container)
    void running.ended.then((end) => {
      finish(state, end, clock.now())
      this.changed(sandboxId)
    })
    this.changed(sandboxId)
    return { ...state }
  }

  async stopContainer(containerId: string, graceMs: number): Promise<void> {
    const container = this.containers.get(containerId)
    if (!container || container.running.finished) return
    const { running, request } = container
    const signal = (request.image.config.stopSignal ?? 'SIGTERM') as NodeJS.Signals
    if (graceMs > 0) running.signal(signal.startsWith('SIG') ? signal : (`SIG${signal}` as NodeJS.Signals))
    const cancel = this.options.clock.after(graceMs, () => running.kill())
    await running.ended
    cancel()
  }

  async signalContainer(containerId: string, signal: NodeJS.Signals): Promise<void> {
    this.containers.get(containerId)?.running.signal(signal)
  }

  async removeContainer(containerId: string, options: { logs?: boolean } = {}): Promise<void> {
    const container = this.containers.get(containerId)
    if (!container) return
    container.running.kill()
    await container.running.ended
    await this.isolation.removeFiles(container.request.directory)
    if (options.logs) rmSync(container.state.logPath, { force: true })
    this.containers.delete(containerId)
    container.sandbox.containers.delete(containerId)
    this.changed(container.sandbox.state.id)
  }

  async ensureImage(
    image: string,
    policy: 'Always' | 'IfNotPresent' | 'Never',
    signal?: AbortSignal,
    credentials: readonly RegistryCredential[] = [],
  ): Promise<ImageState> {
    return this.images.pull(image, { policy, credentials, ...(signal ? { signal } : {}) })
  }

  async exec(containerId: string, options: RuntimeExec, io: ProcessIo, signal: AbortSignal): Promise<ProcessHandle> {
    const { running, request, sandbox } = this.running(containerId)
    const plan = sandbox.place.enter(running, request, options.command)
    return options.tty ? execTerminal(plan, io, signal) : execProcess(plan, io, signal)
  }

  async attach(containerId: string, _options: AttachOptions, io: ProcessIo, signal: AbortSignal): Promise<ProcessHandle> {
    const { running, request } = this.running(containerId)
    return attachProcess(running, io, signal, request.config.stdinOnce)
  }

  async portForward(sandboxId: string, port: number, signal: AbortSignal): Promise<PortConnection> {
    const sandbox = this.sandboxes.get(sandboxId)
    if (!sandbox) throw new RuntimeError('PortForward', `no sandbox ${sandboxId}`)
    try {
      return { duplex: await this.network.connect(sandbox.state.ip || this.network.nodeAddress, port, signal) }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ECONNREFUSED') throw error
      // Not on the pod's address: perhaps on its loopback, which is where port-forward is documented to connect.
      return { duplex: await sandbox.place.connectInside(port) }
    }
  }

  async listenInside(sandboxId: string, address: string, port: number): Promise<Server | undefined> {
    return this.sandboxes.get(sandboxId)?.place.listenInside(address, port)
  }

  async stats(sandboxId: string): Promise<SandboxStats> {
    const running = [...(this.sandboxes.get(sandboxId)?.containers.values() ?? [])].filter(
      ({ state }) => state.state === 'Running',
    )
    const containers = running.map(({ state, running: process }) => {
      const { id, name, startedAtMs = 0 } = state
      return { id, name, startedAtMs, ...sampleUsage(process) }
    })
    return { timestampMs: this.options.clock.now(), containers }
  }

  async hostStats(): Promise<HostStats> {
    return hostUsage(this.options.clock.now())
  }

  async close(): Promise<void> {
    // Everything dies with this process anyway, so that nothing is kept without `remove`, either.
    await Promise.all([...this.sandboxes.keys()].map((id) => this.removeSandbox(id)))
    await this.isolation.close()
    rmSync(join(this.options.dataDirectory, 'runtime'), { recursive: true, force: true })
  }

  private running(containerId: string): Container {
    const container = this.containers.get(containerId)
    if (container?.state.state !== 'Running') throw new RuntimeError('ContainerNotRunning', `no running container ${containerId}`)
    return container
  }

  private changed(sandboxId: string): void {
    for (const listener of this.listeners) listener(sandboxId)
  }
}

function snapshot(sandbox: Sandbox): SandboxState {
  return { ...sandbox.state, containers: [...sandbox.containers.values()].map(({ state }) => ({ ...state })) }
}
