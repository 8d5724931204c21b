/** Writes answers to HTTP: headers, warnings, indentation, compression, flow control. */
import { once } from 'node:events'
import type { Http2ServerRequest, Http2ServerResponse, OutgoingHttpHeaders } from 'node:http2'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { StatusError } from '../../api/status.ts'
import type { Query } from '../request/query.ts'
import { jsonAnswer, type LongBody, type ObjectAnswer, type StreamAnswer } from '../request/request.ts'
import type { Departure } from './departure.ts'

/** Answers smaller than this are not worth compressing, as in Kubernetes. */
const GZIP_MIN_BYTES = 128 * 1024
const GZIP_LEVEL = 1
/** How much of a long answer is under way at once. */
const PIECE_BYTES = 256 * 1024
/** Buffers of that size that are kept for the next long answers. */
const MAX_SPARE = 4
/** All warnings of one answer together, as Kubernetes limits them. */
const MAX_WARNING_BYTES = 4 * 1024

/** Header names to values; both generations of Node's responses take these. */
export type HeaderFields = Record<string, number | string | string[]>

export interface Asked {
  query: Query
  request: Http2ServerRequest
  warnings: readonly string[]
}

/** Resolves when everything has been handed to the connection, or the client has gone. */
export async function respond(
  answer: ObjectAnswer | StreamAnswer,
  asked: Asked,
  response: Http2ServerResponse,
  departure: Departure,
): Promise<void> {
  if (answer.type === 'stream') return respondStream(answer, asked, response, departure)
  const isIndented = isPretty(asked) && answer.contentType.startsWith('application/json')
  const mayBeGzip = asked.request.method === 'GET' && acceptsGzip(asked.request)
  const long = isIndented || mayBeGzip || asked.request.method !== 'GET' ? undefined : answer.long?.()
  if (long) return respondLong(answer, long, asked, response, departure)
  let chunks = isIndented ? indented(answer) : answer.chunks()
  let length = 0
  for (const chunk of chunks) length += chunk.length
  const headers: HeaderFields = commonHeaders(answer.contentType, asked.warnings)
  Object.assign(headers, answer.headers)
  if (length >= GZIP_MIN_BYTES && mayBeGzip) {
    chunks = [await promisify(gzip)(Buffer.concat([...chunks], length), { level: GZIP_LEVEL })]
    length = chunks[0]!.length
    headers['content-encoding'] = 'gzip'
    headers.vary = 'Accept-Encoding'
  }
  if (departure.gone) return
  headers['content-length'] = length
  response.writeHead(answer.status, headers as OutgoingHttpHeaders)
  await writeAll(response, asked.request.method === 'HEAD' ? [] : chunks, departure)
}

/** A long answer goes through one buffer, which is filled again when what was in it has left. */
async function respondLong(
  answer: ObjectAnswer,
  long: LongBody,
  asked: Asked,
  response: Http2ServerResponse,
  departure: Departure,
): Promise<void> {
  const headers: HeaderFields = commonHeaders(answer.contentType, asked.warnings)
  Object.assign(headers, answer.headers, { 'content-length': long.length })
  response.writeHead(answer.status, headers as OutgoingHttpHeaders)
  if (long.length <= PIECE_BYTES) {
    const whole = Buffer.allocUnsafe(long.length)
    long.fill(whole)
    response.end(whole)
    return
  }
  const piece = spare.pop() ?? Buffer.allocUnsafeSlow(PIECE_BYTES)
  const gone = closed(response)
  for (let bytes = long.fill(piece); bytes > 0 && !departure.gone; bytes = long.fill(piece)) {
    const written = new Promise<void>((resolve) => response.write(piece.subarray(0, bytes), () => resolve()))
    await Promise.race([written, gone])
  }
  // When the client has gone, something may still hold the buffer.
  if (!departure.gone && spare.length < MAX_SPARE) spare.push(piece)
  response.end()
}
const spare: Buffer[] = []

