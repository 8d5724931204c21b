/**
 * The stock form of a field path: an annotation `skiff.dev/field.KEY` that holds the value, references to it, and one annotation
 * that says which path each key stands for. Pods have all three, pod templates no values.
 */
import { createHash } from 'node:crypto'
import { parseFieldSource } from './parse.ts'
import { FieldPathError, type FieldSource } from './source.ts'
import type { Use } from './stock.ts'

export const FIELD_PREFIX = 'skiff.dev/field.'
/** A line `KEY PATH` for each key, in the order of the keys. */
export const SOURCES_ANNOTATION = 'skiff.dev/field-sources'
/** Generated variables, which `$(pod:…)` and its like are written as. */
export const VARIABLE_PREFIX = 'SKIFF_FIELD_'
/** Holds a pod back that has paths without a value. */
export const FIELDS_GATE = 'skiff.dev/fields'
/** Keys of values that follow their source; the others stay what they were when the pod was bound. */
const LIVE = 'live.'

/** Different paths of one pod or template. */
export const MAX_SOURCES = 100
/** What is left of a path in a key, for people; the hash tells keys apart. */
const MAX_SLUG = 36
const HASH_DIGITS = 8

/** The key of a path for an environment variable, or for a file, which follows. The same text has the same key everywhere. */
export function keyOfSource({ text }: Pick<FieldSource, 'text'>, use: Use): string {
  const live = use === 'file' ? LIVE : ''
  const slug = slugOf(text, '.', MAX_SLUG)
  return `${live}${slug}-${hashOf(text)}`
}

export function isLive(key: string): boolean {
  return key.startsWith(LIVE)
}

export function annotationOf(key: string): string {
  return FIELD_PREFIX + key
}

export function referenceTo(key: string): string {
  return `metadata.annotations['${annotationOf(key)}']`
}

const REFERENCE = /^metadata\.annotations\['skiff\.dev\/field\.([^']*)'\]$/

/** The key that a stock path refers to, when it is such a reference. */
export function keyOfReference(fieldPath: string): string | undefined {
  return REFERENCE.exec(fieldPath)?.[1]
}

export function variableOf({ text }: Pick<FieldSource, 'text'>): string {
  return `${VARIABLE_PREFIX}${slugOf(text, '_', MAX_SLUG)}_${hashOf(text)}`
}

function slugOf(text: string, joint: string, length: number): string {
  const slug = text
    .replaceAll(/\?\?.*$/g, '')
    .replaceAll(/[^A-Za-z0-9]+/g, joint)
    .slice(-length)
  const trimmed = slug.replaceAll(/^[._]+|[._]+$/g, '')
  return trimmed || 'path'
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, HASH_DIGITS)
}

export function writeSources(sources: ReadonlyMap<string, FieldSource>): string {
  return [...sources.keys()]
    .sort()
    .map((key) => `${key} ${sources.get(key)!.text}`)
    .join('\n')
}

/** The text of each key's path, unread. */
export function sourceTexts(annotations: Readonly<Record<string, string>> | undefined): Map<string, string> {
  const texts = new Map<string, string>()
  for (const line of annotations?.[SOURCES_ANNOTATION]?.split('\n') ?? []) {
    const space = line.indexOf(' ')
    if (space > 0) texts.set(line.slice(0, space), line.slice(space + 1).trim())
  }
  return texts
}

/** The paths of a pod that has been admitted. A line that is none was written where nobody compiles paths, and says nothing. */
export function readSources(annotations: Readonly<Record<string, string>> | undefined): Map<string, FieldSource> {
  const sources = new Map<string, FieldSource>()
  for (const [key, text] of sourceTexts(annotations)) {
    try {
      sources.set(key, parseFieldSource(text))
    } catch (error) {
      if (!(error instanceof FieldPathError)) throw error
    }
  }
  return sources
}
