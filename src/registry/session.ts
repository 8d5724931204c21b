/**
 * Requests to one repository of one registry, with the token or password it asks for. Plain http for loopback names,
 * https for all others. Every wait has an end. Knows nothing of what is fetched.
 */
import { type Clock, systemClock } from '../base/clock.ts'
import { refusal, type Watched, watched } from './answer.ts'
import { answerChallenge } from './challenge.ts'
import type { RegistryCredential } from './credentials.ts'
import { originOf } from './origin.ts'
import type { ImageReference } from './reference.ts'

export interface Session {
  /** `path` is below the repository: `manifests/v1`, `blobs/sha256:…`. Throws RegistryError for any answer but a success. */
  get(path: string, accept?: string): Promise<Answer>
  head(path: string, accept?: string): Promise<Headers>
}

export interface Answer {
  headers: Headers
  body: AsyncIterable<Uint8Array>
}

export interface SessionOptions {
  credential?: RegistryCredential | undefined
  signal?: AbortSignal | undefined
  clock?: Clock | undefined
  /** How long an answer may take to begin, and then how long it may pause. */
  patienceMs?: number | undefined
}

const PATIENCE_MS = 15_000

export function openSession(reference: ImageReference, options: SessionOptions = {}): Session {
  const { credential, clock = systemClock, patienceMs = PATIENCE_MS } = options
  const base = `${originOf(reference.registry)}/v2/${reference.repository}/`
  let authorization: Promise<string | undefined> = Promise.resolve(undefined)
  const limits = { ...options, clock, patienceMs }
  const once = async (method: string, path: string, accept?: string): Promise<Watched> => {
    const known = await authorization
    const headers = { ...(accept === undefined ? {} : { accept }), ...(known === undefined ? {} : { authorization: known }) }
    // Redirects to other hosts are followed without the authorization header.
    return watched(base + path, { method, headers }, limits)
  }
  const request = async (method: string, path: string, accept?: string): Promise<Watched> => {
    let answer = await once(method, path, accept)
    const challenge = answer.response.headers.get('www-authenticate')
    if (answer.response.status === 401 && challenge !== null) {
      await answer.discard()
      authorization = answerChallenge(challenge, reference, credential, (url, init) => watched(url, init, limits))
      answer = await once(method, path, accept)
    }
    if (!answer.response.ok) throw await refusal(answer, reference.canonical)
    return answer
  }
  return {
    async get(path, accept) {
      const { response, body } = await request('GET', path, accept)
      return { headers: response.headers, body: body() }
    },
    async head(path, accept) {
      const answer = await request('HEAD', path, accept)
      await answer.discard()
      return answer.response.headers
    },
  }
}
