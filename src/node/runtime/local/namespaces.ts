/**
 * Full isolation: a pod is a small process that holds network, host name and IPC namespaces, a container
 * adds pid and mount namespaces of its own. Everything is a child that dies with this process.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import type { Server } from 'node:net'
import { basename, dirname, join } from 'node:path'
import { Duplex } from 'node:stream'
import { type Mount, RuntimeError, type SandboxConfig } from '../runtime.ts'
import type { Bridge } from './bridge.ts'
import type { Cgroups } from './cgroups.ts'
import { ContainerTerminal } from './container-terminal.ts'
import { identityOf } from './identity.ts'
import type { InnerNetwork } from './inner-network.ts'
import type { EnterPlan, Isolation, Place, StartRequest } from './isolation.ts'
import { entryCommand, quote, setupScript, type Tools } from './launch.ts'
import { listenInside } from './listen-inside.ts'
import { writePodFiles } from './pod-files.ts'
import { planRoot } from './root-filesystem.ts'
import { runCommand } from './run-command.ts'
import { childrenOf, RunningProcess, signalQuietly } from './running-process.ts'

/** Joins its own input and output with a port of the loopback address; run by Node in the pod's network namespace. */
const LOOPBACK_PIPE = `
const socket = require('node:net').connect({ host: '127.0.0.1', port: Number(process.argv[1]) })
socket.on('error', (error) => { process.stderr.write(error.message); process.exit(1) })
socket.on('close', () => process.exit())
socket.on('connect', () => { process.stderr.write('connected'); process.stdin.pipe(socket); socket.pipe(process.stdout) })
`

export interface NamespaceOptions {
  tools: Tools
  bridge: Bridge
  dataDirectory: string
  /** Made by `makeSkeleton`. */
  skeleton: string
  /** A normal user's: the process that holds the user namespace and the bridge's network. */
  inner?: InnerNetwork
  /** Absent where limits cannot be kept; `notice` says so. */
  cgroups?: Cgroups
  notice?: string
}

