/** Carries datagrams to a Service's endpoints and their answers back; a client keeps its endpoint while it talks. */
import type { RemoteInfo, Socket } from 'node:dgram'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Backend } from './backend.ts'
import type { Target } from './endpoint-set.ts'

/** Clients at a time per Service port; datagrams of further ones are dropped, as UDP may. */
const MAX_UDP_CLIENTS = 1024
/** Datagrams kept while a client's socket is being opened. */
const MAX_WAITING_DATAGRAMS = 16
const IDLE_MS = 30_000

/** A socket from which the target is reached, and the address to send to. */
export type OpenUpstream = (target: Target) => Promise<{ socket: Socket; address: string }>

interface Session {
  usedAt: number
  waiting: Buffer[]
  send: ((data: Buffer) => void) | undefined
  close(): void
}

export function serveUdp(options: { socket: Socket; backend: Backend; open: OpenUpstream; clock: Clock; log: Log }) {
  const { socket, backend, open, clock, log } = options
  const sessions = new Map<string, Session>()
  let cancelSweep: (() => void) | undefined
  let closed = false

  function sweep(): void {
    const horizon = clock.monotonic() - IDLE_MS
    for (const session of sessions.values()) if (session.usedAt <= horizon) session.close()
    cancelSweep = sessions.size > 0 ? clock.after(IDLE_MS, sweep, { unref: true }) : undefined
  }

  function start(key: string, client: RemoteInfo, target: Target): Session {
    let upstream: Socket | undefined
    const session: Session = {
      usedAt: clock.monotonic(),
      waiting: [],
      send: undefined,
      close() {
        if (sessions.get(key) === session) sessions.delete(key)
        upstream?.close()
        upstream = undefined
      },
    }
    sessions.set(key, session)
    const failed = (error: unknown) => {
      log.debug('datagrams lost', { service: backend.service, target: target.key, error })
      session.close()
    }
    void open(target).then(({ socket: opened, address }) => {
      if (sessions.get(key) !== session) return void opened.close()
      upstream = opened
      opened.on('error', failed)
      opened.on('message', (data) => {
        session.usedAt = clock.monotonic()
        if (!closed) socket.send(data, client.port, client.address)
      })
      session.send = (data) => opened.send(data, target.port, address)
      for (const data of session.waiting.splice(0)) session.send(data)
    }, failed)
    cancelSweep ??= clock.after(IDLE_MS, sweep, { unref: true })
    return session
  }

  socket.on('message', (data, client) => {
    // Nobody can be answered at port 0.
    if (client.port === 0) return
    const key = `${client.address}:${client.port}`
    let session = sessions.get(key)
    if (!session) {
      const target = sessions.size < MAX_UDP_CLIENTS ? backend.pick(client.address, []) : undefined
      if (!target) return
      backend.chosen(client.address, target)
      session = start(key, client, target)
    }
    session.usedAt = clock.monotonic()
    if (session.send) session.send(data)
    else if (session.waiting.length < MAX_WAITING_DATAGRAMS) session.waiting.push(data)
  })
  socket.on('error', (error) => log.warn('a UDP Service failed', { service: backend.service, error }))
  return {
    close(): Promise<void> {
      closed = true
      cancelSweep?.()
      for (const session of sessions.values()) session.close()
      return new Promise((resolve) => socket.close(() => resolve()))
    },
  }
}
