/** Credentials out of a pod's `imagePullSecrets`. Pure. */
import type { Secret } from '../api/types.ts'
import { type AuthEntry, credentialsOf, type RegistryCredential } from './credentials.ts'

/** Secrets of other types, and malformed ones, have no credentials to give; `complaints` says which. */
export function pullCredentials(secrets: readonly Secret[]): { credentials: RegistryCredential[]; complaints: string[] } {
  const credentials: RegistryCredential[] = []
  const complaints: string[] = []
  for (const secret of secrets) {
    try {
      credentials.push(...credentialsOf(entriesOf(secret)))
    } catch (error) {
      complaints.push(`secret ${secret.metadata.name}: ${(error as Error).message}`)
    }
  }
  return { credentials, complaints }
}

function entriesOf(secret: Secret): Record<string, AuthEntry> {
  const config = secret.data?.['.dockerconfigjson']
  if (config) return parsed<{ auths?: Record<string, AuthEntry> }>(config).auths ?? {}
  const old = secret.data?.['.dockercfg']
  if (old) return parsed<Record<string, AuthEntry>>(old)
  throw new Error('has neither .dockerconfigjson nor .dockercfg')
}

function parsed<T>(base64: string): T {
  try {
    return JSON.parse(Buffer.from(base64, 'base64').toString('utf8')) as T
  } catch {
    // The parser's own message shows a part of the text, and the text is secret.
    throw new Error('is not JSON')
  }
}
