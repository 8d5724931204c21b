/**
 * A remote process over WebSocket: each message begins with its channel, 0 stdin, 1 stdout, 2 stderr, 3 the final status,
 * 4 the terminal's size; with `v5` 255 says that a channel has ended.
 */
import { type Status, StatusError } from '../api/status.ts'
import { objectPath } from '../client/paths.ts'
import { pods } from '../client/resources.ts'
import type { WebSocketLike } from '../client/transport.ts'
import { DetachKeys } from './detach-keys.ts'
import { CommandError, INTERRUPTED, type Io } from './io.ts'
import { overlap } from './overlap.ts'
import type { Place } from './session.ts'

const STDIN = 0
const STDOUT = 1
const STDERR = 2
const STATUS = 3
const RESIZE = 4
const CLOSE = 255
const PROTOCOLS = ['v5.channel.k8s.io', 'v4.channel.k8s.io']
/** Input waits while more than this has not reached the network. */
const MAX_BUFFERED_BYTES = 1 << 20
const DRAIN_POLL_MS = 10

export interface RemoteProcess {
  pod: string
  container: string
  /** Absent: the container's own process. */
  command?: readonly string[] | undefined
  stdin: boolean
  tty: boolean
  /** Called when the user leaves by ctrl-p ctrl-q, on a terminal; without it these keys are ordinary ones. */
  onDetach?: (() => void) | undefined
  /** What the process printed before; asked for once the streams are joined, and printed first. */
  earlier?: (() => Promise<Buffer>) | undefined
}

/** Runs until the process ends. Answers its exit code; throws when there is none to speak of. */
export async function openProcess(remote: RemoteProcess, place: Place, io: Io): Promise<number> {
  const { command, container, stdin, tty } = remote
  const socket = await place.client.transport.connect(
    {
      method: 'GET',
      path: objectPath(pods, remote.pod, place.namespace, command ? 'exec' : 'attach'),
      query: {
        ...(command && { command }),
        ...{ container, stdout: 'true' },
        ...(stdin && { stdin: 'true' }),
        ...(tty ? { tty: 'true' } : { stderr: 'true' }),
      },
      signal: io.signal,
    },
    PROTOCOLS,
  )
  const releases: (() => void)[] = []
  let isDetached = false
  const detach = () => {
    isDetached = true
    socket.close(1000, 'detached')
  }
  if (tty && io.terminal) releases.push(passTerminal(socket, io.terminal))
  if (stdin) releases.push(passInput(socket, io, tty && remote.onDetach ? new DetachKeys(detach) : undefined))
  try {
    const code = await receive(socket, io, await printEarlier(socket, remote, io), () => isDetached)
    if (isDetached) remote.onDetach?.()
    return code
  } finally {
    for (const release of releases) release()
  }
}

/** Holds back what comes until what came before is printed; answers what has come meanwhile. */
async function printEarlier(socket: WebSocketLike, { earlier }: RemoteProcess, io: Io): Promise<Uint8Array[]> {
  const held: Uint8Array[] = []
  if (!earlier) return held
  socket.onMessage((message) => held.push(message))
  const log = await earlier()
  const output = held.filter(([channel]) => channel === STDOUT || channel === STDERR).map((message) => message.subarray(1))
  io.stdout.write(log.subarray(0, log.length - overlap(log, Buffer.concat(output))))
  return held
}

/** Prints what comes until the socket closes; then the last status is the exit. */
function receive(socket: WebSocketLike, io: Io, held: readonly Uint8Array[], isDetached: () => boolean): Promise<number> {
  let status: Status | undefined
  return new Promise((resolve, reject) => {
    const take = (message: Uint8Array) => {
      const channel = message[0]
      const data = Buffer.from(message.subarray(1))
      if (channel === STATUS) {
        if (data.length > 0) status = JSON.parse(data.toString('utf8')) as Status
        return
      }
      const output = channel === STDOUT ? io.stdout : channel === STDERR ? io.stderr : undefined
      if (data.length === 0 || !output || output.write(data)) return
      socket.pause()
      output.once('drain', () => socket.resume())
    }
    held.forEach(take)
    socket.onMessage(take)
    socket.onClose((code, reason) => {
      if (status) settle(status, resolve, reject)
      else if (isDetached()) resolve(0)
      else if (io.signal.aborted) resolve(INTERRUPTED)
      else reject(new CommandError(`the connection to the container ended early (${code}${reason && ` ${reason}`})`))
    })
  })
}

function settle(status: Status, resolve: (code: number) => void, reject: (error: Error) => void): void {
  const exit = status.details?.causes?.find(({ reason }) => reason === 'ExitCode')?.message
  if (status.status === 'Success') resolve(0)
  else if (status.reason === 'NonZeroExitCode' && exit !== undefined) resolve(Number(exit))
  else reject(new StatusError(status))
}

function passInput(socket: WebSocketLike, io: Io, keys: DetachKeys | undefined): () => void {
  const { stdin } = io
  const forward = (chunk: Buffer | string) => {
    const typed = Buffer.from(chunk as Buffer)
    const passed = keys ? keys.pass(typed) : typed
    if (passed.length === 0) return
    socket.send(Buffer.concat([Buffer.of(STDIN), passed]))
    if (socket.bufferedAmount < MAX_BUFFERED_BYTES) return
    stdin.pause()
    const poll = setInterval(() => {
      if (socket.bufferedAmount >= MAX_BUFFERED_BYTES) return
      clearInterval(poll)
      stdin.resume()
    }, DRAIN_POLL_MS)
    socket.onClose(() => clearInterval(poll))
  }
  // Before v5 the end of the input cannot be told.
  const end = () => {
    if (socket.protocol.startsWith('v5')) socket.send(Buffer.of(CLOSE, STDIN))
  }
  stdin.on('data', forward)
  stdin.once('end', end)
  stdin.resume()
  return () => {
    stdin.off('data', forward)
    stdin.off('end', end)
    stdin.pause()
  }
}

function passTerminal(socket: WebSocketLike, terminal: NonNullable<Io['terminal']>): () => void {
  const tellSize = () => {
    const { columns, rows } = terminal.size()
    socket.send(Buffer.concat([Buffer.of(RESIZE), Buffer.from(JSON.stringify({ Width: columns, Height: rows }))]))
  }
  tellSize()
  const stopResize = terminal.onResize(tellSize)
  terminal.setRaw(true)
  return () => {
    stopResize()
    terminal.setRaw(false)
  }
}