export function namespaceIsolation(options: NamespaceOptions): Isolation {
  return {
    kind: 'namespaces',
    ...(options.notice === undefined ? {} : { notice: options.notice }),
    network: options.bridge,
    createPlace: (id, directory, config) => NamespacePlace.create(options, id, directory, config),
    removeFiles: async (directory) => {
      const { inner, tools } = options
      if (!inner) return rmSync(directory, { recursive: true, force: true })
      // Files of the user's further ids and overlayfs' own directories are removed from inside.
      const [command = '', ...args] = [
        ...userNamespace(tools, inner.pid),
        '--',
        tools.sh,
        '-c',
        'exec rm -rf -- "$1"',
        'skiff',
        directory,
      ]
      await runCommand(command, args)
    },
    close: async () => {
      options.cgroups?.sweep()
      await options.bridge.close()
      await options.inner?.close()
    },
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
    const link = config.hostNetwork
      ? undefined
      : bridge.attachment(options.inner?.pid ?? process.pid, id, config.loopbackAddresses)
    const into = options.inner ? [...userNamespace(tools, options.inner.pid), '--net', '--'] : []
    const held = [
      tools.unshare,
      ...(link ? ['--net'] : []),
      '--uts',
      '--ipc',
      '--',
      tools.sh,
      '-c',
      holderScript(tools, config, link?.batch),
    ]
    const [command = '', ...args] = [...into, tools.setpriv, '--pdeathsig', 'KILL', ...held]
    const holder = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], detached: true })
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
    const cgroup = this.options.cgroups?.make(basename(directory), config.resources)
    const script = setupScript(root, plan, tools, cgroup?.procs ?? [], (name, lines) => {
      const path = join(directory, `${name}.mounts`)
      writeFileSync(path, `${lines.join('\n')}\n`)
      return path
    })
    const entry = this.entry(request, request.command)
    const terminal = config.tty ? new ContainerTerminal(directory, request.env) : undefined
    // A container's shell reports how its process ended; a terminal's program stands between the two.
    const mainsOf = ({ child }: RunningProcess) => {
      const mains = childrenOf(child.pid ?? 0).flatMap(childrenOf)
      return terminal ? mains.flatMap(childrenOf) : mains
    }
    const started = new RunningProcess({
      command: tools.nsenter,
      args: [
        ...this.intoPod(),
        tools.setpriv,
        '--pdeathsig',
        'KILL',
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
        ...(terminal?.wrap(entry) ?? entry),
      ],
      env: withNode(request),
      logPath: request.logPath,
      // A terminal whose input has ended would tell its process so.
      stdin: config.stdin || config.tty,
      now: request.now,
      afterwards: () => {
        const oomKilled = cgroup?.oomKilled() ?? false
        cgroup?.remove()
        return { oomKilled }
      },
      ...(cgroup && { usage: () => cgroup.usage() }),
      signal: (running, signal) => {
        for (const main of mainsOf(running)) this.signalMain(main, signal)
      },
      ...(terminal && {
        resize: ({ child }, size) => {
          const [script] = childrenOf(child.pid ?? 0).flatMap(childrenOf)
          return terminal.resize(size, script, this.options.inner ? [...userNamespace(tools, this.options.inner.pid), '--'] : [])
        },
      }),
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
    return {
      command: tools.nsenter,
      args: [
        ...(this.options.inner ? ['--user', '--preserve-credentials'] : []),
        '--target',
        String(init),
        ...['--mount', '--pid', '--uts', '--ipc', ...this.net(), '--root', '--wd', '--'],
        ...this.entry(request, command),
      ],
      env: withNode(request),
      kill: (pid) => {
        for (const child of childrenOf(pid)) signalQuietly(child, 'SIGKILL')
        // Before it has a child, before it leads a group, and together with one that it makes at this moment.
        for (const target of [-pid, pid, -pid]) signalQuietly(target, 'SIGKILL')
      },
    }
  }

  async connectInside(port: number): Promise<Duplex> {
    const args = [
      ...this.intoPod(),
      this.options.tools.setpriv,
      '--pdeathsig',
      'KILL',
      process.execPath,
      '-e',
      LOOPBACK_PIPE,
      String(port),
    ]
    const child = spawn(this.options.tools.nsenter, args, { stdio: 'pipe' })
    const errors: Buffer[] = []
    child.stderr.on('data', (chunk: Buffer) => errors.push(chunk))
    const ended = once(child, 'close').then(() => {
      throw new RuntimeError('PortForward', Buffer.concat(errors).toString().trim() || `connection to port ${port} ended`)
    })
    ended.catch(() => {})
    // The first line says that the connection stands.
    await Promise.race([once(child.stderr, 'data'), ended])
    if (!Buffer.concat(errors).toString().startsWith('connected')) await ended
    const duplex = Duplex.from({ readable: child.stdout, writable: child.stdin })
    duplex.once('close', () => child.kill('SIGKILL'))
    return duplex
  }

  async listenInside(address: string, port: number): Promise<Server | undefined> {
    if (this.hostNetwork) return undefined
    const { nsenter, setpriv } = this.options.tools
    return listenInside([nsenter, ...this.intoPod(), setpriv, '--pdeathsig', 'KILL'], address, port)
  }

  async remove(): Promise<void> {
    const running = [...this.processes]
    for (const one of running) one.kill()
    await Promise.all(running.map((one) => one.ended))
    this.holder.kill('SIGKILL')
    await this.lost
    if (this.veth) await this.options.bridge.unplug(this.veth, this.address)
  }

  private net(): string[] {
    return this.hostNetwork && !this.options.inner ? [] : ['--net']
  }

  private intoPod(): string[] {
    const user = this.options.inner ? ['--user', '--preserve-credentials'] : []
    return ['--target', String(this.holderPid), ...user, '--uts', '--ipc', ...this.net(), '--']
  }

  /** A container of a normal user may run as one of this user's further ids, which only its user namespace may signal. */
  private signalMain(pid: number, signal: NodeJS.Signals): void {
    try {
      signalQuietly(pid, signal)
    } catch (error) {
      const { inner, tools } = this.options
      if ((error as NodeJS.ErrnoException).code !== 'EPERM' || !inner) throw error
      const [command = '', ...args] = [
        ...userNamespace(tools, inner.pid),
        '--',
        tools.sh,
        '-c',
        `kill -${signal.slice(3)} ${pid}`,
      ]
      // The process may have ended in the meantime.
      void runCommand(command, args).catch(() => {})
    }
  }

  private entry(request: StartRequest, command: readonly string[]): string[] {
    const lower = [...request.layers.directories, ...(request.layers.hostBase ? ['/'] : [])]
    const identity = identityOf(request.config, request.image.config.user ?? '', lower)
    if (this.options.inner && !this.options.inner.manyUsers && (identity.uid !== 0 || identity.gid !== 0))
      throw new RuntimeError(
        'CreateContainerError',
        `user ${identity.uid}:${identity.gid} needs ids in /etc/subuid and /etc/subgid, or root`,
      )
    const groups = !this.options.inner || this.options.inner.manyUsers
    return entryCommand(this.options.tools, request.config, { ...identity, setGroups: groups }, request.workingDir, command)
  }
}

/** Attaches the pod to the bridge from its own side, says `ready`, and holds the namespaces until its input ends. */
function holderScript(tools: Tools, config: SandboxConfig, batch: string | undefined): string {
  const sysctls = Object.entries(config.sysctls ?? {}).map(
    ([name, value]) => `echo ${quote(value)} > ${quote(`/proc/sys/${name.replaceAll('.', '/')}`)}`,
  )
  return `set -e
hostname ${quote(config.hostname)} 2>/dev/null || echo ${quote(config.hostname)} > /proc/sys/kernel/hostname
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

function userNamespace(tools: Tools, pid: number): string[] {
  return [tools.nsenter, '--target', String(pid), '--user', '--preserve-credentials']
}
