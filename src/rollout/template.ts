/** Pod templates of a roll: the new one made from the old one, and the name that a template's content gives. Pure. */
import { createHash } from 'node:crypto'
import type { Container, PodTemplateSpec } from '../api/types.ts'
import { RollError } from './progress.ts'

/** On templates, pods, selectors and the controllers themselves: tells the two sides of a roll apart. */
export const TEMPLATE_LABEL = 'skiff.dev/template'
/** Letters and digits that spell no words and are safe in names and labels. */
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789'
const HASH_LENGTH = 10

/** Ten characters that name what the template says, its own template label aside. */
export function templateHash(template: PodTemplateSpec | undefined): string {
  const digest = createHash('sha256')
    .update(JSON.stringify(canonical(unlabelled(template))))
    .digest()
  let text = ''
  for (let i = 0; i < HASH_LENGTH; i++) text += ALPHABET[(digest[i] ?? 0) % ALPHABET.length]
  return text
}

/** The template with the label that says which one it is. */
export function labelled(template: PodTemplateSpec, hash: string): PodTemplateSpec {
  return { ...template, metadata: { ...template.metadata, labels: { ...template.metadata?.labels, [TEMPLATE_LABEL]: hash } } }
}

/** Without the label that says which one it is. */
export function unlabelled(template: PodTemplateSpec | undefined): PodTemplateSpec {
  const { [TEMPLATE_LABEL]: _, ...labels } = template?.metadata?.labels ?? {}
  return { ...template, metadata: { ...template?.metadata, labels, creationTimestamp: undefined } }
}

function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.length > 0 ? value.map(canonical) : undefined
  if (typeof value !== 'object' || value === null) return value ?? undefined
  const source = value as Record<string, unknown>
  const target: Record<string, unknown> = {}
  for (const key of Object.keys(source).sort()) {
    const member = canonical(source[key])
    if (member !== undefined) target[key] = member
  }
  return target
}

/** The containers whose image changes, by list; `*` covers the regular containers not named. Throws RollError for a name that no container has. */
export function changedImages(
  template: PodTemplateSpec | undefined,
  images: Readonly<Record<string, string>>,
): { containers: { name: string; image: string }[]; initContainers: { name: string; image: string }[] } {
  const containers = template?.spec?.containers ?? []
  const initContainers = template?.spec?.initContainers ?? []
  const names = [...containers, ...initContainers].map(({ name }) => name)
  for (const name of Object.keys(images))
    if (name !== '*' && !names.includes(name))
      throw new RollError(`no container is named ${JSON.stringify(name)}; there is ${names.join(', ')}`)
  const changed = (list: readonly Container[], all: string | undefined) =>
    list.flatMap(({ name, image: old }) => {
      const image = images[name] ?? all
      return image !== undefined && image !== old ? [{ name, image }] : []
    })
  return { containers: changed(containers, images['*']), initContainers: changed(initContainers, undefined) }
}

/** The template with other images. */
export function withImages(template: PodTemplateSpec | undefined, images: Readonly<Record<string, string>>): PodTemplateSpec {
  const changed = changedImages(template, images)
  const replace = (list: readonly Container[], changes: { name: string; image: string }[]) =>
    list.map((container) => ({ ...container, ...changes.find(({ name }) => name === container.name) }))
  const spec = { ...template?.spec, containers: replace(template?.spec?.containers ?? [], changed.containers) }
  if (spec.initContainers) spec.initContainers = replace(spec.initContainers, changed.initContainers)
  return { ...template, spec }
}
