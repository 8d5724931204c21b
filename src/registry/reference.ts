/**
 * Image references as people write them (`web:v1`, `localhost:5000/a/b@sha256:…`) and the one full name each stands for.
 * Grammar and defaults are those of the distribution project's reference format. Knows nothing of what is stored.
 */
import { RegistryError } from './errors.ts'

export interface ImageReference {
  /** `docker.io`, `localhost:5000`, … */
  registry: string
  /** `library/web`. */
  repository: string
  /** Absent when only a digest was written. */
  tag?: string
  /** `sha256:…`; wins over the tag. */
  digest?: string
  /** `registry/repository`. */
  name: string
  /** `name@digest` or `name:tag`: equal for every spelling of the same thing. */
  canonical: string
}

const DEFAULT_REGISTRY = 'docker.io'
const COMPONENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/
const REGISTRY = /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]+)?$/
const TAG = /^\w[\w.-]{0,127}$/
const DIGEST = /^sha256:[0-9a-f]{64}$/
const MAX_NAME_LENGTH = 255

/** Throws RegistryError `InvalidReference` for what is no reference. */
export function parseReference(text: string): ImageReference {
  const [beforeDigest = '', digest, ...more] = text.split('@')
  if (more.length > 0 || (digest !== undefined && !DIGEST.test(digest))) throw invalid(text, 'invalid reference format')
  const colon = beforeDigest.lastIndexOf(':')
  const tagged = colon > beforeDigest.lastIndexOf('/')
  const path = tagged ? beforeDigest.slice(0, colon) : beforeDigest
  const tag = tagged ? beforeDigest.slice(colon + 1) : undefined
  if (tag !== undefined && !TAG.test(tag)) throw invalid(text, 'invalid reference format')
  const slash = path.indexOf('/')
  const first = slash < 0 ? '' : path.slice(0, slash)
  const named = first !== '' && (/[.:A-Z]/.test(first) || first === 'localhost')
  const written = named ? first : DEFAULT_REGISTRY
  const registry = written === 'index.docker.io' ? DEFAULT_REGISTRY : written
  let repository = named ? path.slice(slash + 1) : path
  if (repository !== repository.toLowerCase()) throw invalid(text, 'invalid reference format: repository name must be lowercase')
  if (registry === DEFAULT_REGISTRY && !repository.includes('/')) repository = `library/${repository}`
  const name = `${registry}/${repository}`
  if (!REGISTRY.test(registry) || !repository.split('/').every((part) => COMPONENT.test(part)) || name.length > MAX_NAME_LENGTH)
    throw invalid(text, 'invalid reference format')
  const effective = tag ?? (digest === undefined ? 'latest' : undefined)
  return {
    registry,
    repository,
    ...(effective === undefined ? {} : { tag: effective }),
    ...(digest === undefined ? {} : { digest }),
    name,
    canonical: digest === undefined ? `${name}:${effective}` : `${name}@${digest}`,
  }
}

/** The short spelling: without `docker.io/library/` where that is the default. */
export function familiarName(canonical: string): string {
  const parsed = parseReference(canonical)
  const rest = canonical.slice(parsed.registry.length + 1)
  if (parsed.registry !== DEFAULT_REGISTRY) return canonical
  return rest.startsWith('library/') ? rest.slice('library/'.length) : rest
}

/**
 * `text` with this digest in place of any it had: `web:v1@sha256:…`, as it was written otherwise. A name without a tag gets
 * the one it stands for, so that it still says which tag was meant.
 */
export function pinned(text: string, digest: string): string {
  const [written = ''] = text.split('@')
  const { tag } = parseReference(written)
  const hasTag = written.lastIndexOf(':') > written.lastIndexOf('/')
  return `${written}${hasTag ? '' : `:${tag}`}@${digest}`
}

/** Whether the text names its registry; what does not (`web:v1`) is the default registry's, or only this machine's. */
export function namesRegistry(text: string): boolean {
  const [first = '', ...rest] = text.split('/')
  return rest.length > 0 && (/[.:A-Z]/.test(first) || first === 'localhost')
}

export function isDigest(text: string): boolean {
  return DIGEST.test(text)
}

function invalid(text: string, why: string): RegistryError {
  return new RegistryError('InvalidReference', `couldn't parse image name ${JSON.stringify(text)}: ${why}`)
}
