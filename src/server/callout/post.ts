/** Posts JSON to a program outside and reads the JSON it answers. What goes wrong is worded as Go's client does it. */
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import type { Clock } from '../../base/clock.ts'
import { type ClientConfig, type Destination, destinationOf, type Reach } from './destination.ts'

/** An answer larger than this is none. */
const MAX_ANSWER_BYTES = 16 << 20

const UNTRUSTED = 'tls: failed to verify certificate: x509: certificate signed by unknown authority'
const TLS_ERRORS: Record<string, string> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  CERT_HAS_EXPIRED: 'tls: failed to verify certificate: x509: certificate has expired or is not yet valid',
}

export interface Post {
  readonly config: ClientConfig
  readonly body: unknown
  readonly timeoutMs: number
  /** Added to the address, so that the other side knows how long it has. */
  readonly timeoutInQuery?: boolean
}

/** Throws an Error that says what failed: to resolve, to connect, to answer in time, to answer with JSON. */
export async function postJson(reach: Reach, clock: Clock, post: Post): Promise<unknown> {
  const destination = destinationOf(reach, post.config)
  const url = new URL(destination.url)
  if (post.timeoutInQuery) url.searchParams.set('timeout', `${post.timeoutMs / 1000}s`)
  const deadline = new AbortController()
  const cancel = clock.after(post.timeoutMs, () => deadline.abort(), { unref: true })
  try {
    const answer = await send(destination, url, post, deadline.signal)
    const text = (await readUpTo(answer, MAX_ANSWER_BYTES)).toString()
    if (answer.statusCode !== 200) throw new Error(statusMessage(answer.statusCode ?? 0, text))
    return JSON.parse(text)
  } catch (error) {
    if (deadline.signal.aborted)
      throw new Error(`Post ${JSON.stringify(shown(url))}: context deadline exceeded`, { cause: error })
    throw worded(error, url, destination)
  } finally {
    cancel()
  }
}

async function send(destination: Destination, url: URL, { config, body }: Post, signal: AbortSignal): Promise<IncomingMessage> {
  const { serverName: servername, host } = destination
  const ca = config.caBundle ? Buffer.from(config.caBundle, 'base64').toString() : undefined
  const socket = destination.open && (await secured(await destination.open(), servername, ca))
  const text = JSON.stringify(body)
  const request = httpsRequest({
    ...{ host, port: destination.port, servername: isAddress(servername) ? '' : servername, method: 'POST', signal },
    path: `${url.pathname}${url.search}`,
    ...(ca !== undefined && { ca }),
    ...(socket ? { createConnection: () => socket } : { agent: false }),
    headers: {
      ...{ host: url.host, 'content-type': 'application/json', accept: 'application/json, */*' },
      'content-length': Buffer.byteLength(text),
    },
  })
  request.end(text)
  const [answer] = (await once(request, 'response')) as [IncomingMessage]
  return answer
}

async function secured(duplex: Duplex, servername: string, ca: string | undefined): Promise<Duplex> {
  const socket = connectTls({ socket: duplex, servername, ...(ca !== undefined && { ca }) })
  await once(socket, 'secureConnect')
  return socket
}

function isAddress(name: string): boolean {
  return /^[\d.]+$/.test(name) || name.includes(':')
}

/** All of it. Throws an Error when there is more than that. */
export async function readUpTo(answer: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > maxBytes) throw new Error(`the answer is larger than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, bytes)
}

function statusMessage(code: number, text: string): string {
  if (code === 404) return 'the server could not find the requested resource'
  if (code === 403) return 'forbidden'
  if (code === 401) return 'the server has asked for the client to provide credentials'
  return `an error on the server (${JSON.stringify(text.trim().slice(0, 200))}) has prevented the request from succeeding`
}

/** Without the port that goes without saying, as Go prints addresses of Services with it and of URLs as they are. */
function shown(url: URL): string {
  const port = url.hostname.endsWith('.svc') && url.port === '' ? ':443' : ''
  return `${url.protocol}//${url.host}${port}${url.pathname}${url.search}`
}

function worded(error: unknown, url: URL, { host, port }: Destination): Error {
  const cause = error as NodeJS.ErrnoException
  const code = cause.code ?? ''
  if (error instanceof SyntaxError) return new Error(`the answer is no JSON: ${error.message}`, { cause })
  const why =
    TLS_ERRORS[code] ??
    (code === 'ECONNREFUSED'
      ? `dial tcp ${host}:${port}: connect: connection refused`
      : code === 'ENOTFOUND'
        ? `dial tcp: lookup ${host}: no such host`
        : code === 'ECONNRESET'
          ? 'EOF'
          : code === 'ERR_TLS_CERT_ALTNAME_INVALID'
            ? `tls: failed to verify certificate: x509: ${cause.message}`
            : undefined)
  if (why === undefined && code === '') return cause
  return new Error(`Post ${JSON.stringify(shown(url))}: ${why ?? cause.message}`, { cause })
}
