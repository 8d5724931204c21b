/** What a draft is: a stock PodTemplate with a label, which waits to be run. Pure. */
import type { Container, PodTemplate } from './types.ts'

export const DRAFT_LABEL = 'skiff.dev/draft'
/** Names joined by commas; `run` waits until whoever each stands for has taken it away. */
export const PENDING_ANNOTATION = 'skiff.dev/pending'
/** How long a draft stays that nobody runs: `24h`, `90m`, or `never`. */
export const EXPIRES_ANNOTATION = 'skiff.dev/expires-after'
const DEFAULT_EXPIRY_MS = 24 * 3_600_000

/** A template has at least one container: in a draft without any this stands for none. */
export const NO_CONTAINER: Container = { name: 'none', image: `skiff.dev/none@sha256:${'0'.repeat(64)}` }

export function isDraft({ metadata }: PodTemplate): boolean {
  return metadata.labels?.[DRAFT_LABEL] === 'true'
}

export function draftContainers({ template }: PodTemplate): Container[] {
  return (template?.spec?.containers ?? []).filter(({ image }) => image !== NO_CONTAINER.image)
}

export function pendingOf({ metadata }: PodTemplate): string[] {
  return (metadata.annotations?.[PENDING_ANNOTATION] ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean)
}

/** When it goes, by the server's clock; undefined for never. What is no duration counts as the default. */
export function draftExpiryMs({ metadata }: PodTemplate): number | undefined {
  const text = metadata.annotations?.[EXPIRES_ANNOTATION]
  if (text === 'never') return undefined
  return Date.parse(metadata.creationTimestamp ?? '') + (expiryOf(text) ?? DEFAULT_EXPIRY_MS)
}

const UNIT_MS: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** `24h`, `1h30m`, `7d`, as milliseconds; undefined for what is none. */
export function expiryOf(text: string | undefined): number | undefined {
  if (text === undefined || !/^(\d+[smhd])+$/.test(text)) return undefined
  return [...text.matchAll(/(\d+)([smhd])/g)].reduce((sum, [, amount, unit]) => sum + Number(amount) * UNIT_MS[unit!]!, 0)
}
