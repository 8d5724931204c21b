/** Passes a request on to the server outside that serves its group and version. Its answer comes back as it is. */
import type { IncomingMessage } from 'node:http'
import { createInterface } from 'node:readline'
import { buffer } from 'node:stream/consumers'
import { StatusError, unavailable } from '../../api/status.ts'
import type { KeyPair } from '../auth/certificates.ts'
import { type Caller, splice } from '../callout/splice.ts'
import type { Core } from '../core.ts'
import { type Answer, type ApiRequest, textAnswer, type WatchAnswer } from '../request/request.ts'
import { callOutside, type OutsideCall, requestOutside } from './call.ts'
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
  const signal = AbortSignal.any([request.signal, core.closing])
  const call = { ...callOf(request, version, signal), headers: headersOf(request, version, given), body }
  try {
    const answer = await callOutside(core, version.service, identity, call)
    if (isRedirect(answer)) return refusedRedirect(answer)
    // Who asks in process wants objects, and who asks over HTTP gets the bytes as they come.
    if (!request.trusted) return asStream(answer)
    return request.query.flag('watch') ? asWatch(answer) : await asObject(answer)
  } catch (error) {
    throw unreached(error)
  }
}

/** The same for a caller who wants to speak another protocol than HTTP. Resolves when either end has closed the connection. */
export async function passUpgrade(
  core: Core,
  identity: KeyPair,
  request: ApiRequest,
  version: OutsideVersion,
  caller: Caller,
): Promise<void> {
  if (!version.available) throw unavailable('service unavailable')
  const upgrade = { connection: 'Upgrade', upgrade: request.header('upgrade') ?? '' }
  const call = callOf(request, version, caller.signal)
  try {
    await splice(
      caller,
      await requestOutside(core, version.service, identity, { ...call, headers: { ...call.headers, ...upgrade } }),
    )
  } catch (error) {
    throw unreached(error)
  }
}

function callOf(request: ApiRequest, version: OutsideVersion, signal: AbortSignal): OutsideCall {
  const search = request.query.toString()
  const path = `${request.path}${search ? `?${search}` : ''}`
  const { method, user } = request
  return { method, path, headers: headersOf(request, version, undefined), body: undefined, user, signal }
}

function unreached(error: unknown): Error {
  if (error instanceof StatusError) return error
  const failure = unavailable(`error trying to reach service: ${(error as Error).message}`)
  failure.cause = error
  return failure
}

/** A server behind could send who asks anywhere, with the trust that this server has: as in Kubernetes, it may not. */
const isRedirect = ({ statusCode = 0, headers }: IncomingMessage): boolean =>
  statusCode >= 300 && statusCode <= 399 && headers.location !== undefined

function refusedRedirect(answer: IncomingMessage): Answer {
  answer.destroy()
  return textAnswer(502, 'the backend attempted to redirect this request, which is not permitted')
}

function headersOf(request: ApiRequest, { service }: OutsideVersion, body: unknown): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const name of request.headerNames()) {
    const value = request.header(name)
    const isOwn = KEPT_BACK.has(name) || name.startsWith(':') || name.startsWith('impersonate-') || name.startsWith('x-remote-')
    if (value !== undefined && !isOwn) headers[name] = value
  }
  const { name, namespace, port } = service.spec?.service ?? {}
  const forwarded = { uri: request.path, host: `${name}.${namespace}.svc:${port ?? 443}`, proto: 'https' }
  for (const [what, value] of Object.entries(forwarded)) headers[`x-forwarded-${what}`] = value
  if (request.clientAddress) {
    const before = headers['x-forwarded-for']
    headers['x-forwarded-for'] = before ? `${before}, ${request.clientAddress}` : request.clientAddress
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
