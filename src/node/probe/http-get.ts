/** HTTP GET into the pod network, for probes and hooks. Certificates are not checked, as in Kubernetes. */
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import type { Socket } from 'node:net'
import type { HTTPGetAction } from '../../api/types.ts'
import { dialError, failed, hostPort, type ProbeResult, type ProbeTarget, portNumber, success } from './target.ts'

const MAX_BODY_BYTES = 10 * 1024
const MAX_REDIRECTS = 10

export interface HttpAnswer {
  status: number
  body: string
  /** The address that answered, after redirects. */
  url: URL
  location: string | undefined
}

/** A failure to get any answer. The message is worded as Go's client does. */
class HttpGetError extends Error {
  override name = 'HttpGetError'
}

export async function httpProbe(action: HTTPGetAction, target: ProbeTarget, signal: AbortSignal): Promise<ProbeResult> {
  let answer: HttpAnswer
  try {
    answer = await httpGet(action, target, 'kube-probe/1.36', signal)
  } catch (error) {
    if (error instanceof HttpGetError) return failed(error.message)
    throw error
  }
  if (answer.status >= 200 && answer.status < 400) return success(answer.body)
  return failed(`HTTP probe failed with statuscode: ${answer.status}`)
}

/** Follows redirects that stay on the host. Throws HttpGetError, or an Error for an action that makes no sense. */
export async function httpGet(
  action: HTTPGetAction,
  target: ProbeTarget,
  agent: string,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  const host = action.host || target.address
  const scheme = (action.scheme ?? 'HTTP').toLowerCase()
  const path = action.path ? (action.path.startsWith('/') ? action.path : `/${action.path}`) : '/'
  const first = new URL(`${scheme}://${hostPort(host, portNumber(target.container, action.port))}${path}`)
  let url = first
  for (let redirects = 0; ; redirects += 1) {
    const answer = await once(url, action, target, agent, signal)
    if (answer.location === undefined || answer.status < 300 || answer.status >= 400) return answer
    const next = new URL(answer.location, url)
    // A redirect elsewhere says nothing about this container; the answer stands as it is.
    if (next.hostname !== first.hostname) return answer
    if (redirects >= MAX_REDIRECTS) throw new HttpGetError(`Get "${next}": stopped after ${MAX_REDIRECTS} redirects`)
    url = next
  }
}

async function once(
  url: URL,
  action: HTTPGetAction,
  target: ProbeTarget,
  agent: string,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80))
  let socket: Socket | undefined
  try {
    socket = await target.connect(host, port, signal)
    const stream = url.protocol === 'https:' ? await encrypt(socket, host, signal) : socket
    return await exchange(url, stream, headersOf(action, agent), signal)
  } catch (error) {
    if (signal.aborted) {
      const why = 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)'
      throw new HttpGetError(`Get "${url}": ${why}`, { cause: error })
    }
    const text = socket ? goText(error) : dialError(error, host, port)
    throw new HttpGetError(`Get "${url}": ${text}`, { cause: error })
  } finally {
    socket?.destroy()
  }
}

function goText(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'ECONNRESET') return message.includes('hang up') ? 'EOF' : 'read: connection reset by peer'
  return message
}

function headersOf(action: HTTPGetAction, agent: string): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = { 'User-Agent': agent, Accept: '*/*', Connection: 'close' }
  for (const { name, value } of action.httpHeaders ?? []) {
    const key = Object.keys(headers).find((known) => known.toLowerCase() === name.toLowerCase())
    const before = key ? headers[key] : undefined
    if (key && DEFAULTS.has(key)) delete headers[key]
    // An empty value for a default header takes it away.
    if (value === '' && key && DEFAULTS.has(key)) continue
    headers[name] = before !== undefined && key && !DEFAULTS.has(key) ? [before, value].flat() : value
  }
  return headers
}

const DEFAULTS = new Set(['User-Agent', 'Accept'])

async function encrypt(socket: Socket, host: string, signal: AbortSignal): Promise<Socket> {
  const { connect } = await import('node:tls')
  return new Promise((resolve, reject) => {
    const servername = /[a-z]/i.test(host) && !host.includes(':') ? { servername: host } : {}
    const secure = connect({ socket, rejectUnauthorized: false, ...servername }, () => resolve(secure))
    secure.once('error', reject)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

function exchange(
  url: URL,
  socket: Socket,
  headers: Record<string, string | string[]>,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const options: RequestOptions = {
      method: 'GET',
      host: url.hostname,
      port: url.port,
      path: `${url.pathname}${url.search}`,
      headers: { Host: url.host, ...headers },
      createConnection: () => socket,
      signal,
    }
    const request = httpRequest(options, (response) => {
      readBody(response).then((body) => {
        resolve({ status: response.statusCode ?? 0, body, url, location: response.headers.location })
      }, reject)
    })
    request.on('error', reject)
    request.end()
  })
}

/** The beginning of the body; the rest is not waited for. */
function readBody(response: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const finish = () => resolve(Buffer.concat(chunks).subarray(0, MAX_BODY_BYTES).toString())
    response.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      size += chunk.length
      if (size < MAX_BODY_BYTES) return
      finish()
      response.destroy()
    })
    response.on('end', finish)
    response.on('error', reject)
  })
}
