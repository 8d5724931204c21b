/** User names and passwords for registries out of pull secrets. Pure. */
import type { Secret } from '../../api/types.ts'
import type { RegistryCredential } from '../runtime/runtime.ts'

interface DockerEntry {
  username?: string
  password?: string
  auth?: string
}

/** Secrets of other types, and malformed ones, have no credentials to give; `complaints` says which. */
export function pullCredentials(secrets: readonly Secret[]): { credentials: RegistryCredential[]; complaints: string[] } {
  const credentials: RegistryCredential[] = []
  const complaints: string[] = []
  for (const secret of secrets) {
    try {
      for (const [registry, entry] of Object.entries(entriesOf(secret))) {
        const credential = toCredential(registry, entry)
        if (credential) credentials.push(credential)
      }
    } catch (error) {
      complaints.push(`secret ${secret.metadata.name}: ${(error as Error).message}`)
    }
  }
  return { credentials, complaints }
}

function entriesOf(secret: Secret): Record<string, DockerEntry> {
  const config = secret.data?.['.dockerconfigjson']
  if (config) return (JSON.parse(decode(config)) as { auths?: Record<string, DockerEntry> }).auths ?? {}
  const old = secret.data?.['.dockercfg']
  if (old) return JSON.parse(decode(old)) as Record<string, DockerEntry>
  throw new Error('has neither .dockerconfigjson nor .dockercfg')
}

function toCredential(key: string, entry: DockerEntry): RegistryCredential | undefined {
  // Keys are hosts, or the addresses that docker login writes: `https://index.docker.io/v1/`.
  const registry = key.replace(/^https?:\/\//, '').replace(/\/(v[12]\/?)?$/, '')
  if (entry.username !== undefined && entry.password !== undefined) {
    return { registry, username: entry.username, password: entry.password }
  }
  if (!entry.auth) return undefined
  const text = decode(entry.auth)
  const colon = text.indexOf(':')
  return colon < 0 ? undefined : { registry, username: text.slice(0, colon), password: text.slice(colon + 1) }
}

function decode(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8')
}
