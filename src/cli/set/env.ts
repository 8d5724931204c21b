/** `skiff set env`: `NAME=VALUE` sets, `NAME-` removes; `--from` refers to the keys of a config map or secret. */
import type { EnvVar, PodTemplateSpec } from '../../api/types.ts'
import { CommandError } from '../io.ts'
import { chosenContainers } from './containers.ts'
import type { TemplateChange } from './set.ts'

export interface EnvChange {
  /** `NAME=VALUE` and `NAME-`. */
  words: readonly string[]
  /** Variables that refer to elsewhere, ready to be set. */
  references: readonly EnvVar[]
  container?: string | undefined
}

export function isEnvWord(word: string): boolean {
  return word.includes('=') || word.endsWith('-')
}

/** Throws CommandError for a name that is set and removed, or is none. */
export function envChange({ words, references, container }: EnvChange): TemplateChange {
  const set = new Map<string, EnvVar>(references.map((one) => [one.name ?? '', one]))
  const removed = new Set<string>()
  for (const word of words) {
    const at = word.indexOf('=')
    const name = at < 0 ? word.slice(0, -1) : word.slice(0, at)
    if (name === '' || /[\s=]/.test(name)) throw new CommandError(`${JSON.stringify(word)} is no NAME=VALUE and no NAME-`)
    if (at < 0) removed.add(name)
    else set.set(name, { name, value: word.slice(at + 1) })
  }
  const both = [...removed].find((name) => set.has(name))
  if (both !== undefined) throw new CommandError(`${both} cannot be set and removed at once`)
  if (set.size === 0 && removed.size === 0) throw new CommandError('which variables? Give NAME=VALUE, NAME- or --from')
  return {
    what: 'env',
    apply(template, handle) {
      for (const one of chosenContainers(template, container, handle)) {
        const kept = (one.env ?? []).filter(({ name = '' }) => !removed.has(name)).map((old) => set.get(old.name ?? '') ?? old)
        const known = new Set(kept.map(({ name }) => name))
        const env = [...kept, ...[...set.values()].filter(({ name }) => !known.has(name))]
        if (env.length > 0) one.env = env
        else delete one.env
      }
    },
  }
}

/** Lines as a shell could read them; what comes from elsewhere is said in a comment. */
export function envLines(template: PodTemplateSpec, container: string | undefined, handle: string): string[] {
  return chosenContainers(template, container, handle).flatMap(({ name, env = [] }) => [
    `# ${handle}, container ${name}`,
    ...env.map((one) => (one.valueFrom ? `# ${one.name} from ${sourceOf(one)}` : `${one.name}=${one.value ?? ''}`)),
  ])
}

function sourceOf({ valueFrom = {} }: EnvVar): string {
  const { configMapKeyRef, secretKeyRef, fieldRef, resourceFieldRef } = valueFrom
  if (configMapKeyRef) return `configmap/${configMapKeyRef.name}, key ${configMapKeyRef.key}`
  if (secretKeyRef) return `secret/${secretKeyRef.name}, key ${secretKeyRef.key}`
  if (fieldRef) return `field ${fieldRef.fieldPath}`
  return `resource ${resourceFieldRef?.resource ?? ''}`
}
