/**
 * Pulls one image from its registry into a staging directory: the manifest for this machine, its config and those layers
 * that are not here yet, each checked against its digest. Knows nothing of names that are stored, and keeps nothing between
 * pulls.
 */
import type { RegistryCredential } from '../../registry/credentials.ts'
import { dockerCredentials } from '../../registry/docker-config.ts'
import { type Descriptor, hostPlatform } from '../../registry/documents.ts'
import { innermost } from '../../registry/errors.ts'
import { fetchForPlatform, fetchNamed, withSession } from '../../registry/manifests.ts'
import type { ImageReference } from '../../registry/reference.ts'
import type { Session } from '../../registry/session.ts'
import { RuntimeError } from '../runtime/runtime.ts'
import type { Staging } from './blobs.ts'

export interface PulledImage {
  manifest: string
  config: string
  /** What the reference named: the index where there is one, else the manifest. */
  digest: string
}

export interface PullSources {
  /** The pod's; those of Docker's own file follow them, as on a kubelet's node. */
  credentials?: readonly RegistryCredential[]
  env: NodeJS.ProcessEnv
  signal?: AbortSignal
}

const PARALLEL_LAYERS = 3
/** A layer may come slowly, but not with longer pauses. */
const PATIENCE_MS = 60_000

/** Throws RuntimeError `ErrImagePull`, or the signal's reason once it has aborted. */
export async function pullImage(staging: Staging, reference: ImageReference, sources: PullSources): Promise<PulledImage> {
  const { signal, env } = sources
  const own = await dockerCredentials(reference, env)
  const credentials = [...(sources.credentials ?? []), ...own.credentials]
  try {
    return await withSession(reference, { credentials, signal, patienceMs: PATIENCE_MS }, (session) =>
      pullWith(staging, reference, session),
    )
  } catch (error) {
    signal?.throwIfAborted()
    const said = [innermost(error), ...own.complaints].join('; ')
    throw new RuntimeError('ErrImagePull', `failed to pull image "${reference.canonical}": ${said}`, { cause: error })
  }
}

/** An index is not stored: only what this machine runs is. */
async function pullWith(staging: Staging, reference: ImageReference, session: Session): Promise<PulledImage> {
  const named = await fetchNamed(session, reference)
  const { digest, bytes, document: manifest } = await fetchForPlatform(session, named, hostPlatform())
  for (const { mediaType, digest: layer } of manifest.layers)
    if (mediaType.includes('zstd')) throw new Error(`layer ${layer} is compressed with zstd, which is not supported`)
  await staging.add(bytes, { digest })
  const missing = [manifest.config, ...manifest.layers]
  const fetchNext = async (): Promise<void> => {
    for (let entry = missing.shift(); entry !== undefined; entry = missing.shift()) await fetchBlob(staging, session, entry)
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

async function fetchBlob(staging: Staging, session: Session, { digest, size }: Descriptor): Promise<void> {
  if (await staging.keep(digest)) return
  const { body } = await session.get(`blobs/${digest}`)
  await staging.add(body, { digest, size })
}
