/** Passes a request on to the server outside that serves its group and version. Its answer comes back as it is. */
import type { IncomingMessage } from 'node:http'
import { createInterface } from 'node:readline'
import { buffer } from 'node:stream/consumers'
import { unavailable } from '../../api/status.ts'
import type { KeyPair } from '../auth/certificates.ts'
import type { Core } from '../core.ts'
import { type Answer, type ApiRequest, textAnswer, type WatchAnswer } from '../request/request.ts'
import { callOutside } from './call.ts'
import type { OutsideVersion } from './outside.ts'

/** About one connection, or about who asks, which is said in other headers. */
const KEPT_BACK = new Set([
  ...['connection', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'te', 'trailer', 'transfer-encoding', 'upgrade'],
  ...['host', 'authorization', 'content-length'],
])

export async function passOn(core: Core, identity: KeyPair, request: ApiRequest, version: OutsideVersion): Promise<Answer> {
  if (!version.available) return textAnswer(503, 'service unavailable')
  const given = await request.body()
  const body = given === undefined || given instanceof Uint8Array ? given : Buffer.from(JSON.stringify(given))
  const search = request.query.toString()
  const path = `${request.path}${search ? `?${search}` : ''}`
  const signal = AbortSignal.any([request.signal, core.closing])
  const headers = headersOf(request, given)
  try {
    const answer = await callOutside(core, version.service, identity, {
      method: request.method,
      path,
      headers,
      body,
      user: request.user,
      signal,
    })
    // Who asks in process wants objects, and who asks over HTTP gets the bytes as they come.
    if (!request.trusted) return asStream(answer)
    return request.query.flag('watch') ? asWatch(answer) : await asObject(answer)
  } catch (error) {
    const failure = unavailable(`error trying to reach service: ${(error as Error).message}`)
    failure.cause = error
    throw failure
  }
}

function headersOf(request: ApiRequest, body: unknown): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const name of request.headerNames()) {
    const value = request.header(name)
    const isOwn = KEPT_BACK.has(name) || name.startsWith(':') || name.startsWith('impersonate-') || name.startsWith('x-remote-')
    if (value !== undefined && !isOwn) headers[name] = value
  }
  if (body !== undefined && !(body instanceof Uint8Array)) headers['content-type'] ??= 'application/json'
  return headers
}

function asStream(answer: IncomingMessage): Answer {
  const headers: Record<string, string | string[]> = {}
  for (const [name, value] of Object.entries(answer.headers))
    if (value !== undefined && !KEPT_BACK.has(name)) headers[name] = value
  return { type: 'stream', status: answer.statusCode ?? 502, contentType: '', headers, stream: answer }
}

async function asObject(answer: IncomingMessage): Promise<Answer> {
  const bytes = await buffer(answer)
  const contentType = answer.headers['content-type'] ?? ''
  const object = () => (contentType.includes('json') ? JSON.parse(bytes.toString()) : bytes.toString())
  return { type: 'object', status: answer.statusCode ?? 502, contentType, object, chunks: () => [bytes] }
}

function asWatch(answer: IncomingMessage): WatchAnswer {
  return {
    type: 'watch',
    contentType: answer.headers['content-type'] ?? '',
    start(sink) {
      const lines = createInterface({ input: answer })
      lines.on('line', (line) => {
        if (sink.form === 'objects') sink.write(JSON.parse(line) as { type: string; object: unknown })
        else sink.write(Buffer.from(`${line}\n`))
      })
      lines.on('close', () => sink.end())
      return () => {
        lines.removeAllListeners()
        lines.close()
        answer.destroy()
      }
    },
  }
}
