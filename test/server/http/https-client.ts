/** Plain HTTPS requests to a test server, with a client certificate of system:masters. */
import { request as httpsRequest, type RequestOptions } from 'node:https'
import type { TestServer } from '../start-server.ts'

export interface HttpAnswer {
  status: number
  headers: Record<string, string | string[] | undefined>
  body: Buffer
  json<T = Record<string, never>>(): T
}

export interface HttpClient {
  url: string
  options: RequestOptions
  send(method: string, path: string, body?: string | object | Buffer, headers?: Record<string, string>): Promise<HttpAnswer>
}

export async function httpsClient({ server }: TestServer): Promise<HttpClient> {
  const { url, port } = await server.listen({ host: '127.0.0.1', port: 0 })
  const { certificate, key } = await server.issueClientCertificate('admin', ['system:masters'])
  const options = { host: '127.0.0.1', port, ca: server.caCertificate, cert: certificate, key }
  return {
    url,
    options,
    send: (method, path, body, headers = {}) =>
      new Promise((resolve, reject) => {
        const data = body === undefined ? undefined : bytesOf(body)
        const all = { ...(data && { 'content-type': 'application/json', 'content-length': data.length }), ...headers }
        const request = httpsRequest({ ...options, method, path, headers: all }, (response) => {
          const chunks: Buffer[] = []
          response.on('data', (chunk) => chunks.push(chunk))
          response.on('end', () => {
            const whole = Buffer.concat(chunks)
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              body: whole,
              json: () => JSON.parse(whole.toString()),
            })
          })
        })
        request.on('error', reject)
        request.end(data)
      }),
  }
}

function bytesOf(body: string | object | Buffer): Buffer {
  if (Buffer.isBuffer(body)) return body
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
}
