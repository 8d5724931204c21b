/** Continue tokens: where a list goes on, and the revision it is true for. The form is etcd3's of apiserver storage, so that logs look familiar. */
import { badRequest, custom } from '../../api/status.ts'
import { goJsonMessage } from './json-errors.ts'

export interface ContinueToken {
  /** The revision the pages are consistent at; -1 to go on with the newest state. */
  revision: number
  /** The last key that was delivered, below the resource's prefix. */
  start: string
}

export function encodeContinue(token: ContinueToken): string {
  const text = JSON.stringify({ v: 'meta.k8s.io/v1', rv: token.revision, start: `${token.start}\0` })
  return Buffer.from(text).toString('base64url')
}

/** Throws a 400 for what no server of this kind has made. */
export function decodeContinue(text: string): ContinueToken {
  let parsed: { v?: unknown; rv?: unknown; start?: unknown }
  try {
    parsed = JSON.parse(Buffer.from(text, 'base64url').toString())
  } catch (error) {
    throw invalidToken(goJsonMessage((error as Error).message))
  }
  if (parsed?.v !== 'meta.k8s.io/v1') throw invalidToken(`server does not recognize this encoded version "${parsed?.v}"`)
  const { rv, start } = parsed
  if (typeof rv !== 'number' || typeof start !== 'string' || start === '') {
    throw invalidToken('incorrect encoded start resourceVersion (version meta.k8s.io/v1)')
  }
  return { revision: rv, start: start.replace(/\0$/, '') }
}

function invalidToken(why: string): Error {
  return badRequest(`invalid continue token: continue key is not valid: ${why}`)
}

/** The pages' revision has been forgotten. With a token to go on inconsistently, as Kubernetes offers. */
export function continueExpired(token: ContinueToken): Error {
  const message =
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without ' +
    'the continue parameter, or use the continue token in this response to retrieve the remainder of the results. ' +
    'Continuing with the provided token results in an inconsistent list - objects that were created, modified, or ' +
    'deleted between the time the first chunk was returned and now may show up in the list.'
  const error = custom(410, 'Expired', message)
  error.status.metadata = { continue: encodeContinue({ ...token, revision: -1 }) }
  return error
}
