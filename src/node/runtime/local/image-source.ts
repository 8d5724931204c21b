/** What the runtime needs of an image store. */
import type { RegistryCredential } from '../../../registry/credentials.ts'
import type { ImageState, RuntimeInventory } from '../runtime.ts'

export interface ImageSource {
  /** The image of that name, or undefined where it is absent. Throws when the name is none. */
  resolve(reference: string): ImageState | undefined | Promise<ImageState | undefined>
  /** Unpacked layers, the topmost first; `hostBase` when they stack on the host's own files. */
  layers(imageId: string): ImageLayers | Promise<ImageLayers>
  pull(reference: string, options: PullOptions): Promise<ImageState>
  readonly inventory?: RuntimeInventory
}

export interface ImageLayers {
  directories: string[]
  hostBase: boolean
}

export interface PullOptions {
  policy: 'Always' | 'IfNotPresent' | 'Never'
  credentials?: readonly RegistryCredential[]
  signal?: AbortSignal
}
