/**
 * Images in the simulation: every well-formed name is there and has a digest of its own, except those of registries below
 * `.invalid`, the domain that never exists (RFC 2606).
 */
import { createHash } from 'node:crypto'
import { type ImageState, RuntimeError } from '../runtime.ts'

const REFERENCE =
  /^(?:([a-zA-Z0-9.-]+(?::\d+)?)\/)?([a-z0-9]+(?:[._/-]+[a-z0-9]+)*)(?::([\w][\w.-]{0,127}))?(?:@(sha256:[0-9a-f]{64}))?$/

export function simulatedImage(image: string, policy: 'Always' | 'IfNotPresent' | 'Never'): ImageState {
  const match = REFERENCE.exec(image)
  if (!match) {
    throw new RuntimeError(
      'InvalidImageName',
      `Failed to apply default image tag "${image}": couldn't parse image name "${image}": invalid reference format`,
    )
  }
  const registry = /[.:]/.test(match[1] ?? '') || match[1] === 'localhost' ? (match[1] ?? '') : ''
  if (/\.invalid(:\d+)?$/.test(registry)) throw absent(image, registry, policy)
  const repository = image.replace(/@.*$/, '').replace(/:[\w][\w.-]*$/, '')
  const tag = match[3] ?? 'latest'
  const name = registry ? repository : `docker.io/${repository.includes('/') ? '' : 'library/'}${repository}`
  const hex = createHash('sha256').update(`${name}:${tag}`).digest('hex')
  return {
    id: `sha256:${hex}`,
    digest: `${name}@${match[4] ?? `sha256:${hex}`}`,
    tags: [`${name}:${tag}`],
    sizeBytes: 1_000_000 + (Number.parseInt(hex.slice(0, 8), 16) % 100_000_000),
    config: { env: [], entrypoint: [], cmd: [], workingDir: '/', labels: {}, exposedPorts: [], volumes: [] },
  }
}

function absent(image: string, registry: string, policy: string): RuntimeError {
  if (policy === 'Never') {
    return new RuntimeError('ErrImageNeverPull', `Container image "${image}" is not present with pull policy of Never`)
  }
  const host = registry.replace(/:\d+$/, '')
  return new RuntimeError('ErrImagePull', `failed to resolve image "${image}": lookup ${host}: no such host`)
}
