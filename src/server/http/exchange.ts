/** One HTTP request: who asks, the verb, the answer. Nothing thrown in here reaches the process. */
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import type { TLSSocket } from 'node:tls'
import type { Auth } from '../auth/auth.ts'
import type { UserInfo } from '../contract.ts'
import type { Core } from '../core.ts'
import { asStatusError } from '../failures.ts'
import { serve } from '../pipeline.ts'
import { Query } from '../request/query.ts'
import type { Answer, ApiRequest } from '../request/request.ts'
import { ClientGone, readBody } from './body.ts'
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
  try {
    const user = await userOf(auth, request)
    const call: ApiRequest = {
      method: request.method,
      path,
      query,
      header: (name) => request.headers[name] as string | undefined,
      user,
      trusted: false,
      get signal() {
        return departure.signal
      },
      body: () => {
        body ??= readBody(request)
        return body
      },
      warnings,
    }
    const answer = await serve(core, call)
    await send({ core, rounds }, answer, call, request, response, departure)
  } catch (error) {
    if (departure.gone || error instanceof ClientGone) return
    const failure = asStatusError(error)
    if (failure !== error) core.log.error('request failed', { method: request.method, path, error })
    await respondFailure(failure, { query, request, warnings }, response)
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

async function userOf(auth: Auth, request: Http2ServerRequest): Promise<UserInfo> {
  const { authorization } = request.headers
  const socket = (request.stream?.session?.socket ?? request.socket) as TLSSocket
  const user = (await auth.authenticator.authenticate({ authorization, socket })) ?? auth.anonymous
  return auth.impersonate(user, request.rawHeaders)
}
