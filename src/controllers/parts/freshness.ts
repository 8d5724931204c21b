/**
 * Whether a cached object is older than what was last written: deciding on it would undo that write, or do it twice. The informer
 * brings the newer one, and the key with it. Resource versions are compared as numbers, which Kubernetes allows.
 */
import type { KubeObject } from '../../api/object.ts'

export interface Freshness {
  /** Remembers what a write answered. */
  wrote(object: KubeObject): void
  isStale(object: KubeObject): boolean
  forget(object: KubeObject): void
}

export function createFreshness(): Freshness {
  const written = new Map<string, number>()
  return {
    wrote({ metadata }) {
      const version = Number(metadata.resourceVersion)
      if (metadata.uid && Number.isFinite(version)) written.set(metadata.uid, version)
    },
    isStale({ metadata }) {
      const uid = metadata.uid ?? ''
      const version = written.get(uid)
      if (version === undefined) return false
      if (Number(metadata.resourceVersion) < version) return true
      written.delete(uid)
      return false
    },
    forget({ metadata }) {
      written.delete(metadata.uid ?? '')
    },
  }
}
