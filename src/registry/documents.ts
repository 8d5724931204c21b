/**
 * The JSON documents by which a registry names an image (OCI image specification 1.1; Docker's schema 2 has the same shape).
 * Pure.
 */
export const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
export const INDEX = 'application/vnd.oci.image.index.v1+json'
export const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json'
export const DOCKER_INDEX = 'application/vnd.docker.distribution.manifest.list.v2+json'

export interface Descriptor {
  mediaType: string
  digest: string
  size: number
  annotations?: Record<string, string>
  platform?: { os: string; architecture: string; variant?: string }
}

export interface Manifest {
  schemaVersion: 2
  mediaType?: string
  config: Descriptor
  layers: Descriptor[]
}

export interface Index {
  schemaVersion: 2
  mediaType?: string
  manifests: Descriptor[]
}

export interface Platform {
  os: string
  architecture: string
}

/** Container images are Linux's, whatever the host is. */
export function hostPlatform(arch: string = process.arch): Platform {
  const names: Record<string, string> = { x64: 'amd64', ia32: '386' }
  return { os: 'linux', architecture: names[arch] ?? arch }
}

export function isIndex(document: unknown): document is Index {
  return Array.isArray((document as Partial<Index> | null)?.manifests)
}

export function isManifest(document: unknown): document is Manifest {
  const manifest = document as Partial<Manifest> | null
  return typeof manifest?.config?.digest === 'string' && Array.isArray(manifest.layers)
}

/** The entry for `platform`; an entry that names no platform fits all. */
export function choosePlatform(index: Index, platform: Platform): Descriptor | undefined {
  const fits = (entry: Descriptor) => entry.platform?.os === platform.os && entry.platform.architecture === platform.architecture
  return index.manifests.find(fits) ?? index.manifests.find((entry) => entry.platform === undefined)
}
