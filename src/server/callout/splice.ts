/** Passes an upgraded connection through: the caller's bytes to a server behind, and that server's back, whatever they speak. */
import { setMaxListeners } from 'node:events'
import type { ClientRequest, IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { custom } from '../../api/status.ts'

/** A connection whose caller wants to speak something else on it. */
export interface Caller {
  readonly socket: Duplex
  /** What it sent behind its request. */
  readonly head: Buffer
  /** Aborts when the caller goes, or the server closes. */
  readonly signal: AbortSignal
  /** To be called before the answer is written, with its code. */
  readonly started: (code: number) => void
}

/**
 * Sends the request, and joins the two connections when the other end takes the upgrade. Resolves when either has ended. Rejects
 * with why the other end was not reached, or with a StatusError when it neither upgrades nor refuses.
 */
export function splice(caller: Caller, asked: ClientRequest): Promise<void> {
  return new Promise((resolve, reject) => {
    asked.on('error', reject)
    asked.on('upgrade', (answer, socket, head) => {
      caller.started(101)
      caller.socket.write(headOf(answer))
      if (head.length > 0) caller.socket.write(head)
      if (caller.head.length > 0) socket.write(caller.head)
      join(caller, socket).then(resolve, reject)
    })
    asked.on('response', (answer) => {
      const code = answer.statusCode ?? 502
      if (code < 400) {
        answer.destroy()
        reject(custom(500, 'InternalError', `invalid upgrade response: status code ${code}`, {}))
      } else passRefusal(caller, answer, code).then(resolve, reject)
    })
    asked.end()
  })
}

/** An end that breaks off is an end. */
async function join({ socket: near, signal }: Caller, far: Duplex): Promise<void> {
  // Two directions listen for the end of both ends.
  setMaxListeners(0, near, far)
  const options = { signal }
  const directions = [pipeline(near, far, options), pipeline(far, near, options)]
  try {
    await Promise.race(directions)
  } catch {
    // Both ends are closed below, which is all that can be told to either.
  } finally {
    near.destroy()
    far.destroy()
    await Promise.allSettled(directions)
  }
}

/** The refusal is the answer, and the end of the connection. */
async function passRefusal(caller: Caller, answer: IncomingMessage, code: number): Promise<void> {
  caller.started(code)
  caller.socket.write(headOf(answer, ['connection', 'transfer-encoding'], ['Connection: close']))
  await pipeline(answer, caller.socket, { signal: caller.signal })
}

/** The first lines of an answer as they came, without some and with others. */
function headOf(answer: IncomingMessage, without: readonly string[] = [], more: readonly string[] = []): string {
  const lines = [`HTTP/1.1 ${answer.statusCode} ${answer.statusMessage ?? ''}`]
  for (let at = 0; at + 1 < answer.rawHeaders.length; at += 2) {
    const name = answer.rawHeaders[at] ?? ''
    if (!without.includes(name.toLowerCase())) lines.push(`${name}: ${answer.rawHeaders[at + 1]}`)
  }
  return `${[...lines, ...more].join('\r\n')}\r\n\r\n`
}
