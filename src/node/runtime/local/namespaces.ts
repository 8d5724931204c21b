/**
 * Full isolation for a root agent: a pod is a small process that holds network, host name and IPC namespaces, a container
 * adds pid and mount namespaces of its own. Everything is a child that dies with this process.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Mount, RuntimeError, type SandboxConfig } from '../runtime.ts'
import type { Bridge } from './bridge.ts'
import { identityOf } from './identity.ts'
import type { EnterPlan, Isolation, Place, StartRequest } from './isolation.ts'
import { entryCommand, quote, setupScript, type Tools } from './launch.ts'
import { writePodFiles } from './pod-files.ts'
import { planRoot } from './root-filesystem.ts'
import { childrenOf, RunningProcess, signalQuietly } from './running-process.ts'

export interface NamespaceOptions {
  tools: Tools
  bridge: Bridge
  dataDirectory: string
  /** Made by `makeSkeleton`. */
  skeleton: string
}

export function namespaceIsolation(options: NamespaceOptions): Isolation {
  return {
    kind: 'namespaces',
    network: options.bridge,
    createPlace: (id, directory, config) => NamespacePlace.create(options, id, directory, config),
    close: () => options.bridge.close(),
  }
}

class NamespacePlace implements Place {
  readonly address: string
  readonly lost: Promise<void>
  private readonly options: NamespaceOptions
  private readonly holder: ChildProcess
  private readonly holderPid: number
  private readonly veth: string
  private readonly hostNetwork: boolean
  private readonly mounts: Mount[]
  private readonly processes = new Set<RunningProcess>()

  private constructor(
    options: NamespaceOptions,
    holder: ChildProcess,
    fields: Pick<NamespacePlace, 'address'> & { veth: string; hostNetwork: boolean; mounts: Mount[] },
  ) {
    this.options = options
    this.holder = holder
    this.holderPid = holder.pid as number
    this.address = fields.address
    this.veth = fields.veth
    this.hostNetwork = fields.hostNetwork
    this.mounts = fields.mounts
    this.lost = new Promise((resolve) => holder.once('close', () => resolve()))
  }

  static async create(options: NamespaceOptions, id: string, directory: string, config: SandboxConfig): Promise<NamespacePlace> {
    refuseUnsupported(config)
    const { tools, bridge } = options
    const link = config.hostNetwork ? undefined : bridge.attachment(process.pid, id)
    const holder = spawn(
      tools.setpriv,
      [
        '--pdeathsig',
        'KILL',
        tools.unshare,
        ...(link ? ['--net'] : []),
        '--uts',
        '--ipc',
        '--',
        tools.sh,
        '-c',
        holderScript(tools, config, link?.batch),
      ],
      { stdio: ['pipe', 'pipe', 'pipe'], detached: true },
    )
    try {
      await untilReady(holder)
      if (link) await bridge.plug(link.veth)
    } catch (error) {
      holder.kill('SIGKILL')
      if (link) await bridge.unplug(link.veth, link.address)
      throw new RuntimeError('CreatePodSandboxError', (error as Error).message, { cause: error })
    }
    const address = link?.address ?? ''
    const mounts = writePodFiles(directory, config, address)
    return new NamespacePlace(options, holder, { address, veth: link?.veth ?? '', hostNetwork: config.hostNetwork, mounts })
  }

  start(request: StartRequest): RunningProcess {
    const { tools, dataDirectory } = this.options
    const { config, layers, directory } = request
    const root = join(directory, 'root')
    mkdirSync(root, { recursive: true })
    const own = new Set(config.mounts.map((mount) => mount.containerPath))
    const plan = planRoot({
      root,
      directory,
      skeleton: this.options.skeleton,
      layers: layers.directories,
      hostBase: layers.hostBase,
      dataDirectory,
      readOnly: config.readOnlyRootFilesystem ?? false,
      mounts: [...this.mounts.filter((mount) => !own.has(mount.containerPath)), ...config.mounts],
    })
    for (const path of plan.prepare) mkdirSync(path, { recursive: true })
    const script = setupScript(root, plan, tools, [], (name, lines) => {
      const path = join(directory, `${name}.mounts`)
      writeFileSync(path, `${lines.join('\n')}\n`)
      return path
    })
    const started = new RunningProcess({
      command: tools.setpriv,
      args: [
        '--pdeathsig',
        'KILL',
        ...this.nsenter(),
        tools.unshare,
        '--pid',
        '--mount',
        '--fork',
        '--kill-child=KILL',
        '--',
        tools.sh,
        '-c',
        script,
        'skiff',
        ...this.entry(request, request.command),
      ],
      env: withNode(request),
      logPath: request.logPath,
      stdin: config.stdin,
      now: request.now,
      signal: (running, signal) => {
        for (const init of childrenOf(running.child.pid ?? 0)) for (const main of childrenOf(init)) signalQuietly(main, signal)
      },
      kill: (running) => {
        // The namespace's first process takes all others with it.
        const inits = childrenOf(running.child.pid ?? 0)
        for (const pid of inits.length > 0 ? inits : [running.child.pid ?? 0]) if (pid > 0) signalQuietly(pid, 'SIGKILL')
      },
    })
    this.processes.add(started)
    void started.ended.then(() => this.processes.delete(started))
    return started
  }

