/** YAML bodies, read as kubectl's users expect: YAML 1.1 booleans and numbers, times as text, the first document counts. */
import { loadAll, Schema, timestampTag, YAML11_SCHEMA, YAMLException } from 'js-yaml'
import { DecodeError } from '../../api/schema/decode.ts'
import type { ParsedBody } from './body.ts'

const SCHEMA = new Schema(YAML11_SCHEMA.tags.filter((tag) => tag !== timestampTag))
/** References to one anchor; more are an attempt to blow up memory. */
const MAX_ALIASES = 1000
/** Values that a document may come to when each reference is written out, as it is when it is stored. */
const MAX_EXPANDED = 1_000_000
const DUPLICATE = 'duplicated mapping key'
const MAX_PROBLEMS = 100

/** Throws DecodeError. With `strict`, keys that stand twice in one mapping are reported; the last one counts. */
export function parseYamlDocument(text: string, strict: boolean): ParsedBody {
  try {
    return { value: load(text, false), duplicates: [] }
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error
    if (error.reason !== DUPLICATE)
      throw new DecodeError(`error converting YAML to JSON: yaml: ${error.message}`, { cause: error })
  }
  try {
    const duplicates = strict ? findDuplicates(text) : []
    const duplicatesError = `yaml: unmarshal errors:\n${duplicates.map((problem) => `  ${problem}`).join('\n')}`
    return { value: load(text, true), duplicates, ...(duplicates.length > 0 && { duplicatesError }) }
  } catch (error) {
    throw new DecodeError(`error converting YAML to JSON: yaml: ${(error as Error).message}`, { cause: error })
  }
}

function load(text: string, lastKeyWins: boolean): unknown {
  if (text.startsWith('\t')) throw new YAMLException('found character that cannot start any token')
  const documents = loadAll(text, { schema: SCHEMA, json: lastKeyWins, maxAliases: MAX_ALIASES })
  const document = documents.find((one) => one !== null && one !== undefined) ?? null
  // Nine references to nine references to nine …: a few lines that no memory holds.
  if (text.includes('&') && expandedSize(document, new Map()) > MAX_EXPANDED)
    throw new YAMLException('document contains excessive aliasing')
  return document
}

/** How many values there are, each reference counted as what it stands for. */
function expandedSize(value: unknown, known: Map<object, number>): number {
  if (typeof value !== 'object' || value === null) return 1
  let size = known.get(value)
  if (size !== undefined) return size
  // A value within itself never ends.
  known.set(value, Number.POSITIVE_INFINITY)
  size = 1
  for (const part of Object.values(value)) size += expandedSize(part, known)
  known.set(value, size)
  return size
}

/** Finds one duplicate at a time by blanking the line it stands on. */
function findDuplicates(text: string): string[] {
  const problems: string[] = []
  let rest = text
  while (problems.length < MAX_PROBLEMS) {
    try {
      load(rest, false)
      return problems
    } catch (error) {
      if (!(error instanceof YAMLException) || error.reason !== DUPLICATE || !error.mark) return problems
      const { position, line } = error.mark
      const key = /^\s*["']?([^"':\s]+)/.exec(rest.slice(position))?.[1] ?? ''
      problems.push(`line ${line + 1}: key ${JSON.stringify(key)} already set in map`)
      const lines = rest.split('\n')
      lines[line] = `${/^\s*/.exec(lines[line] ?? '')?.[0] ?? ''}"\\0duplicate-${problems.length}": ${'~'}`
      rest = lines.join('\n')
    }
  }
  return problems
}
