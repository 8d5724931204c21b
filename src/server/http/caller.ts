/** Who sends a request over HTTP, and its entry in the audit log: the same for plain requests and upgrades. */
import type { IncomingHttpHeaders } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { StatusError } from '../../api/status.ts'
import type { AuditEntry, AuditedCall } from '../audit/audit.ts'
import type { Auth } from '../auth/auth.ts'
import type { UserInfo } from '../contract.ts'
import type { Core } from '../core.ts'
import type { Query } from '../request/query.ts'
import type { Target } from '../request/target.ts'

export interface Asked {
  readonly request: { readonly url?: string | undefined; readonly headers: IncomingHttpHeaders }
  readonly socket: TLSSocket
  readonly target: Target
  readonly query: Query
  /** A bearer token that came as a WebSocket's subprotocol. */
  readonly webSocketToken?: string | undefined
}

/** Throws a 401, which the audit log is told of. */
export async function authenticate({ core, auth }: { core: Core; auth: Auth }, asked: Asked): Promise<UserInfo> {
  const { request, socket, webSocketToken } = asked
  const { authorization } = request.headers
  try {
    const credentials = { authorization, socket, ...(webSocketToken && { webSocketToken }) }
    return (await auth.authenticator.authenticate(credentials)) ?? auth.anonymous
  } catch (error) {
    if (error instanceof StatusError && error.code === 401) {
      core.audit?.unauthenticated(
        auditedCall(asked, undefined, async () => undefined),
        attempted(asked),
      )
    }
    throw error
  }
}

export function beginAudit({ audit }: Core, asked: Asked, user: UserInfo, body: AuditedCall['body']): AuditEntry | undefined {
  return audit?.begin(auditedCall(asked, user, body))
}

function auditedCall({ request, socket, target }: Asked, user: UserInfo | undefined, body: AuditedCall['body']): AuditedCall {
  return {
    ...{ target, user, body, requestUri: request.url ?? '', sourceIp: socket.remoteAddress ?? '' },
    userAgent: request.headers['user-agent'] ?? '',
  }
}

/** What was shown that did not do. */
function attempted({ request, socket, query }: Asked): string {
  const [scheme = '', credentials] = (request.headers.authorization ?? '').trim().split(' ')
  const methods = [
    ...(/^basic$/i.test(scheme) && credentials ? ['basic'] : []),
    ...(/^bearer$/i.test(scheme) && credentials !== undefined ? ['bearer'] : []),
    ...((query.get('access_token') ?? '').trim() ? ['access_token'] : []),
    ...(socket.getPeerCertificate?.().raw ? ['x509'] : []),
  ]
  if (methods.length === 0) return 'Authentication failed, no credentials provided'
  return `Authentication failed, attempted: ${methods.join(', ')}`
}
