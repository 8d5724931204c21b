/** A real HTTPS server that answers reviews, with a certificate of its own authority. */
import { createPrivateKey, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingHttpHeaders } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { issueCertificate } from '../../../src/server/auth/certificates.ts'

export interface ReviewServer {
  url: string
  port: number
  server: Server
  /** For `clientConfig.caBundle`. */
  caBundle: string
  /** Every body that came, in order, with the path it came to. */
  asked: { path: string; body: Review; headers: IncomingHttpHeaders }[]
  close(): Promise<void>
}

// biome-ignore lint/suspicious/noExplicitAny: what a test reads of a review is its own affair.
export type Review = Record<string, any>
/** Answers the body of the response, `undefined` never answers; one with a `redirect` sends there. */
export type Answer = (path: string, body: Review) => Review | undefined

export async function reviewServer(answer: Answer, names: readonly string[] = ['127.0.0.1', 'localhost']): Promise<ReviewServer> {
  const validity = { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 3_600_000), random: randomBytes }
  const authority = issueCertificate({ commonName: 'webhook-ca', usage: 'authority', ...validity })
  const issuer = { commonName: 'webhook-ca', privateKey: createPrivateKey(authority.key) }
  const own = issueCertificate({ commonName: 'webhook', names, usage: 'server', ...validity }, issuer)
  const asked: ReviewServer['asked'] = []
  const server = createServer({ cert: own.certificate, key: own.key }, (request, response) => {
    void text(request).then((body) => {
      const path = new URL(request.url ?? '/', 'https://x').pathname
      const parsed = JSON.parse(body || '{}') as Review
      asked.push({ path, body: parsed, headers: request.headers })
      const answered = answer(path, parsed)
      if (typeof answered?.redirect === 'string') response.writeHead(302, { location: answered.redirect }).end()
      else if (answered) response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answered))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    ...{ url: `https://127.0.0.1:${port}`, port, server, asked, caBundle: Buffer.from(authority.certificate).toString('base64') },
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** An AdmissionReview's answer. */
export function allow({ request, apiVersion }: Review, more: object = {}): Review {
  return { apiVersion, kind: 'AdmissionReview', response: { uid: request.uid, allowed: true, ...more } }
}

export function patch(review: Review, operations: object[], more: object = {}): Review {
  const encoded = Buffer.from(JSON.stringify(operations)).toString('base64')
  return allow(review, { patchType: 'JSONPatch', patch: encoded, ...more })
}
