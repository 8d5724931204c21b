/**
 * The pod network of a normal user: one user and network namespace that holds the bridge, and a small Node process in it
 * that makes sockets and hands them out. Knows no pods.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import type { Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { Server, Socket } from 'node:net'

type Handle = Server | Socket | UdpSocket | undefined
interface Answer {
  id: number
  error?: { code: string; message: string }
}
interface Waiting {
  resolve: (handle: Handle) => void
  reject: (error: Error) => void
}

export interface InnerNetwork {
  /** Host pid of the process that holds the namespaces. */
  readonly pid: number
  /** Whether the users of `/etc/subuid` are there, so that containers can be other users than root. */
  readonly manyUsers: boolean
  connect(address: string, port: number, signal?: AbortSignal): Promise<Socket>
  listen(address: string, port: number, onConnection: (socket: Socket) => void): Promise<{ close(): Promise<void> }>
  bindUdp(address: string, port: number): Promise<UdpSocket>
  close(): Promise<void>
}

export async function openInnerNetwork(tools: { unshare: string; setpriv: string }): Promise<InnerNetwork> {
  try {
    return await open(tools, true)
  } catch {
    // Without subordinate users (or the tools that map them) there is only root inside.
    return open(tools, false)
  }
}

async function open(tools: { unshare: string; setpriv: string }, manyUsers: boolean): Promise<InnerNetwork> {
  const script = `globalThis.__name = (value) => value; (${serveSockets})()`
  const unshare = [tools.unshare, '--user', '--map-root-user', ...(manyUsers ? ['--map-auto'] : []), '--net', '--mount', '--']
  const [command = '', ...args] = [...unshare, tools.setpriv, '--pdeathsig', 'KILL', process.execPath, '-e', script]
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'], detached: true })
  let errors = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    errors += chunk
  })
  const ended = once(child, 'close').then(() => {
    throw new Error(errors.trim() || 'the pod network could not be made')
  })
  ended.catch(() => {})
  await Promise.race([once(child, 'message'), ended])
  // Where the kernel denies setting groups there is one user only.
  const groups = readFileSync(`/proc/${child.pid}/setgroups`, 'utf8').trim() === 'allow'
  return new Inner(child, manyUsers && groups)
}

class Inner implements InnerNetwork {
  readonly pid: number
  readonly manyUsers: boolean
  private readonly child: ChildProcess
  private readonly waiting = new Map<number, Waiting>()
  private nextId = 1

  constructor(child: ChildProcess, manyUsers: boolean) {
    this.child = child
    this.pid = child.pid as number
    this.manyUsers = manyUsers
    child.on('message', (message, handle) => this.answer(message as Answer, handle as Handle))
    child.on('error', () => this.lose())
    child.once('close', () => this.lose())
    // The process that runs the cluster decides how long it lives.
    child.unref()
    child.channel?.unref()
  }

  async connect(address: string, port: number, signal?: AbortSignal): Promise<Socket> {
    signal?.throwIfAborted()
    const asked = this.ask('connect', address, port) as Promise<Socket>
    if (!signal) return asked
    const aborted = new Promise<never>((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    })
    aborted.catch(() => {})
    asked.then((socket) => signal.aborted && socket.destroy()).catch(() => {})
    return Promise.race([asked, aborted])
  }

  async listen(address: string, port: number, onConnection: (socket: Socket) => void): Promise<{ close(): Promise<void> }> {
    const server = (await this.ask('listen', address, port)) as Server
    const sockets = new Set<Socket>()
    server.on('connection', (socket) => {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
      onConnection(socket)
    })
    return {
      close: () =>
        new Promise((resolve) => {
          server.close(() => resolve())
          for (const socket of sockets) socket.destroy()
        }),
    }
  }

  async bindUdp(address: string, port: number): Promise<UdpSocket> {
    return (await this.ask('udp', address, port)) as UdpSocket
  }

  async close(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    const gone = once(this.child, 'close')
    this.child.ref()
    this.child.kill('SIGKILL')
    await gone
  }

  private ask(kind: 'connect' | 'listen' | 'udp', address: string, port: number): Promise<Handle> {
    return new Promise((resolve, reject) => {
      const id = this.nextId++
      this.waiting.set(id, { resolve, reject })
      if (!this.child.connected) return this.lose()
      this.child.channel?.ref()
      this.child.send({ id, kind, address, port }, (error) => error && this.answer({ id, error: failure(error) }, undefined))
    })
  }

  private answer({ id, error }: Answer, handle: Handle): void {
    const waiting = this.waiting.get(id)
    this.waiting.delete(id)
    if (this.waiting.size === 0) this.child.channel?.unref()
    if (error) waiting?.reject(Object.assign(new Error(error.message), { code: error.code }))
    else waiting?.resolve(handle)
  }

  private lose(): void {
    for (const { reject } of this.waiting.values()) reject(new Error('the pod network is gone'))
    this.waiting.clear()
  }
}

function failure(error: Error): { code: string; message: string } {
  return { code: (error as NodeJS.ErrnoException).code ?? '', message: error.message }
}

/** Runs in the other process, from its text: it must use nothing of this module. */
function serveSockets(): void {
  const net = process.getBuiltinModule('node:net')
  const dgram = process.getBuiltinModule('node:dgram')
  type Request = { id: number; kind: 'connect' | 'listen' | 'udp'; address: string; port: number }
  const fail = (id: number) => (error: NodeJS.ErrnoException) => {
    process.send?.({ id, error: { code: error.code ?? '', message: error.message } })
  }
  process.on('disconnect', () => process.exit())
  process.on('message', ({ id, kind, address, port }: Request) => {
    if (kind === 'connect') {
      const socket = net.connect({ host: address, port })
      // What the other side says first is for the receiver of the socket.
      socket.pause()
      socket.once('error', fail(id))
      socket.once('connect', () => process.send?.({ id }, socket))
    } else if (kind === 'listen') {
      const server = net.createServer()
      server.once('error', fail(id))
      server.listen({ host: address, port, backlog: 511 }, () => process.send?.({ id }, server, {}, () => server.close()))
    } else {
      const socket = dgram.createSocket('udp4')
      socket.once('error', fail(id))
      socket.bind(port, address, () => process.send?.({ id }, socket, {}, () => socket.close()))
    }
  })
  process.send?.({ id: 0 })
}
