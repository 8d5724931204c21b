/** One HTTP request: who asks, the verb, the answer. Nothing thrown in here reaches the process. */
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import type { TLSSocket } from 'node:tls'
import type { Status } from '../../api/status.ts'
import type { AuditEntry } from '../audit/audit.ts'
import type { Auth } from '../auth/auth.ts'
import type { Core } from '../core.ts'
import { asStatusError } from '../failures.ts'
import { serve } from '../pipeline.ts'
import { Query } from '../request/query.ts'
import type { Answer, ApiRequest } from '../request/request.ts'
import { parseTarget } from '../request/target.ts'
import { ClientGone, readBody } from './body.ts'
import { type Asked, authenticate, beginAudit } from './caller.ts'
import { Departure } from './departure.ts'
import type { FlushRounds } from './flush-rounds.ts'
import { respond, respondFailure } from './respond.ts'
import { respondWatch } from './watch-writer.ts'

/** What the requests at one port share. */
export interface HttpDoor {
  readonly core: Core
  readonly auth: Auth
  readonly rounds: FlushRounds
}

/** What the audit log says of who did not wait for the answer, as in Kubernetes. */
const CLOSED_EARLY: Status = {
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Success',
  message: 'Connection closed early',
}

/** Resolves when the answer has been handed to the connection or the connection is gone. Never rejects. */
export async function handleRequest(
  { core, auth, rounds }: HttpDoor,
  request: Http2ServerRequest,
  response: Http2ServerResponse,
): Promise<void> {
  const departure = new Departure(response)
  const url = request.url
  const mark = url.indexOf('?')
  const path = mark < 0 ? url : url.slice(0, mark)
  const query = Query.parse(mark < 0 ? '' : url.slice(mark + 1))
  const warnings: string[] = []
  let body: Promise<Buffer | undefined> | undefined
  const bodyOf = () => {
    body ??= readBody(request)
    return body
  }
  let audit: AuditEntry | undefined
  try {
    const asked: Asked = {
      ...{ request, query, socket: socketOf(request) },
      // Only the audit log asks.
      get target() {
        return parseTarget(request.method, path, query.flag('watch'))
      },
    }
    const real = await authenticate({ core, auth }, asked)
    audit = beginAudit(core, asked, real, async () => body)
    const user = await auth.impersonate(real, request.rawHeaders)
    if (user !== real) audit?.actsAs(user)
    const call: ApiRequest = {
      method: request.method,
      path,
      query,
      header: (name) => request.headers[name] as string | undefined,
      headerNames: () => Object.keys(request.headers),
      user,
      clientAddress: asked.socket.remoteAddress,
      trusted: false,
      get signal() {
        return departure.signal
      },
      body: bodyOf,
      annotations: audit?.annotations,
      warnings,
    }
    const answer = await serve(core, call)
    audit?.started(answer.type === 'watch' ? 200 : answer.status)
    await send({ core, rounds }, answer, call, request, response, departure)
    await audit?.complete(answer, answer.type === 'watch' ? 200 : answer.status)
  } catch (error) {
    if (departure.gone || error instanceof ClientGone) {
      await audit?.complete(CLOSED_EARLY, 200)
      return
    }
    const failure = asStatusError(error)
    if (failure !== error) core.log.error('request failed', { method: request.method, path, error })
    await respondFailure(failure, { query, request, warnings }, response)
    await audit?.complete(failure.status, failure.code)
  }
}

async function send(
  { core, rounds }: Omit<HttpDoor, 'auth'>,
  answer: Answer,
  call: ApiRequest,
  request: Http2ServerRequest,
  response: Http2ServerResponse,
  departure: Departure,
): Promise<void> {
  if (answer.type === 'watch') return respondWatch({ core, rounds }, answer, call.warnings, response, departure.signal)
  await respond(answer, { query: call.query, request, warnings: call.warnings }, response, departure)
}

const socketOf = (request: Http2ServerRequest) => (request.stream?.session?.socket ?? request.socket) as TLSSocket
