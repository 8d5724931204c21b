/** Asks the host's nameservers what the cluster does not know. Knows no cluster; passes messages on as bytes. */
import { createSocket } from 'node:dgram'
import { connect } from 'node:net'
import type { Clock } from '../../base/clock.ts'
import { createFrames, frame } from './frames.ts'

/** Questions under way; further ones fail at once. */
const MAX_FORWARDS = 512
const TIMEOUT_MS = 2000
const DNS_PORT = 53

export interface Forwarder {
  /** The answer to `query` (a whole message) with the query's own id, or `undefined` when nobody answers. */
  ask(query: Buffer, transport: 'udp' | 'tcp'): Promise<Buffer | undefined>
  stop(): void
}

/** `nameservers` are asked in turn, as `address` or `address:port`. `randomId` gives ids from 0 to 65535. */
export function createForwarder(options: {
  nameservers: () => Promise<readonly string[]>
  clock: Clock
  randomId: () => number
}): Forwarder {
  const stopping = new AbortController()
  let underWay = 0

  async function askEach(query: Buffer, transport: 'udp' | 'tcp'): Promise<Buffer | undefined> {
    const own = Buffer.from(query)
    own.writeUInt16BE(options.randomId(), 0)
    for (const server of await options.nameservers()) {
      if (stopping.signal.aborted) return undefined
      const [address = '', port] = server.split(':')
      const ask = transport === 'udp' ? askByUdp : askByTcp
      const answer = await ask(own, address, port === undefined ? DNS_PORT : Number(port), options.clock, stopping.signal)
      if (!answer) continue
      answer.writeUInt16BE(query.readUInt16BE(0), 0)
      return answer
    }
    return undefined
  }

  return {
    async ask(query, transport) {
      if (underWay >= MAX_FORWARDS) return undefined
      underWay += 1
      try {
        return await askEach(query, transport)
      } finally {
        underWay -= 1
      }
    },
    stop: () => stopping.abort(),
  }
}

type Ask = (query: Buffer, address: string, port: number, clock: Clock, signal: AbortSignal) => Promise<Buffer | undefined>

/** A socket for each question: an answer must know its random port besides the id. */
const askByUdp: Ask = (query, address, port, clock, signal) =>
  new Promise((resolve) => {
    const socket = createSocket('udp4')
    let done = false
    const finish = (answer?: Buffer) => {
      if (done) return
      done = true
      cancel()
      signal.removeEventListener('abort', aborted)
      socket.close()
      resolve(answer)
    }
    const aborted = () => finish()
    const cancel = clock.after(TIMEOUT_MS, finish)
    signal.addEventListener('abort', aborted, { once: true })
    socket.on('error', aborted)
    // Connected, so that a refusal is heard at once and nobody else's answer is.
    socket.connect(port, address, () => socket.send(query))
    socket.on('message', (answer) => {
      if (isAnswerTo(query, answer)) finish(answer)
    })
  })

const askByTcp: Ask = (query, address, port, clock, signal) =>
  new Promise((resolve) => {
    const socket = connect(port, address, () => socket.write(frame(query)))
    const finish = (answer?: Buffer) => {
      cancel()
      signal.removeEventListener('abort', aborted)
      socket.destroy()
      resolve(answer)
    }
    const aborted = () => finish()
    const cancel = clock.after(TIMEOUT_MS, finish)
    signal.addEventListener('abort', aborted, { once: true })
    const frames = createFrames((answer) => {
      if (isAnswerTo(query, answer)) finish(Buffer.from(answer))
    })
    socket.on('data', frames)
    socket.on('error', aborted)
    socket.on('close', aborted)
  })

function isAnswerTo(query: Buffer, answer: Buffer): boolean {
  return answer.length >= 12 && answer.readUInt16BE(0) === query.readUInt16BE(0) && ((answer[2] ?? 0) & 0x80) !== 0
}
