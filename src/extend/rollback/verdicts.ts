/**
 * What has been learnt about the templates of a Deployment, kept in its annotations: which one proved itself last, and which
 * failed. Image triggers read it too, as they must not pick again what failed. Pure.
 */
import type { Deployment, PodTemplateSpec } from '../../api/types.ts'

/** The pod-template-hash of the last template that proved itself. */
export const LAST_GOOD = 'skiff.dev/last-good-template'
/** A JSON list, the latest first. */
export const BAD_TEMPLATES = 'skiff.dev/bad-templates'
/** Older ones are forgotten. */
const MAX_BAD = 10

export interface BadTemplate {
  /** Its pod-template-hash. */
  hash: string
  revision: string
  /** By container. */
  images: Record<string, string>
  /** The containers whose images the template returned to does not have: these are under suspicion. */
  changed: string[]
  reason: string
  message: string
  /** RFC 3339. */
  at: string
  /** The hash of what was returned to. */
  returnedTo: string
}

/** What somebody else wrote there is as good as nothing: it cannot be trusted to be complete. */
export function badTemplates({ metadata }: Pick<Deployment, 'metadata'>): BadTemplate[] {
  const text = metadata.annotations?.[BAD_TEMPLATES]
  if (!text) return []
  try {
    const list = JSON.parse(text) as BadTemplate[]
    return Array.isArray(list) ? list.filter((entry) => typeof entry?.hash === 'string') : []
  } catch {
    return []
  }
}

export function withBad(known: readonly BadTemplate[], bad: BadTemplate): string {
  return JSON.stringify([bad, ...known.filter(({ hash }) => hash !== bad.hash)].slice(0, MAX_BAD))
}

/** Whether a template failed that had brought this content into the container. */
export function isBadDigest(known: readonly BadTemplate[], container: string, digest: string): boolean {
  return known.some(({ images, changed }) => changed?.includes(container) && images?.[container]?.endsWith(`@${digest}`))
}

export function imagesOf(template: PodTemplateSpec | undefined): Record<string, string> {
  const { initContainers = [], containers = [] } = template?.spec ?? {}
  return Object.fromEntries([...initContainers, ...containers].map(({ name, image }) => [name, image ?? '']))
}
