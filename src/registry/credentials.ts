/** User names and passwords for registries, as Docker's files and Kubernetes' pull secrets write them. Pure. */
import { namesOf } from './origin.ts'
import type { ImageReference } from './reference.ts'

/** For the registries that `registry` names: `host[:port][/path]`, where `*` stands for one part of the host. */
export interface RegistryCredential {
  registry: string
  username: string
  password: string
  /** A refresh token, in place of name and password. */
  identityToken?: string
}

/** An entry of `auths`. */
export interface AuthEntry {
  username?: string
  password?: string
  /** `name:password` in base64. */
  auth?: string
  identitytoken?: string
}

/** Docker writes this name with an identity token. */
export const TOKEN_USER = '<token>'

/** Credentials for this repository, the longest match first. */
export function matchingCredentials(reference: ImageReference, credentials: readonly RegistryCredential[]): RegistryCredential[] {
  return credentials
    .filter((credential) => matches(credential.registry, reference))
    .sort((a, b) => b.registry.length - a.registry.length)
}

/** The usable ones of `auths`. */
export function credentialsOf(auths: Readonly<Record<string, AuthEntry>>): RegistryCredential[] {
  return Object.entries(auths).flatMap(([key, entry]) => toCredential(key, entry) ?? [])
}

/** Keys are hosts, or the addresses that docker login writes: `https://index.docker.io/v1/`. */
export function registryOfKey(key: string): string {
  return key.replace(/^https?:\/\//, '').replace(/\/(v[12]\/?)?$/, '')
}

function toCredential(key: string, entry: AuthEntry): RegistryCredential | undefined {
  const registry = registryOfKey(key)
  if (entry.identitytoken) return { registry, username: TOKEN_USER, password: '', identityToken: entry.identitytoken }
  if (entry.username !== undefined && entry.password !== undefined) {
    return { registry, username: entry.username, password: entry.password }
  }
  if (!entry.auth) return undefined
  const text = Buffer.from(entry.auth, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  return colon < 0 ? undefined : { registry, username: text.slice(0, colon), password: text.slice(colon + 1) }
}

function matches(pattern: string, { registry, repository }: ImageReference): boolean {
  const [host = '', ...path] = pattern.split('/')
  if (!namesOf(registry).some((name) => hostMatches(host, name))) return false
  const prefix = path.join('/')
  return prefix === '' || repository === prefix || repository.startsWith(`${prefix}/`)
}

function hostMatches(pattern: string, host: string): boolean {
  const wanted = pattern.split('.')
  const parts = host.split('.')
  return wanted.length === parts.length && wanted.every((part, position) => part === '*' || part === parts[position])
}
