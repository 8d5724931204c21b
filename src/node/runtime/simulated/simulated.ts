/**
 * The runtime whose pods only have a lifecycle: containers start, become ready, end and fail by rule and by the clock, and
 * cost a few objects each. For tests of what runs on top, and for clusters of thousands of nodes in one process.
 */
import { availableParallelism, totalmem } from 'node:os'
import type { ProcessExit, ProcessHandle, ProcessIo } from '../../../api/streams.ts'
import { type Clock, delay } from '../../../base/clock.ts'
import {
  type ContainerConfig,
  type ContainerState,
  type HostStats,
  type ImageState,
  type LogLine,
  type Runtime,
  RuntimeError,
  type RuntimeInfo,
  type SandboxConfig,
  type SandboxState,
  type SandboxStats,
} from '../runtime.ts'
import { createAddressPool } from './address-pool.ts'
import type { BehaviourRule } from './behaviour.ts'
import { interpret } from './commands.ts'
import { SimulatedContainer } from './container.ts'
import { simulatedImage } from './images.ts'
import { simulatedNetwork } from './network.ts'

export interface SimulatedRuntimeOptions {
  clock: Clock
  /** Where pod addresses come from, default 10.244.0.0/16. Nodes of one cluster need ranges of their own. */
  podCidr?: string
  nodeAddress?: string
  /** Later rules win. */
  rules?: readonly BehaviourRule[]
  capacity?: Partial<RuntimeInfo['capacity']>
}

interface Sandbox {
  config: SandboxConfig
  id: string
  ip: string
  createdAtMs: number
  containers: Map<string, SimulatedContainer>
  /** What `list` answers, until something changes. */
  snapshot: SandboxState | undefined
}

export function createSimulatedRuntime(options: SimulatedRuntimeOptions): Runtime {
  return new SimulatedRuntime(options)
}

class SimulatedRuntime implements Runtime {
  readonly name = 'simulated'
  readonly info: RuntimeInfo
  readonly network
  private readonly clock: Clock
  private readonly rules: readonly BehaviourRule[]
  private readonly addresses
  private readonly sandboxes = new Map<string, Sandbox>()
  private readonly containers = new Map<string, { container: SimulatedContainer; sandbox: Sandbox }>()
  private readonly listeners = new Set<(sandboxId: string) => void>()
  private readonly startedAtMs: number
  private nextId = 1

  constructor(options: SimulatedRuntimeOptions) {
    this.startedAtMs = options.clock.now()
    const podCidr = options.podCidr ?? '10.244.0.0/16'
    this.clock = options.clock
    this.rules = options.rules ?? []
    this.addresses = createAddressPool(podCidr)
    this.network = simulatedNetwork(options.nodeAddress ?? '192.0.2.1', podCidr)
    this.info = {
      version: 'simulated://0.1.0',
      isolation: 'simulated',
      notice: 'pods are simulated: no process runs',
      operatingSystem: 'linux',
      osImage: 'skiff simulation',
      kernelVersion: '0.0.0',
      architecture: 'amd64',
      capacity: {
        cpuCores: availableParallelism(),
        memoryBytes: totalmem(),
        storageBytes: 100 * 2 ** 30,
        pods: 110,
        ...options.capacity,
      },
    }
  }

  recover(): Promise<void> {
    return Promise.resolve()
  }

  list(): Promise<SandboxState[]> {
    return Promise.resolve([...this.sandboxes.values()].map(snapshotOf))
  }

  onChange(listener: (sandboxId: string) => void): void {
    this.listeners.add(listener)
  }

  async createSandbox(config: SandboxConfig, signal?: AbortSignal): Promise<SandboxState> {
    signal?.throwIfAborted()
    const id = `${config.uid}-${config.attempt}`
    const sandbox: Sandbox = {
      config,
      id,
      ip: config.hostNetwork ? '' : this.addresses.take(),
      createdAtMs: this.clock.now(),
      containers: new Map(),
      snapshot: undefined,
    }
    this.sandboxes.set(id, sandbox)
    this.changed(sandbox)
    return snapshotOf(sandbox)
  }

  async removeSandbox(sandboxId: string): Promise<void> {
    const sandbox = this.sandboxes.get(sandboxId)
    if (!sandbox) return
    this.sandboxes.delete(sandboxId)
    for (const [id, container] of sandbox.containers) {
      container.end(137)
      this.containers.delete(id)
    }
    if (sandbox.ip) this.addresses.give(sandbox.ip)
    this.changed(sandbox)
  }

  async startContainer(sandboxId: string, config: ContainerConfig): Promise<ContainerState> {
    const sandbox = this.sandboxes.get(sandboxId)
    if (!sandbox) throw new RuntimeError('CreateContainerError', `no sandbox ${sandboxId}`)
    const id = (this.nextId++).toString(16).padStart(16, '0')
    const container = new SimulatedContainer({
      id,
      config: { ...config, imageId: simulatedImage(config.image, 'IfNotPresent').digest ?? config.imageId },
      sandbox: sandbox.config,
      rules: this.rules,
      clock: this.clock,
      changed: () => this.changed(sandbox),
    })
    await container.start()
    if (!this.sandboxes.has(sandboxId)) throw new RuntimeError('RunContainerError', `sandbox ${sandboxId} is gone`)
    sandbox.containers.set(id, container)
    this.containers.set(id, { container, sandbox })
    this.changed(sandbox)
    return container.state
  }

