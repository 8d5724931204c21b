/**
 * grpc probes: one call of `grpc.health.v1.Health/Check` over HTTP/2 without TLS. The two messages of that protocol are
 * small enough to be written by hand: a request with one string, an answer with one number.
 */
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2'
import type { GRPCAction } from '../../api/types.ts'
import { dialError, failed, hostPort, type ProbeResult, type ProbeTarget, success } from './target.ts'

const STATUS_NAMES = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN']
const SERVING = 1
const UNIMPLEMENTED = 12
const NOT_FOUND = 5

export async function grpcProbe(
  action: GRPCAction,
  target: ProbeTarget,
  timeoutSeconds: number,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const address = hostPort(target.address, action.port)
  const connecting = `timeout: failed to connect service "${address}" within ${timeoutSeconds}s`
  let session: ClientHttp2Session | undefined
  try {
    const socket = await target.connect(target.address, action.port, signal)
    const { connect } = await import('node:http2')
    session = connect(`http://${address}`, { createConnection: () => socket })
    const answer = await check(session, action.service ?? '', signal)
    return judge(answer)
  } catch (error) {
    if (signal.aborted) return failed(`${connecting}: context deadline exceeded`)
    const text = session ? (error as Error).message : dialError(error, target.address, action.port)
    return failed(`error: failed to connect service at "${address}": ${text}`)
  } finally {
    session?.destroy()
  }
}

interface GrpcAnswer {
  /** gRPC's own status code; 0 is fine. */
  code: number
  message: string
  health: number
}

function judge({ code, message, health }: GrpcAnswer): ProbeResult {
  if (code === UNIMPLEMENTED) {
    return failed(`error: this server does not implement the grpc health protocol (grpc.health.v1.Health): ${message}`)
  }
  if (code !== 0) {
    const text = code === NOT_FOUND ? 'unknown service' : message || `code ${code}`
    return failed(`error: health rpc failed: ${text}`)
  }
  if (health === SERVING) return success('service healthy')
  return failed(`service unhealthy (responded with "${STATUS_NAMES[health] ?? health}")`)
}

function check(session: ClientHttp2Session, service: string, signal: AbortSignal): Promise<GrpcAnswer> {
  return new Promise((resolve, reject) => {
    session.once('error', reject)
    const stream: ClientHttp2Stream = session.request(
      {
        ':method': 'POST',
        ':path': '/grpc.health.v1.Health/Check',
        'content-type': 'application/grpc',
        te: 'trailers',
        'user-agent': 'kube-probe/1.36',
      },
      { signal },
    )
    const chunks: Buffer[] = []
    const status = { code: 0, message: '' }
    const note = (headers: Record<string, unknown>) => {
      if (headers['grpc-status'] !== undefined) status.code = Number(headers['grpc-status'])
      if (typeof headers['grpc-message'] === 'string') status.message = decodeURIComponent(headers['grpc-message'])
    }
    stream.on('response', (headers) => {
      note(headers)
      if (headers[':status'] !== 200) reject(new Error(`unexpected HTTP status code received from server: ${headers[':status']}`))
    })
    stream.on('trailers', note)
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('error', reject)
    stream.on('end', () => resolve({ ...status, health: decodeHealth(Buffer.concat(chunks)) }))
    stream.end(encodeRequest(service))
  })
}

/** A gRPC frame around `HealthCheckRequest{service = 1}`. */
function encodeRequest(service: string): Buffer {
  const text = Buffer.from(service)
  const body = text.length === 0 ? text : Buffer.concat([Buffer.from([0x0a, ...varint(text.length)]), text])
  const head = Buffer.alloc(5)
  head.writeUInt32BE(body.length, 1)
  return Buffer.concat([head, body])
}

function varint(value: number): number[] {
  const bytes: number[] = []
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return [...bytes, rest]
    bytes.push((rest & 0x7f) | 0x80)
  }
}

/** The status in a framed `HealthCheckResponse{status = 1}`; an absent field is 0. */
function decodeHealth(frame: Buffer): number {
  const body = frame.subarray(5)
  return body.length >= 2 && body[0] === 0x08 ? (body[1] ?? 0) : 0
}
