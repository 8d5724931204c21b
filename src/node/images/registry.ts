/**
 * Pulls one image from a registry (OCI distribution specification 1.1) into a staging directory: the manifest for this
 * machine, its config and those layers that are not here yet, each checked against its digest. Knows nothing of names
 * that are stored, and keeps nothing between pulls.
 */
import { type RegistryCredential, RuntimeError } from '../runtime/runtime.ts'
import type { Staging } from './blobs.ts'
import {
  choosePlatform,
  type Descriptor,
  DOCKER_INDEX,
  DOCKER_MANIFEST,
  hostPlatform,
  INDEX,
  type Index,
  isIndex,
  isManifest,
  MANIFEST,
  type Manifest,
} from './documents.ts'
import type { ImageReference } from './reference.ts'
import { matchingCredentials, openRegistry, type Registry, RegistryRefusal } from './registry-session.ts'

export interface PulledImage {
  manifest: string
  config: string
  /** What the reference named: the index where there is one, else the manifest. */
  digest: string
}

const MANIFEST_TYPES = [INDEX, MANIFEST, DOCKER_INDEX, DOCKER_MANIFEST].join(', ')
/** The specification lets registries refuse more than 4 MiB. */
const MAX_MANIFEST_BYTES = 4 * 1024 * 1024
const PARALLEL_LAYERS = 3

/**
 * Tries the credentials that match, the closest first, then none. Throws RuntimeError `ErrImagePull`, or the signal's
 * reason once it has aborted.
 */
export async function pullImage(
  staging: Staging,
  reference: ImageReference,
  options: { credentials?: readonly RegistryCredential[]; signal?: AbortSignal },
): Promise<PulledImage> {
  const { signal } = options
  const attempts = [...matchingCredentials(reference, options.credentials ?? []), undefined]
  let refusal: unknown
  for (const credential of attempts) {
    try {
      return await pullWith(staging, reference, openRegistry(reference, credential, signal))
    } catch (error) {
      signal?.throwIfAborted()
      if (!(error instanceof RegistryRefusal && error.denied)) throw failure(reference, error)
      // The answer to the credentials says more than the one to a stranger.
      refusal ??= error
    }
  }
  throw failure(reference, refusal)
}

async function pullWith(staging: Staging, reference: ImageReference, registry: Registry): Promise<PulledImage> {
  const named = await fetchManifest(staging, registry, reference.digest ?? reference.tag!, reference.digest)
  const { digest, manifest } = isIndex(named.document)
    ? await fetchChosen(staging, registry, named.document)
    : { digest: named.digest, manifest: named.document }
  for (const { mediaType, digest: layer } of manifest.layers)
    if (mediaType.includes('zstd')) throw new Error(`layer ${layer} is compressed with zstd, which is not supported`)
  const missing = [manifest.config, ...manifest.layers]
  const fetchNext = async (): Promise<void> => {
    for (let entry = missing.shift(); entry !== undefined; entry = missing.shift()) await fetchBlob(staging, registry, entry)
  }
  const workers = await Promise.allSettled(
    Array.from({ length: PARALLEL_LAYERS }, () =>
      fetchNext().catch((error: unknown) => {
        missing.length = 0
        throw error
      }),
    ),
  )
  for (const worker of workers) if (worker.status === 'rejected') throw worker.reason
  return { manifest: digest, config: manifest.config.digest, digest: named.digest }
}

async function fetchChosen(staging: Staging, registry: Registry, index: Index): Promise<{ digest: string; manifest: Manifest }> {
  const platform = hostPlatform()
  const chosen = choosePlatform(index, platform)
  if (chosen === undefined) {
    const offered = index.manifests.map((entry) => `${entry.platform?.os}/${entry.platform?.architecture}`)
    throw new Error(`no image for ${platform.os}/${platform.architecture}, only for ${offered.join(', ') || 'nothing'}`)
  }
  const { digest, document } = await fetchManifest(staging, registry, chosen.digest, chosen.digest)
  if (isIndex(document)) throw new Error(`${chosen.digest} is an index within an index, which is not supported`)
  return { digest, manifest: document }
}

/** An index is not stored: only what this machine runs is. */
async function fetchManifest(
  staging: Staging,
  registry: Registry,
  name: string,
  expected: string | undefined,
): Promise<{ digest: string; document: Manifest | Index }> {
  const bytes = await readWhole(await registry.get(`manifests/${name}`, MANIFEST_TYPES))
  const stored = await staging.add(bytes, expected === undefined ? undefined : { digest: expected })
  const document = JSON.parse(bytes.toString('utf8')) as unknown
  if (isIndex(document)) {
    await staging.drop(stored.digest)
    return { digest: stored.digest, document }
  }
  if (!isManifest(document)) throw new Error(`${name} is neither an image manifest nor an index of them`)
  return { digest: stored.digest, document }
}

async function fetchBlob(staging: Staging, registry: Registry, { digest, size }: Descriptor): Promise<void> {
  if (await staging.keep(digest)) return
  await staging.add(await registry.get(`blobs/${digest}`), { digest, size })
}

async function readWhole(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    if (size > MAX_MANIFEST_BYTES) throw new Error(`the manifest is larger than ${MAX_MANIFEST_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function failure(reference: ImageReference, error: unknown): RuntimeError {
  return new RuntimeError('ErrImagePull', `failed to pull image "${reference.canonical}": ${reasonOf(error)}`, { cause: error })
}

/** The innermost cause says what happened; `fetch failed` does not. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.cause instanceof AggregateError) return error.cause.errors.map(reasonOf).join('; ')
  if (error.cause instanceof Error) return reasonOf(error.cause)
  return error.message || String((error as NodeJS.ErrnoException).code ?? error.name)
}
