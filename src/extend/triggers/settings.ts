/** The annotation with a workload's image triggers, read and checked strictly. Pure. */
import { parseReference } from '../../registry/reference.ts'
import { parseRange, type Range } from './semver.ts'

export const IMAGE_TRIGGERS = 'skiff.dev/image-triggers'
/** `true` on the workload stops all its triggers. */
export const PAUSED = 'skiff.dev/image-triggers-paused'

/** Which image of a repository is wanted. */
export type Policy =
  /** What this tag means. */
  | { kind: 'tag'; tag: string }
  | { kind: 'semver'; text: string; range: Range }
  /** The last of those tags that fit `before*after`, by what stands for the asterisk. */
  | { kind: 'newest'; before: string; after: string; by: 'number' | 'name' }

export interface ImageTrigger {
  /** Absent: the only one. */
  container: string | undefined
  /** Absent: the repository of the image that the container has. */
  image: string | undefined
  policy: Policy
  /** Where images are looked for: at the image's registry, or among those that lie on nodes. */
  from: 'registry' | 'nodes'
  everyMs: number
  paused: boolean
}

/** How often a registry is asked, unless the trigger says something else, and the most often that it may say. */
const EVERY_MS = 60_000
const MIN_EVERY_MS = 5_000
const MAX_TRIGGERS = 20

const FIELDS = ['container', 'image', 'tag', 'semver', 'newest', 'by', 'from', 'every', 'paused']
const POLICIES = ['tag', 'semver', 'newest'] as const

type Fields = Record<string, unknown>

/** `document`: the annotation, read as YAML. Throws an Error with one line that says which part is wrong. */
export function readImageTriggers(document: unknown): ImageTrigger[] {
  if (!Array.isArray(document)) throw new Error('a list of triggers is expected')
  if (document.length > MAX_TRIGGERS) throw new Error(`at most ${MAX_TRIGGERS} triggers are allowed`)
  const triggers = document.map((entry, i) => {
    try {
      return readTrigger(entry)
    } catch (error) {
      throw new Error(`[${i}]: ${(error as Error).message}`, { cause: error })
    }
  })
  const names = triggers.map(({ container }) => container)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (names.length !== new Set(names).size) throw new Error(`${twice ?? 'a trigger without container'} stands twice`)
  if (names.length > 1 && names.includes(undefined)) throw new Error('with several triggers each names its container')
  return triggers
}

function readTrigger(entry: unknown): ImageTrigger {
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) throw new Error('a mapping is expected')
  const fields = entry as Fields
  const unknown = Object.keys(fields).find((key) => !FIELDS.includes(key))
  if (unknown !== undefined) throw new Error(`${unknown}: no such field; there are ${FIELDS.join(', ')}`)
  const image = text(fields, 'image')
  if (image !== undefined) {
    const { digest } = parseReference(image)
    if (digest !== undefined || image.lastIndexOf(':') > image.lastIndexOf('/'))
      throw new Error(`image: a repository is expected, without tag or digest, not ${JSON.stringify(image)}`)
  }
  return {
    ...{ container: text(fields, 'container'), image, policy: policyOf(fields) },
    from: oneOf(fields, 'from', ['registry', 'nodes']) ?? 'registry',
    everyMs: everyOf(text(fields, 'every')),
    paused: flag(fields, 'paused'),
  }
}

function policyOf(fields: Fields): Policy {
  const [kind, ...more] = POLICIES.filter((name) => fields[name] !== undefined)
  if (kind === undefined || more.length > 0) throw new Error(`one of ${POLICIES.join(', ')} is needed, and only one`)
  if (fields.by !== undefined && kind !== 'newest') throw new Error('by: goes with newest only')
  const written = text(fields, kind) ?? ''
  switch (kind) {
    case 'tag':
      if (!/^\w[\w.-]{0,127}$/.test(written)) throw new Error(`tag: ${JSON.stringify(written)} is no tag`)
      return { kind, tag: written }
    case 'semver':
      return { kind, text: written, range: parseRange(written) }
    case 'newest': {
      const [before = '', after, ...others] = written.split('*')
      if (after === undefined || others.length > 0)
        throw new Error(`newest: one asterisk is needed for what is compared, as in "main-*", not ${JSON.stringify(written)}`)
      return { kind, before, after, by: oneOf(fields, 'by', ['number', 'name']) ?? 'number' }
    }
  }
}

function text(fields: Fields, key: string): string | undefined {
  const value = fields[key]
  if (value === undefined) return undefined
  if (typeof value !== 'string') throw new Error(`${key}: a text is expected; put ${JSON.stringify(value)} in quotes`)
  if (value === '') throw new Error(`${key}: is empty`)
  return value
}

function oneOf<T extends string>(fields: Fields, key: string, choices: readonly T[]): T | undefined {
  const value = text(fields, key)
  if (value === undefined) return undefined
  const choice = choices.find((known) => known === value)
  if (choice === undefined) throw new Error(`${key}: ${JSON.stringify(value)} is none of ${choices.join(', ')}`)
  return choice
}

function flag(fields: Fields, key: string): boolean {
  const value = fields[key] ?? false
  if (typeof value !== 'boolean') throw new Error(`${key}: true or false is expected, not ${JSON.stringify(value)}`)
  return value
}

function everyOf(written: string | undefined): number {
  if (written === undefined) return EVERY_MS
  const [, count = '', unit = ''] = /^(\d{1,6})(s|m|h)$/.exec(written) ?? []
  if (unit === '') throw new Error(`every: a duration such as 30s, 5m or 1h is expected, not ${JSON.stringify(written)}`)
  const everyMs = Number(count) * { s: 1_000, m: 60_000, h: 3_600_000 }[unit as 's' | 'm' | 'h']
  if (everyMs < MIN_EVERY_MS) throw new Error(`every: at least ${MIN_EVERY_MS / 1000}s, not ${written}`)
  return everyMs
}
