/** One HTTP exchange whose every wait has an end. Knows no registry's paths. */
import type { Clock } from '../base/clock.ts'
import { innermost, RegistryError } from './errors.ts'

/** An answer whose every wait is watched. One of `body` and `discard` is called, or the watch would end it. */
export interface Watched {
  response: Response
  body(): AsyncIterable<Uint8Array>
  /** Reads it whole, up to a limit of characters. */
  text(limit?: number): Promise<string>
  discard(): Promise<void>
}

export interface Limits {
  signal?: AbortSignal | undefined
  clock: Clock
  /** How long an answer may take to begin, and then how long it may pause. */
  patienceMs: number
}

/** Asks. Throws RegistryError `Unreachable` or `TimedOut`, or the signal's reason once it has aborted. */
export async function watched(url: string | URL, init: RequestInit, { signal, clock, patienceMs }: Limits): Promise<Watched> {
  const host = new URL(url).host
  const ending = new AbortController()
  let disarm = () => {}
  const arm = () => {
    disarm()
    const late = new RegistryError('TimedOut', `${host} did not answer within ${patienceMs / 1000} s`)
    disarm = clock.after(patienceMs, () => ending.abort(late), { unref: true })
  }
  const failed = (error: unknown): unknown => {
    disarm()
    if (signal?.aborted) return signal.reason
    if (ending.signal.aborted) return ending.signal.reason
    return new RegistryError('Unreachable', innermost(error), { cause: error })
  }
  arm()
  try {
    const both = signal ? AbortSignal.any([signal, ending.signal]) : ending.signal
    const response = await fetch(url, { ...init, signal: both })
    async function* body(): AsyncGenerator<Uint8Array> {
      try {
        for await (const chunk of response.body ?? []) {
          // A reader that is slow itself is not the registry's fault.
          disarm()
          yield chunk
          arm()
        }
      } catch (error) {
        throw failed(error)
      } finally {
        disarm()
      }
    }
    const text = async (limit = Number.POSITIVE_INFINITY) => {
      let read = ''
      for await (const chunk of body()) {
        read += Buffer.from(chunk).toString('utf8')
        if (read.length > limit) break
      }
      return read.slice(0, limit)
    }
    const discard = async () => {
      disarm()
      await response.body?.cancel()
    }
    return { response, body, text, discard }
  } catch (error) {
    throw failed(error)
  }
}

const MAX_ERROR_TEXT = 300

/** What a status means for who asked. `what` is named in the message. */
export async function refusal({ response, text }: Watched, what: string): Promise<RegistryError> {
  const { status, statusText } = response
  const reason = status === 404 ? 'NotFound' : status === 401 || status === 403 ? 'Denied' : 'Refused'
  const said = status === 404 ? 'not found' : `${status} ${statusText}`.trim()
  const detail = registryMessage(await text(MAX_ERROR_TEXT))
  return new RegistryError(reason, `${what}: ${said}${detail === undefined ? '' : `: ${detail}`}`)
}

/** Out of `{"errors":[{"code":…,"message":…}]}`; other bodies (proxies' pages) say nothing worth repeating. */
function registryMessage(text: string): string | undefined {
  const message = /"message"\s*:\s*"((?:[^"\\]|\\.)*)"/.exec(text)?.[1]
  return message === undefined || message === '' ? undefined : message
}
