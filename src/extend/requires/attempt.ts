/** One look at an address: does something answer there? Opens one connection and closes it. */

import { request as requestHttp } from 'node:http'
import { connect as connectHttp2 } from 'node:http2'
import { isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { MET, type Verdict } from '../../api/requires/condition.ts'
import type { ProbeTarget } from '../../api/requires/requirement.ts'

/** As much of a gRPC answer as is read. */
const MAX_ANSWER_BYTES = 64 * 1024
const SERVING = 1

/** Opens a TCP connection. Rejects with the system's error or the signal's reason. */
export type Connect = (address: string, port: number, signal?: AbortSignal) => Promise<Socket>

/** Never rejects: whatever goes wrong is why it does not hold. */
export async function attempt(
  target: ProbeTarget,
  address: string,
  port: number,
  connect: Connect,
  signal: AbortSignal,
): Promise<Verdict> {
  let socket: Socket | undefined
  try {
    socket = await connect(address, port, signal)
    signal.addEventListener('abort', () => socket?.destroy(signal.reason), { once: true })
    if (target.scheme === 'tcp') return MET
    return await (target.scheme === 'grpc' ? askGrpc(target, socket) : askHttp(target, socket))
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    return {
      met: false,
      why: signal.aborted ? `no answer: ${(signal.reason as Error).message}` : `no answer: ${code ?? message}`,
    }
  } finally {
    socket?.destroy()
  }
}

/** As Kubernetes' own probes: any status from 200 to 399; certificates are not verified. */
function askHttp({ scheme, host, port, path }: ProbeTarget, socket: Socket): Promise<Verdict> {
  return new Promise((resolve, reject) => {
    const stream =
      scheme === 'https'
        ? connectTls({ socket, rejectUnauthorized: false, ...(isIP(bareHost(host)) === 0 && { servername: host }) })
        : socket
    stream.once('error', reject)
    const headers = { host: `${host}:${port}`, 'user-agent': 'skiff-requires', connection: 'close' }
    const request = requestHttp({ method: 'GET', path, headers, createConnection: () => stream }, ({ statusCode = 0 }) => {
      request.destroy()
      resolve(statusCode >= 200 && statusCode < 400 ? MET : { met: false, why: `it answers ${statusCode}` })
    })
    request.once('error', reject)
    request.end()
  })
}

/** grpc.health.v1.Health/Check: a request message holds the service's name as field 1, the answer the status as field 1. */
function askGrpc({ host, port, path: service }: ProbeTarget, socket: Socket): Promise<Verdict> {
  return new Promise((resolve, reject) => {
    const session = connectHttp2(`http://${host}:${port}`, { createConnection: () => socket })
    session.once('error', reject)
    const stream = session.request({
      ...{ ':method': 'POST', ':path': '/grpc.health.v1.Health/Check' },
      ...{ 'content-type': 'application/grpc', te: 'trailers' },
    })
    let status = ''
    const chunks: Buffer[] = []
    let size = 0
    const note = (headers: Record<string, unknown>) => {
      if (headers['grpc-status'] !== undefined) status = String(headers['grpc-status'])
    }
    stream.on('response', note)
    stream.on('trailers', note)
    stream.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size <= MAX_ANSWER_BYTES) chunks.push(chunk)
    })
    stream.once('error', reject)
    stream.once('close', () => {
      session.destroy()
      const body = Buffer.concat(chunks)
      if (status !== '0') return resolve({ met: false, why: status === '' ? 'it does not speak gRPC' : `gRPC status ${status}` })
      // Five bytes of framing, then field 1 as a varint; a zero would be left out.
      resolve(body[5] === 0x08 && body[6] === SERVING ? MET : { met: false, why: 'its health is not SERVING' })
    })
    stream.end(healthRequest(service))
  })
}

function healthRequest(service: string): Buffer {
  const name = Buffer.from(service)
  const message = name.length === 0 ? name : Buffer.concat([Buffer.from([0x0a, ...varint(name.length)]), name])
  const frame = Buffer.alloc(5)
  frame.writeUInt32BE(message.length, 1)
  return Buffer.concat([frame, message])
}

/** At most two bytes: a requirement is not that long. */
function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, value >> 7]
}

/** Without the brackets of an IPv6 address. */
export function bareHost(host: string): string {
  return host.startsWith('[') ? host.slice(1, -1) : host
}
