/**
 * Pod templates compared and named by what they say. A hash made here is stable for one template and one collision count; it is
 * not the hash another program would make, so templates are recognised by comparing them, never by the hash.
 */
import { createHash } from 'node:crypto'
import type { PodTemplateSpec } from '../../api/types.ts'

export const TEMPLATE_HASH_LABEL = 'pod-template-hash'
/** Letters and digits that spell no words and are safe in names and labels. */
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789'
const HASH_LENGTH = 10
/** Maps that mean the same empty and absent. */
const EMPTY_IS_ABSENT = new Set(['labels', 'annotations', 'nodeSelector', 'limits', 'requests', 'metadata'])

/** Canonical texts of templates, for as long as the objects are cached. */
const texts = new WeakMap<object, string>()

/** Whether two templates say the same, the hash label aside. */
export function sameTemplate(a: PodTemplateSpec | undefined, b: PodTemplateSpec | undefined): boolean {
  return templateText(a) === templateText(b)
}

/** Ten characters of a safe alphabet that name the template. */
export function templateHash(template: PodTemplateSpec | undefined, collisionCount = 0): string {
  const text = templateText(template) + (collisionCount > 0 ? `\n${collisionCount}` : '')
  return safeHash(text)
}

/** A short name of any text, in the safe alphabet. */
export function safeHash(text: string): string {
  const digest = createHash('sha256').update(text).digest()
  let name = ''
  for (let i = 0; i < HASH_LENGTH; i++) name += ALPHABET[(digest[i] ?? 0) % ALPHABET.length]
  return name
}

/** JSON with sorted keys, without what means the same as being absent, and without the hash label. */
function templateText(template: PodTemplateSpec | undefined): string {
  if (!template) return ''
  let text = texts.get(template)
  if (text === undefined) {
    const { [TEMPLATE_HASH_LABEL]: _, ...labels } = template.metadata?.labels ?? {}
    text = canonicalText({ ...template, metadata: { ...template.metadata, labels, creationTimestamp: undefined } })
    texts.set(template, text)
  }
  return text
}

/** One text for all ways to say the same: sorted keys, no nulls, no empty lists, no empty maps of the kinds that may be absent. */
export function canonicalText(value: unknown): string {
  return JSON.stringify(canonical(value)) ?? ''
}

function canonical(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(canonical)
  const source = value as Record<string, unknown>
  const target: Record<string, unknown> = {}
  for (const key of Object.keys(source).sort()) {
    const member = canonical(source[key])
    if (member === undefined || member === null) continue
    if (Array.isArray(member) && member.length === 0) continue
    if (EMPTY_IS_ABSENT.has(key) && typeof member === 'object' && Object.keys(member).length === 0) continue
    target[key] = member
  }
  return target
}