/** A failure's Status, in the client's favourite form. */
export async function respondFailure(error: StatusError, asked: Asked, response: Http2ServerResponse): Promise<void> {
  if (response.headersSent) {
    response.stream ? response.stream.close() : response.destroy()
    return
  }
  let answer = jsonAnswer(error.code, error.status)
  const encoding = failureEncoding(asked.request.headers.accept)
  if (encoding) {
    const { reencode } = await import('../views/encodings.ts')
    answer = reencode(answer, encoding)
  }
  const isJson = answer.contentType === 'application/json'
  const chunks = isJson && isPretty(asked) ? indented(answer) : answer.chunks()
  const headers: HeaderFields = commonHeaders(answer.contentType, asked.warnings)
  headers['content-length'] = chunks[0]!.length
  const { retryAfterSeconds } = error.status.details ?? {}
  if (retryAfterSeconds) headers['retry-after'] = retryAfterSeconds
  // A body that was refused half-read would be taken for the next request.
  if (error.code === 413 && asked.request.httpVersionMajor === 1) headers.connection = 'close'
  response.writeHead(error.code, headers as OutgoingHttpHeaders)
  if (asked.request.method === 'HEAD') response.end()
  else response.end(chunks[0]!)
}

/** What the client likes best, where that is not JSON. A Status is never shown as a Table or as metadata only. */
function failureEncoding(accept: string | undefined): 'yaml' | 'protobuf' | undefined {
  const [first = ''] = (accept ?? '').split(',', 1)
  if (/^application\/yaml/.test(first)) return 'yaml'
  return /^application\/vnd\.kubernetes\.protobuf(?!.*;\s*as=)/.test(first) ? 'protobuf' : undefined
}

export function commonHeaders(contentType: string, warnings: readonly string[]): HeaderFields {
  const headers: HeaderFields = { 'content-type': contentType, 'cache-control': 'no-cache, private' }
  if (warnings.length > 0) headers.warning = warningHeaders(warnings)
  return headers
}

function warningHeaders(warnings: readonly string[]): string[] {
  const headers: string[] = []
  let bytes = 0
  for (const text of new Set(warnings)) {
    bytes += text.length
    if (bytes > MAX_WARNING_BYTES) break
    const safe = text.replace(/[^\x20-\x7e]/g, ' ').replace(/["\\]/g, '\\$&')
    headers.push(`299 - "${safe}"`)
  }
  return headers
}

/** Asked for, or a person looking: curl and browsers get indented JSON. */
function isPretty({ query, request }: Asked): boolean {
  if (query.has('pretty')) return query.get('pretty') !== '' && query.flag('pretty')
  const agent = request.headers['user-agent'] ?? ''
  return agent.startsWith('curl') || agent.startsWith('Wget') || agent.startsWith('Mozilla/')
}

function indented(answer: ObjectAnswer): Buffer[] {
  const text = Buffer.concat([...answer.chunks()]).toString()
  return [Buffer.from(JSON.stringify(JSON.parse(text), null, 2))]
}

function acceptsGzip(request: Http2ServerRequest): boolean {
  return String(request.headers['accept-encoding'] ?? '')
    .split(',')
    .some((coding) => coding.trim().split(';')[0] === 'gzip')
}

async function writeAll(response: Http2ServerResponse, chunks: readonly Buffer[], departure: Departure): Promise<void> {
  const last = chunks.length - 1
  for (let i = 0; i < last; i++) {
    if (response.write(chunks[i]!)) continue
    await Promise.race([once(response, 'drain'), closed(response)])
    if (departure.gone) return
  }
  if (last >= 0) response.end(chunks[last]!)
  else response.end()
}

function closed(response: Http2ServerResponse): Promise<unknown> {
  return new Promise((resolve) => response.once('close', resolve))
}

async function respondStream(
  answer: StreamAnswer,
  asked: Asked,
  response: Http2ServerResponse,
  departure: Departure,
): Promise<void> {
  const { stream } = answer
  departure.signal.addEventListener('abort', () => stream.destroy())
  const headers = answer.headers ? { ...answer.headers } : commonHeaders(answer.contentType, asked.warnings)
  response.writeHead(answer.status, headers as OutgoingHttpHeaders)
  ;(response as unknown as { flushHeaders?: () => void }).flushHeaders?.()
  try {
    for await (const chunk of stream) {
      if (departure.gone) return
      if (!response.write(chunk as Buffer)) await Promise.race([once(response, 'drain'), closed(response)])
    }
  } finally {
    response.end()
  }
}
