/** Requests to an API server outside, in the name of who sent them: it trusts this server's certificate, and these headers. */
import type { ClientRequest, IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import type { APIService } from '../../api/types.ts'
import type { KeyPair } from '../auth/certificates.ts'
import { destinationOf, type Reach } from '../callout/destination.ts'
import type { UserInfo } from '../contract.ts'

export interface OutsideCall {
  readonly method: string
  /** With its query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | undefined
  readonly user: UserInfo
  readonly signal: AbortSignal
}

/** Rejects with an Error that says why the server cannot be reached. */
export async function callOutside(
  reach: Reach,
  service: APIService,
  identity: KeyPair,
  call: OutsideCall,
): Promise<IncomingMessage> {
  const request = await requestOutside(reach, service, identity, call)
  return await new Promise((resolve, reject) => {
    request.on('response', resolve)
    request.on('error', reject)
    request.end(call.body)
  })
}

/** A request that has still to be sent. Rejects when there is nobody to send it to. */
export async function requestOutside(
  reach: Reach,
  service: APIService,
  identity: KeyPair,
  call: OutsideCall,
): Promise<ClientRequest> {
  const { spec } = service
  const { namespace = '', name = '', port } = spec?.service ?? {}
  const destination = destinationOf(reach, { service: { namespace, name, port } })
  const tls = {
    ...{ servername: destination.serverName, cert: identity.certificate, key: identity.key },
    ...(spec?.caBundle && { ca: Buffer.from(spec.caBundle, 'base64').toString() }),
    ...(spec?.insecureSkipTLSVerify && { rejectUnauthorized: false }),
  }
  const inner = await destination.open?.()
  const secured = (): TLSSocket | undefined => inner && connectTls({ ...tls, socket: inner })
  const socket = secured()
  return httpsRequest({
    ...{ ...tls, host: destination.host, port: destination.port, method: call.method, path: call.path, signal: call.signal },
    ...(socket ? { createConnection: () => socket } : { agent: false }),
    headers: { ...call.headers, ...identityHeaders(call.user), host: destination.url.host },
  })
}

function identityHeaders({ name, uid, groups, extra }: UserInfo): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = { 'x-remote-user': name, 'x-remote-group': [...groups] }
  if (uid) headers['x-remote-uid'] = uid
  for (const key of Object.keys(extra ?? {}))
    headers[`x-remote-extra-${encodeURIComponent(key.toLowerCase())}`] = [...(extra?.[key] ?? [])]
  return headers
}
