/**
 * What a name means at its registry (OCI distribution specification 1.1): its manifest, checked against its digest. Every
 * function tries the credentials that match, the closest first, then none.
 */
import { createHash } from 'node:crypto'
import { matchingCredentials, type RegistryCredential } from './credentials.ts'
import {
  choosePlatform,
  type Descriptor,
  DOCKER_INDEX,
  DOCKER_MANIFEST,
  INDEX,
  type Index,
  isIndex,
  isManifest,
  MANIFEST,
  type Manifest,
  type Platform,
} from './documents.ts'
import { innermost, RegistryError } from './errors.ts'
import { type ImageReference, isDigest } from './reference.ts'
import { openSession, type Session, type SessionOptions } from './session.ts'

export type RegistryOptions = Omit<SessionOptions, 'credential'> & { credentials?: readonly RegistryCredential[] }

export interface FetchedManifest {
  digest: string
  bytes: Buffer
  document: Manifest | Index
}

const MANIFEST_TYPES = [INDEX, MANIFEST, DOCKER_INDEX, DOCKER_MANIFEST].join(', ')
/** The specification lets registries refuse more than 4 MiB. */
const MAX_MANIFEST_BYTES = 4 * 1024 * 1024
const DIGEST_HEADER = 'docker-content-digest'

/** Runs `work` with a session for each matching credential until one is not denied. */
export async function withSession<T>(
  reference: ImageReference,
  { credentials = [], ...options }: RegistryOptions,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  let refusal: unknown
  for (const credential of [...matchingCredentials(reference, credentials), undefined]) {
    try {
      return await work(openSession(reference, { ...options, credential }))
    } catch (error) {
      options.signal?.throwIfAborted()
      if (!(error instanceof RegistryError)) throw new RegistryError('Unusable', innermost(error), { cause: error })
      if (error.reason !== 'Denied') throw error
      // The answer to the credentials says more than the one to a stranger.
      refusal ??= error
    }
  }
  throw refusal
}

/**
 * The digest that the reference's tag has, from the manifest itself: a registry whose manifest is not what it says is refused.
 * A reference with a digest is only checked to be there.
 */
export function resolveDigest(reference: ImageReference, options: RegistryOptions = {}): Promise<string> {
  return withSession(reference, options, async (session) => (await fetchNamed(session, reference)).digest)
}

/** The digest as the registry says it is, which costs it nothing: good enough to see that something moved. */
export function peekDigest(reference: ImageReference, options: RegistryOptions = {}): Promise<string> {
  return withSession(reference, options, async (session) => {
    const headers = await session.head(`manifests/${nameOf(reference)}`, MANIFEST_TYPES)
    const said = headers.get(DIGEST_HEADER)
    return said !== null && isDigest(said) ? said : (await fetchNamed(session, reference)).digest
  })
}

export function fetchNamed(session: Session, reference: ImageReference): Promise<FetchedManifest> {
  return fetchManifest(session, nameOf(reference), reference.digest)
}

/** `expected`: the digest it must have. Without one the registry's own word is what it is held to. */
export async function fetchManifest(session: Session, name: string, expected: string | undefined): Promise<FetchedManifest> {
  const { headers, body } = await session.get(`manifests/${name}`, MANIFEST_TYPES)
  const bytes = await readWhole(body)
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
  const said = expected ?? headers.get(DIGEST_HEADER)
  if (said !== null && said !== digest && said.startsWith('sha256:'))
    throw new RegistryError('Mismatch', `the registry says that ${name} is ${said}, but its content is ${digest}`)
  const document = documentOf(bytes)
  if (!isIndex(document) && !isManifest(document))
    throw new RegistryError('Unusable', `${name} is neither an image manifest nor an index of them`)
  return { digest, bytes, document }
}

/** The manifest for a platform: the one itself, or the entry of the index. */
export async function fetchForPlatform(
  session: Session,
  named: FetchedManifest,
  platform: Platform,
): Promise<{ digest: string; bytes: Buffer; document: Manifest }> {
  if (!isIndex(named.document)) return { ...named, document: named.document }
  const chosen = choosePlatform(named.document, platform)
  if (chosen === undefined) throw new RegistryError('Unusable', missing(named.document.manifests, platform))
  const fetched = await fetchManifest(session, chosen.digest, chosen.digest)
  if (isIndex(fetched.document))
    throw new RegistryError('Unusable', `${chosen.digest} is an index within an index, which is not supported`)
  return { ...fetched, document: fetched.document }
}

function missing(offered: readonly Descriptor[], { os, architecture }: Platform): string {
  const names = offered.map((entry) => `${entry.platform?.os}/${entry.platform?.architecture}`)
  return `no image for ${os}/${architecture}, only for ${names.join(', ') || 'nothing'}`
}

function nameOf(reference: ImageReference): string {
  return reference.digest ?? reference.tag!
}

function documentOf(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    return undefined
  }
}

async function readWhole(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    if (size > MAX_MANIFEST_BYTES) throw new RegistryError('Unusable', `the manifest is larger than ${MAX_MANIFEST_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
