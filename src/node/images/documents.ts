/**
 * The JSON documents of an image (OCI image specification 1.1; Docker's schema 2 has the same shape) and what is read
 * out of them. Pure.
 */
import type { ImageConfig } from '../runtime/runtime.ts'

export const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
export const INDEX = 'application/vnd.oci.image.index.v1+json'
export const CONFIG = 'application/vnd.oci.image.config.v1+json'
export const LAYER = 'application/vnd.oci.image.layer.v1.tar'
export const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json'
export const DOCKER_INDEX = 'application/vnd.docker.distribution.manifest.list.v2+json'

/** The label of an image whose layers stack on the host's own root file system. */
export const BASE_LABEL = 'dev.skiff.base'

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

export interface ConfigDocument {
  created?: string
  architecture?: string
  os?: string
  config?: {
    User?: string
    ExposedPorts?: Record<string, object>
    Env?: string[]
    Entrypoint?: string[] | null
    Cmd?: string[] | null
    Volumes?: Record<string, object> | null
    WorkingDir?: string
    Labels?: Record<string, string> | null
    StopSignal?: string
  }
  rootfs: { type: 'layers'; diff_ids: string[] }
  history?: { created?: string; created_by?: string; empty_layer?: boolean }[]
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

export function readConfig(document: ConfigDocument): ImageConfig {
  const config = document.config ?? {}
  return {
    ...(config.User ? { user: config.User } : {}),
    env: config.Env ?? [],
    entrypoint: config.Entrypoint ?? [],
    cmd: config.Cmd ?? [],
    workingDir: config.WorkingDir ?? '',
    ...(config.StopSignal ? { stopSignal: config.StopSignal } : {}),
    labels: config.Labels ?? {},
    exposedPorts: Object.keys(config.ExposedPorts ?? {}),
    volumes: Object.keys(config.Volumes ?? {}),
  }
}
