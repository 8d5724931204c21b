/** Reads a request's body whole, up to the limit that Kubernetes has. */
import type { Readable } from 'node:stream'
import { tooLarge } from '../../api/status.ts'

export const MAX_BODY_BYTES = 3 * 1024 * 1024

/** The client went away within its request: there is nobody to answer. */
export class ClientGone extends Error {
  override name = 'ClientGone'
}

/** Without a copy when it came in one piece. Throws a 413 above the limit, and ClientGone. */
export function readBody(request: Readable & { headers: Record<string, unknown> }): Promise<Buffer | undefined> {
  const announced = Number(request.headers['content-length'] ?? 0)
  if (announced > MAX_BODY_BYTES) {
    request.resume()
    return Promise.reject(tooLarge(`Request entity too large: limit is ${MAX_BODY_BYTES}`))
  }
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let length = 0
    request.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length <= MAX_BODY_BYTES) chunks.push(chunk)
      else {
        chunks.length = 0
        reject(tooLarge(`Request entity too large: limit is ${MAX_BODY_BYTES}`))
      }
    })
    request.on('end', () => resolve(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks, Math.min(length, MAX_BODY_BYTES))))
    request.on('error', () => reject(new ClientGone()))
    request.on('aborted', () => reject(new ClientGone()))
  })
}
