/** The in-process door: the same verbs, with parsed objects in and out. What comes out is shared and read-only. */
import type { KubeObject } from '../api/object.ts'
import { type Status, StatusError } from '../api/status.ts'
import type { DoorRequest, DoorResponse, InProcessDoor, UserInfo } from './contract.ts'
import type { Core } from './core.ts'
import { asStatusError } from './failures.ts'
import { copyJson } from './objects/json.ts'
import { serve } from './pipeline.ts'
import { Query } from './request/query.ts'
import type { Answer, ApiRequest, WatchAnswer } from './request/request.ts'

const NEVER = new AbortController().signal

export function createInProcessDoor(core: Core, user: UserInfo): InProcessDoor {
  return {
    async request(given) {
      const request = apiRequest(given, user)
      const answer = await answerOf(core, request)
      if (answer.type !== 'object') throw new TypeError(`${given.path} answers with a stream: use watch() or stream()`)
      const object = answer.object()
      if (answer.status >= 400) throw new StatusError(statusOf(object, answer.status))
      const headers = { 'content-type': answer.contentType, ...answer.headers }
      const response: DoorResponse = {
        status: answer.status,
        headers,
        warnings: request.warnings,
        object,
        bytes: () => Buffer.concat([...answer.chunks()]),
      }
      return response
    },
    async watch(given, deliver) {
      const request = apiRequest({ ...given, query: { ...given.query, watch: '1' } }, user)
      const answer = await answerOf(core, request)
      if (answer.type !== 'watch') throw new TypeError(`${given.path} cannot be watched`)
      await deliverWatch(core, answer, request.signal, deliver)
    },
    async stream(given) {
      const answer = await answerOf(core, apiRequest(given, user))
      if (answer.type !== 'stream') throw new TypeError(`${given.path} does not answer with a stream`)
      return answer.stream
    },
  }
}

async function answerOf(core: Core, request: ApiRequest): Promise<Answer> {
  try {
    return await serve(core, request)
  } catch (error) {
    const failure = asStatusError(error)
    if (failure !== error) core.log.error('request failed', { path: request.path, error })
    throw failure
  }
}

function apiRequest(given: DoorRequest, user: UserInfo): ApiRequest {
  const { headers = {}, body } = given
  return {
    method: given.method,
    path: given.path,
    query: Query.of(given.query),
    header: (name) => headers[name] ?? headerOfAnyCase(headers, name),
    headerNames: () => Object.keys(headers).map((name) => name.toLowerCase()),
    user,
    trusted: true,
    signal: given.signal ?? NEVER,
    // Typed code may have put parts of shared objects into what it sends, and the verbs edit what they are given.
    body: async () => (body === undefined || body instanceof Uint8Array ? body : copyJson(body)),
    warnings: [],
  }
}

function headerOfAnyCase(headers: Record<string, string>, name: string): string | undefined {
  for (const key in headers) if (key.toLowerCase() === name) return headers[key]
  return undefined
}

/** Delivers what came in one turn as one batch, until either side ends the watch. */
function deliverWatch(
  core: Core,
  answer: WatchAnswer,
  signal: AbortSignal,
  deliver: (events: { type: string; object: unknown }[]) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let batch: { type: string; object: unknown }[] = []
    let stop: (() => void) | undefined
    let finished = false
    const flush = () => {
      const events = batch
      batch = []
      if (events.length > 0 && !signal.aborted) deliver(events)
    }
    const finish = (settle: () => void) => {
      if (finished) return
      finished = true
      signal.removeEventListener('abort', onAbort)
      core.closing.removeEventListener('abort', onClosing)
      stop?.()
      flush()
      settle()
    }
    const onAbort = () => finish(resolve)
    const onClosing = () => finish(resolve)
    signal.addEventListener('abort', onAbort)
    core.closing.addEventListener('abort', onClosing)
    const write = (event: { type: string; object: unknown }) => {
      if (event.type === 'ERROR') return finish(() => reject(new StatusError(event.object as Status)))
      if (batch.length === 0) setImmediate(flush)
      batch.push(event)
    }
    stop = answer.start({ form: 'objects', write, end: () => finish(resolve) })
    if (finished) stop()
    else if (signal.aborted || core.closing.aborted) finish(resolve)
  })
}

function statusOf(object: unknown, code: number): Status {
  const status = object as Partial<Status> & KubeObject
  if (status?.kind === 'Status') return status as Status
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message: String(object), code }
}
