/** The extensions' admission as a webhook: POST of an AdmissionReview over HTTPS, answered with a patch or a refusal. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { AdmissionPlugin } from '../../api/admission.ts'
import { builtinDefinitions } from '../../api/definitions.ts'
import type { Log } from '../../base/log.ts'
import { type AdmissionReview, answerReview } from './review.ts'

/** An object is at most 3 MiB on the wire; a review holds it twice. */
const MAX_BODY_BYTES = 8 * 1024 * 1024
const HEADERS_TIMEOUT_MS = 10_000
const REQUEST_TIMEOUT_MS = 30_000

export interface WebhookOptions {
  plugins: readonly AdmissionPlugin[]
  /** PEM. */
  certificate: string
  key: string
  host: string
  /** 0 takes a free one. */
  port: number
  log: Log
}

export interface WebhookServer {
  port: number
  close(): Promise<void>
}

const definitions = new Map(builtinDefinitions.map((definition) => [`${definition.group}/${definition.plural}`, definition]))

/** Rejects with the system's error when the address cannot be had. */
export async function serveWebhook({ plugins, certificate, key, host, port, log }: WebhookOptions): Promise<WebhookServer> {
  const server = createServer({ cert: certificate, key, minVersion: 'TLSv1.2' }, (request, response) => {
    answer(request, response, plugins).catch((error: unknown) => {
      log.error('review failed', { error })
      fail(response, 500, (error as Error).message)
    })
  })
  Object.assign(server, { headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function answer(request: IncomingMessage, response: ServerResponse, plugins: readonly AdmissionPlugin[]): Promise<void> {
  if (request.url === '/healthz') return void response.writeHead(200, { 'content-type': 'text/plain' }).end('ok')
  if (request.method !== 'POST') return fail(response, 405, 'reviews are posted')
  const body = await read(request)
  if (!body) return fail(response, 413, `a review has at most ${MAX_BODY_BYTES} bytes`)
  const review = parse(body)
  if (!review?.request) return fail(response, 400, 'the body is no AdmissionReview of admission.k8s.io/v1')
  const answered = await answerReview(review.request, plugins, (group, plural) => definitions.get(`${group}/${plural}`))
  const text = JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: answered })
  response.writeHead(200, { 'content-type': 'application/json' }).end(text)
}

async function read(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    size += (chunk as Buffer).length
    if (size > MAX_BODY_BYTES) return undefined
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks)
}

function parse(body: Buffer): AdmissionReview | undefined {
  try {
    const review = JSON.parse(body.toString()) as AdmissionReview
    return review.apiVersion === 'admission.k8s.io/v1' && review.kind === 'AdmissionReview' ? review : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function fail(response: ServerResponse, code: number, message: string): void {
  if (response.headersSent) response.destroy()
  else response.writeHead(code, { 'content-type': 'text/plain' }).end(`${message}\n`)
}
