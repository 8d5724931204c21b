/** How a registry wants to be convinced: a password, or a token from the place it names (Docker's token authentication). */
import { refusal, type Watched } from './answer.ts'
import type { RegistryCredential } from './credentials.ts'
import { RegistryError } from './errors.ts'
import { isLoopback } from './origin.ts'
import type { ImageReference } from './reference.ts'

type Ask = (url: URL, init: RequestInit) => Promise<Watched>

const CLIENT_ID = 'skiff'
/** Of a token's answer, in characters: tokens with many scopes are long. */
const MAX_TOKEN_TEXT = 1024 * 1024

/** The Authorization header that the challenge (RFC 9110, 11.6.1) asks for; undefined when there is nothing to offer. */
export async function answerChallenge(
  challenge: string,
  reference: ImageReference,
  credential: RegistryCredential | undefined,
  ask: Ask,
): Promise<string | undefined> {
  const basic = credential && `Basic ${Buffer.from(`${credential.username}:${credential.password}`).toString('base64')}`
  const bearer = /(?:^|,\s*)Bearer\s+(.*)/i.exec(challenge)
  if (bearer === null) return basic
  const parameters = new Map([...bearer[1]!.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, value]) => [key!.toLowerCase(), value!]))
  const realm = realmOf(parameters.get('realm') ?? '', reference.registry)
  const wanted = {
    scope: parameters.get('scope') ?? `repository:${reference.repository}:pull`,
    service: parameters.get('service'),
  }
  const answer = credential?.identityToken
    ? await exchange(realm, wanted, credential.identityToken, ask)
    : await fetchToken(realm, wanted, basic, ask)
  if (!answer.response.ok) throw await refusal(answer, `${reference.canonical}: token from ${realm.host}`)
  const value = tokenOf(await answer.text(MAX_TOKEN_TEXT))
  if (!value) throw new RegistryError('Unusable', `${realm.host} answered without a token`)
  return `Bearer ${value}`
}

interface Wanted {
  scope: string
  service: string | undefined
}

function fetchToken(realm: URL, { scope, service }: Wanted, basic: string | undefined, ask: Ask): Promise<Watched> {
  if (service !== undefined) realm.searchParams.set('service', service)
  realm.searchParams.set('scope', scope)
  return ask(realm, basic ? { headers: { authorization: basic } } : {})
}

/** An identity token is a refresh token of OAuth 2, and never leaves for any other place than the realm. */
function exchange(realm: URL, { scope, service }: Wanted, identityToken: string, ask: Ask): Promise<Watched> {
  const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: identityToken, client_id: CLIENT_ID, scope })
  if (service !== undefined) body.set('service', service)
  return ask(realm, { method: 'POST', body })
}

function realmOf(text: string, registry: string): URL {
  if (!URL.canParse(text)) throw new RegistryError('Unusable', `${registry} names no place for tokens in its challenge`)
  const realm = new URL(text)
  if (realm.protocol === 'https:' || (realm.protocol === 'http:' && isLoopback(realm.host))) return realm
  throw new RegistryError('Unusable', `the registry wants a token from ${realm.origin}, which is not https`)
}

function tokenOf(text: string): string | undefined {
  try {
    const { token, access_token } = JSON.parse(text) as { token?: string; access_token?: string }
    return token ?? access_token
  } catch {
    return undefined
  }
}
