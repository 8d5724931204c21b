/**
 * From `web:v1` to `web:v1@sha256:…`: the registry is asked, and the images on the nodes are looked at. A short name
 * (`web:v1`) is looked for on the nodes first, for there is where an image lies that was built on this machine; a name with
 * its registry, and one whose policy is to pull always, is asked of the registry first. Never guesses.
 */
import type { Node } from '../api/types.ts'
import { RegistryError } from './errors.ts'
import { digestOnNodes } from './node-images.ts'
import { type ImageReference, namesRegistry, parseReference, pinned } from './reference.ts'

export interface DigestSources {
  nodes(): Promise<readonly Node[]>
  /** Throws RegistryError. */
  registry(reference: ImageReference): Promise<string>
}

export interface PinnedImage {
  /** With its digest. */
  image: string
  digest: string
  from: 'nodes' | 'registry'
}

/** `pullPolicy` as the container has it; absent, it is the one Kubernetes would give. Throws RegistryError with every reason. */
export async function pinImage(image: string, pullPolicy: string | undefined, sources: DigestSources): Promise<PinnedImage> {
  const reference = parseReference(image)
  const isLocalFirst = !namesRegistry(image) && (pullPolicy ?? usualPolicy(reference)) !== 'Always'
  const reasons: string[] = []
  const found = (digest: string, from: PinnedImage['from']) => ({ image: pinned(image, digest), digest, from })
  let failure: RegistryError | undefined
  const lookOnNodes = async () => {
    const { digest, why } = digestOnNodes(await sources.nodes(), reference)
    if (why) reasons.push(why)
    return digest
  }
  if (isLocalFirst) {
    const digest = await lookOnNodes()
    if (digest !== undefined) return found(digest, 'nodes')
  }
  try {
    return found(await sources.registry(reference), 'registry')
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error
    failure = error
    reasons.push(error.message)
  }
  // A registry that does not tell the truth is not to be passed over.
  if (!isLocalFirst && failure.reason !== 'Mismatch') {
    const digest = await lookOnNodes()
    if (digest !== undefined) return found(digest, 'nodes')
  }
  throw new RegistryError(failure.reason, reasons.join('; '), { cause: failure })
}

function usualPolicy({ tag }: ImageReference): string {
  return tag === 'latest' ? 'Always' : 'IfNotPresent'
}
