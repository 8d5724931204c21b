/**
 * No isolation: a container of a host-based image is a process group with a working copy of the image's files. For hosts
 * without namespaces; refuses by name what it cannot do.
 */
import { cpSync, mkdirSync, realpathSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Duplex } from 'node:stream'
import { RuntimeError } from '../runtime.ts'
import type { Isolation, Place, StartRequest } from './isolation.ts'
import { plainConnect, plainListen, plainUdp } from './network.ts'
import { RunningProcess, signalQuietly } from './running-process.ts'

const REPORTING = `trap : TERM INT QUIT HUP USR1 USR2
echo ready >&3
"$@" 3>&-
echo "exit $?" >&3
kill -KILL 0
`

export function processIsolation({ notice }: { notice: string }): Isolation {
  return {
    kind: 'process',
    notice,
    network: {
      reach: 'none',
      nodeAddress: '127.0.0.1',
      podCidr: '127.0.0.1/32',
      connect: plainConnect,
      listen: plainListen,
      bindUdp: plainUdp,
      claimRange: () => Promise.resolve(),
    },
    createPlace: async () => new ProcessPlace(),
    removeFiles: async (directory) => rmSync(directory, { recursive: true, force: true }),
    close: () => Promise.resolve(),
  }
}

class ProcessPlace implements Place {
  readonly address = '127.0.0.1'
  readonly lost: Promise<void>
  private readonly running = new Set<RunningProcess>()
  private gone = () => {}

  constructor() {
    this.lost = new Promise((resolve) => {
      this.gone = resolve
    })
  }

  start(request: StartRequest): RunningProcess {
    const { layers, directory, config } = request
    if (!layers.hostBase)
      throw new RuntimeError('CreateContainerError', `${config.image} needs namespaces: it has its own root filesystem`)
    if (config.tty) throw new RuntimeError('CreateContainerError', 'tty: true needs namespaces')
    mkdirSync(directory, { recursive: true })
    for (const layer of [...layers.directories].reverse()) cpSync(layer, directory, { recursive: true, verbatimSymlinks: true })
    const started = new RunningProcess({
      command: '/bin/sh',
      args: ['-c', REPORTING, 'skiff', ...request.command],
      env: environment(request),
      cwd: workingDirectory(request),
      logPath: request.logPath,
      stdin: config.stdin,
      now: request.now,
      // The shell in between ends with its child and reports how that ended.
      signal: ({ child }, signal) => child.pid && signalQuietly(-child.pid, signal),
      kill: ({ child }) => child.pid && signalQuietly(-child.pid, 'SIGKILL'),
    })
    this.running.add(started)
    void started.ended.then(() => this.running.delete(started))
    return started
  }

  enter(_running: RunningProcess, request: StartRequest, command: readonly string[]) {
    const [name = '', ...args] = command
    return {
      command: name,
      args,
      env: environment(request),
      cwd: workingDirectory(request),
      kill: (pid: number) => signalQuietly(-pid, 'SIGKILL'),
    }
  }

  connectInside(port: number): Promise<Duplex> {
    return plainConnect('127.0.0.1', port)
  }

  listenInside(): Promise<undefined> {
    return Promise.resolve(undefined)
  }

  async remove(): Promise<void> {
    const running = [...this.running]
    for (const one of running) one.kill()
    await Promise.all(running.map(({ ended }) => ended))
    this.gone()
  }
}

function workingDirectory({ directory, workingDir }: StartRequest): string {
  const inside = join(directory, workingDir)
  mkdirSync(inside, { recursive: true })
  return realpathSync(inside)
}

function environment({ env }: StartRequest): Record<string, string> {
  return { ...env, PATH: `${env.PATH}:${dirname(process.execPath)}` }
}
