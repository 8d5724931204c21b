/** The config document of an image (OCI image specification 1.1), and what is read out of it. Pure. */
import type { ImageConfig } from '../runtime/runtime.ts'

export const CONFIG = 'application/vnd.oci.image.config.v1+json'
export const LAYER = 'application/vnd.oci.image.layer.v1.tar'

/** The label of an image whose layers stack on the host's own root file system. */
export const BASE_LABEL = 'dev.skiff.base'

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