  async stopContainer(containerId: string, graceMs: number): Promise<void> {
    await this.containers.get(containerId)?.container.stop(graceMs)
  }

  /** There is no process that could hear it. */
  async signalContainer(): Promise<void> {}

  async removeContainer(containerId: string): Promise<void> {
    const found = this.containers.get(containerId)
    if (!found) return
    this.containers.delete(containerId)
    found.sandbox.containers.delete(containerId)
    this.changed(found.sandbox)
  }

  async ensureImage(image: string, policy: 'Always' | 'IfNotPresent' | 'Never'): Promise<ImageState> {
    return simulatedImage(image, policy)
  }

  async exec(
    containerId: string,
    options: { command: readonly string[] },
    io: ProcessIo,
    signal: AbortSignal,
  ): Promise<ProcessHandle> {
    const { container, sandbox } = this.running(containerId)
    const context = { hostname: sandbox.config.hostname, env: container.config.env }
    const result = interpret(options.command, context) ?? {
      output: `simulated ${container.config.name}: ${options.command.join(' ')}\n`,
      code: 0,
      durationMs: 0,
      copies: false,
    }
    const run = async (): Promise<ProcessExit> => {
      io.stdout?.write(result.output)
      if (result.copies && io.stdin) for await (const chunk of io.stdin) io.stdout?.write(chunk)
      if (result.durationMs > 0) await delay(this.clock, Math.min(result.durationMs, 2 ** 31 - 1), signal)
      return { code: result.code }
    }
    return { exit: run().catch((error: Error) => ({ code: 137, error: error.message })) }
  }

  async attach(containerId: string, _options: unknown, _io: ProcessIo, signal: AbortSignal): Promise<ProcessHandle> {
    const { container } = this.running(containerId)
    const ended = container.ended.then((code): ProcessExit => ({ code }))
    const aborted = new Promise<ProcessExit>((resolve) => {
      signal.addEventListener('abort', () => resolve({ code: 0 }), { once: true })
    })
    return { exit: Promise.race([ended, aborted]) }
  }

  portForward(_sandboxId: string, port: number): Promise<never> {
    return Promise.reject(new RuntimeError('PortForward', `simulated pods listen on no port: ${port}`))
  }

  async stats(sandboxId: string): Promise<SandboxStats> {
    const containers = runningIn(this.sandboxes.get(sandboxId)).map((container) => {
      return { id: container.state.id, name: container.config.name, ...container.stats() }
    })
    return { timestampMs: this.clock.now(), containers }
  }

  /** The machine is as large as this host, and uses what its pods use. */
  async hostStats(): Promise<HostStats> {
    const { memoryBytes: totalBytes } = this.info.capacity
    const total = { cpuNanoCores: 0, cpuNanoSeconds: 0, memoryBytes: 0 }
    for (const sandbox of this.sandboxes.values())
      for (const container of runningIn(sandbox)) {
        const { cpuNanoCores = 0, cpuNanoSeconds, memoryBytes } = container.stats()
        total.cpuNanoCores += cpuNanoCores
        total.cpuNanoSeconds += cpuNanoSeconds
        total.memoryBytes += memoryBytes
      }
    const memoryAvailableBytes = Math.max(0, totalBytes - total.memoryBytes)
    return { timestampMs: this.clock.now(), startedAtMs: this.startedAtMs, ...total, memoryAvailableBytes }
  }

  async probe(containerId: string, kind: 'startup' | 'readiness' | 'liveness'): Promise<{ ok: boolean; message: string }> {
    const found = this.containers.get(containerId)
    return found ? found.container.probe(kind) : { ok: false, message: 'no such container' }
  }

  logLines(containerId: string): readonly LogLine[] {
    return this.containers.get(containerId)?.container.log() ?? []
  }

  async close({ remove }: { remove: boolean }): Promise<void> {
    // Nothing survives this process: without `remove` there is nothing to keep, either.
    if (remove) for (const id of [...this.sandboxes.keys()]) await this.removeSandbox(id)
    for (const { container } of this.containers.values()) container.forget()
  }

  private running(containerId: string): { container: SimulatedContainer; sandbox: Sandbox } {
    const found = this.containers.get(containerId)
    if (found?.container.state.state !== 'Running')
      throw new RuntimeError('ContainerNotRunning', `no running container ${containerId}`)
    return found
  }

  private changed(sandbox: Sandbox): void {
    sandbox.snapshot = undefined
    for (const listener of this.listeners) listener(sandbox.id)
  }
}

function runningIn(sandbox: Sandbox | undefined): SimulatedContainer[] {
  return [...(sandbox?.containers.values() ?? [])].filter(({ state }) => state.state === 'Running')
}

function snapshotOf(sandbox: Sandbox): SandboxState {
  if (!sandbox.snapshot) {
    const { uid, name, namespace, attempt, labels } = sandbox.config
    const containers = [...sandbox.containers.values()].map((container) => container.state)
    const { id, ip, createdAtMs } = sandbox
    sandbox.snapshot = { id, uid, name, namespace, attempt, labels, state: 'Ready', ip, createdAtMs, containers }
  }
  return sandbox.snapshot
}