  enter(running: RunningProcess, request: StartRequest, command: readonly string[]): EnterPlan {
    const { tools } = this.options
    const init = childrenOf(running.child.pid ?? 0)[0]
    if (init === undefined) throw new RuntimeError('ContainerNotRunning', 'the container has ended')
    const namespaces = ['--mount', '--pid', '--uts', '--ipc', ...(this.hostNetwork ? [] : ['--net'])]
    return {
      command: tools.setpriv,
      args: [
        '--pdeathsig',
        'KILL',
        tools.nsenter,
        '--target',
        String(init),
        ...namespaces,
        '--root',
        '--wd',
        '--',
        ...this.entry(request, command),
      ],
      env: withNode(request),
      kill: (pid) => {
        for (const child of childrenOf(pid)) signalQuietly(child, 'SIGKILL')
      },
    }
  }

  async remove(): Promise<void> {
    const running = [...this.processes]
    for (const one of running) one.kill()
    await Promise.all(running.map((one) => one.ended))
    this.holder.kill('SIGKILL')
    await this.lost
    if (this.veth) await this.options.bridge.unplug(this.veth, this.address)
  }

  private nsenter(): string[] {
    const namespaces = ['--uts', '--ipc', ...(this.hostNetwork ? [] : ['--net'])]
    return [this.options.tools.nsenter, '--target', String(this.holderPid), ...namespaces, '--']
  }

  private entry(request: StartRequest, command: readonly string[]): string[] {
    const lower = [...request.layers.directories, ...(request.layers.hostBase ? ['/'] : [])]
    const identity = identityOf(request.config, request.image.config.user ?? '', lower)
    return entryCommand(this.options.tools, request.config, identity, request.workingDir, command)
  }
}

/** Attaches the pod to the bridge from its own side, says `ready`, and holds the namespaces until its input ends. */
function holderScript(tools: Tools, config: SandboxConfig, batch: string | undefined): string {
  const sysctls = Object.entries(config.sysctls ?? {}).map(
    ([name, value]) => `echo ${quote(value)} > ${quote(`/proc/sys/${name.replaceAll('.', '/')}`)}`,
  )
  return `set -e
echo ${quote(config.hostname)} > /proc/sys/kernel/hostname
${batch === undefined ? '' : `${tools.ip} -batch - <<'SKIFF_BATCH'\n${batch}SKIFF_BATCH`}
${sysctls.join('\n')}
echo ready
exec cat
`
}

async function untilReady(holder: ChildProcess): Promise<void> {
  let errors = ''
  holder.stdin?.on('error', () => {})
  holder.stderr?.on('data', (chunk: Buffer) => {
    errors += chunk
  })
  const ended = once(holder, 'close').then(() => {
    throw new Error(errors.trim() || 'the pod sandbox ended at once')
  })
  ended.catch(() => {})
  await Promise.race([once(holder.stdout as NodeJS.ReadableStream, 'data'), ended])
}

function refuseUnsupported(config: SandboxConfig): void {
  const asked = { hostPID: config.hostPid, hostIPC: config.hostIpc, shareProcessNamespace: config.shareProcessNamespace }
  for (const [name, wanted] of Object.entries(asked)) {
    if (wanted) throw new RuntimeError('CreatePodSandboxError', `the local runtime does not support ${name}`)
  }
}

/** A host-based image finds the Node that runs this cluster, wherever that is. */
function withNode({ env, layers }: StartRequest): Record<string, string> {
  const node = dirname(process.execPath)
  if (!layers.hostBase || env.PATH?.split(':').includes(node)) return env
  return { ...env, PATH: `${env.PATH}:${node}` }
}
