/** Service-account tokens for pods, through the TokenRequest API: kept while they are good, renewed before they expire. */
import type { Pod, ServiceAccountTokenProjection, TokenRequest } from '../../api/types.ts'
import type { Clock } from '../../base/clock.ts'
import type { Client } from '../../client/client.ts'
import { serviceAccounts } from '../../client/resources.ts'

/** A token is renewed when this share of its life is over, and after a day at the latest. */
const RENEW_AT = 0.8
const MAX_AGE_MS = 24 * 60 * 60_000
const DEFAULT_EXPIRATION_SECONDS = 3600

export interface PodTokens {
  /** Fetches what is missing or due. Throws what the API answers. */
  fetch(pod: Pod, signal: AbortSignal): Promise<void>
  /** The token for a projection, after `fetch`. */
  get(projection: ServiceAccountTokenProjection): string
  /** When the first of them is due; undefined without any. */
  readonly dueAtMs: number | undefined
}

export function createPodTokens(client: Client, clock: Clock): PodTokens {
  const tokens = new Map<string, { token: string; dueAtMs: number }>()
  return {
    async fetch(pod, signal) {
      for (const projection of projectionsOf(pod)) {
        const known = tokens.get(keyOf(projection))
        if (known && clock.now() < known.dueAtMs) continue
        tokens.set(keyOf(projection), await request(client, clock, pod, projection, signal))
      }
    },
    get: (projection) => tokens.get(keyOf(projection))?.token ?? '',
    get dueAtMs() {
      let first: number | undefined
      for (const { dueAtMs } of tokens.values()) first = Math.min(dueAtMs, first ?? dueAtMs)
      return first
    },
  }
}

async function request(
  client: Client,
  clock: Clock,
  pod: Pod,
  projection: ServiceAccountTokenProjection,
  signal: AbortSignal,
): Promise<{ token: string; dueAtMs: number }> {
  const { name, namespace, uid } = pod.metadata
  const askedAtMs = clock.now()
  const body: TokenRequest = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    metadata: {},
    spec: {
      ...(projection.audience && { audiences: [projection.audience] }),
      expirationSeconds: projection.expirationSeconds ?? DEFAULT_EXPIRATION_SECONDS,
      boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name, uid },
    },
  }
  const account = pod.spec?.serviceAccountName || 'default'
  const answer = await client.createSubresource<TokenRequest>(serviceAccounts, account, 'token', body, { namespace, signal })
  const { token = '', expirationTimestamp = '' } = answer.status ?? {}
  const life = Date.parse(expirationTimestamp) - askedAtMs
  return { token, dueAtMs: askedAtMs + Math.min(life * RENEW_AT, MAX_AGE_MS) }
}

function projectionsOf(pod: Pod): ServiceAccountTokenProjection[] {
  const sources = (pod.spec?.volumes ?? []).flatMap((volume) => volume.projected?.sources ?? [])
  return sources.flatMap((source) => source.serviceAccountToken ?? [])
}

function keyOf({ audience = '', expirationSeconds = 0 }: ServiceAccountTokenProjection): string {
  return `${audience} ${expirationSeconds}`
}
