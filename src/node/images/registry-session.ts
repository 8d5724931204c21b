/**
 * Requests to one repository of one registry, with the token or password it asks for. Plain http for loopback names,
 * https for all others. Knows nothing of what is fetched.
 */
import type { RegistryCredential } from '../runtime/runtime.ts'
import type { ImageReference } from './reference.ts'

export interface Registry {
  /** `path` is below the repository: `manifests/v1`, `blobs/sha256:…`. Throws RegistryRefusal for any answer but a success. */
  get(path: string, accept?: string): Promise<AsyncIterable<Uint8Array>>
}

/** The registry answered, and not with what was asked for. */
export class RegistryRefusal extends Error {
  override name = 'RegistryRefusal'
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
  /** Other credentials might be welcome. Docker's hub says 401 for what does not exist too. */
  get denied(): boolean {
    return this.status === 401 || this.status === 403
  }
}

const DOCKER_HUB = 'registry-1.docker.io'
const DOCKER_NAMES = ['docker.io', 'index.docker.io', DOCKER_HUB]
const MAX_ERROR_TEXT = 300

/** Credentials for this repository, the longest match first; `*.` in a host stands for one part of it. */
export function matchingCredentials(reference: ImageReference, credentials: readonly RegistryCredential[]): RegistryCredential[] {
  return credentials
    .filter((credential) => matches(credential.registry, reference))
    .sort((a, b) => b.registry.length - a.registry.length)
}

export function openRegistry(
  reference: ImageReference,
  credential: RegistryCredential | undefined,
  signal: AbortSignal | undefined,
): Registry {
  const host = reference.registry === 'docker.io' ? DOCKER_HUB : reference.registry
  const base = `${isLoopback(host) ? 'http' : 'https'}://${host}/v2/${reference.repository}/`
  let authorization: Promise<string | undefined> = Promise.resolve(undefined)
  const request = async (path: string, accept?: string): Promise<Response> => {
    const known = await authorization
    const headers = { ...(accept === undefined ? {} : { accept }), ...(known === undefined ? {} : { authorization: known }) }
    // Redirects to other hosts are followed without the authorization header.
    return fetch(base + path, { headers, ...(signal ? { signal } : {}) })
  }
  return {
    async get(path, accept) {
      let response = await request(path, accept)
      const challenge = response.headers.get('www-authenticate')
      if (response.status === 401 && challenge !== null) {
        await response.body?.cancel()
        authorization = answerChallenge(challenge, reference, credential, signal)
        response = await request(path, accept)
      }
      if (!response.ok || response.body === null) throw await refusal(response, `${reference.canonical}`)
      return response.body
    },
  }
}

/** The Authorization header that the challenge (RFC 9110, 11.6.1) asks for; undefined when there is nothing to offer. */
async function answerChallenge(
  challenge: string,
  reference: ImageReference,
  credential: RegistryCredential | undefined,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const basic = credential && `Basic ${Buffer.from(`${credential.username}:${credential.password}`).toString('base64')}`
  const bearer = /(?:^|,\s*)Bearer\s+(.*)/i.exec(challenge)
  if (bearer === null) return basic
  const parameters = new Map([...bearer[1]!.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, value]) => [key!.toLowerCase(), value!]))
  const realm = new URL(parameters.get('realm') ?? '')
  if (realm.protocol !== 'https:' && !(realm.protocol === 'http:' && isLoopback(realm.host)))
    throw new Error(`the registry wants a token from ${realm.origin}, which is not https`)
  const service = parameters.get('service')
  if (service !== undefined) realm.searchParams.set('service', service)
  realm.searchParams.set('scope', parameters.get('scope') ?? `repository:${reference.repository}:pull`)
  const response = await fetch(realm, { ...(basic ? { headers: { authorization: basic } } : {}), ...(signal ? { signal } : {}) })
  if (!response.ok) throw await refusal(response, `${reference.canonical}: token from ${realm.host}`)
  const { token, access_token } = (await response.json()) as { token?: string; access_token?: string }
  const value = token ?? access_token
  if (!value) throw new Error(`${realm.host} answered without a token`)
  return `Bearer ${value}`
}

async function refusal(response: Response, what: string): Promise<RegistryRefusal> {
  const text = (await response.text()).slice(0, MAX_ERROR_TEXT)
  const said = response.status === 404 ? 'not found' : `${response.status} ${response.statusText}`.trim()
  const detail = registryMessage(text)
  return new RegistryRefusal(response.status, `${what}: ${said}${detail === undefined ? '' : `: ${detail}`}`)
}

/** Out of `{"errors":[{"code":…,"message":…}]}`; other bodies (proxies' pages) say nothing worth repeating. */
function registryMessage(text: string): string | undefined {
  const message = /"message"\s*:\s*"((?:[^"\\]|\\.)*)"/.exec(text)?.[1]
  return message === undefined || message === '' ? undefined : message
}

function matches(pattern: string, { registry, repository }: ImageReference): boolean {
  const [host = '', ...path] = pattern.split('/')
  const names = registry === 'docker.io' ? DOCKER_NAMES : [registry]
  if (!names.some((name) => hostMatches(host, name))) return false
  const prefix = path.join('/')
  return prefix === '' || repository === prefix || repository.startsWith(`${prefix}/`)
}

function hostMatches(pattern: string, host: string): boolean {
  const wanted = pattern.split('.')
  const parts = host.split('.')
  return wanted.length === parts.length && wanted.every((part, position) => part === '*' || part === parts[position])
}

function isLoopback(host: string): boolean {
  const name = host.replace(/:\d+$/, '')
  return name === 'localhost' || name.endsWith('.localhost') || name === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(name)
}
