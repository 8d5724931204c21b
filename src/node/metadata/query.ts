/** What a request to the metadata tree asks for, by GCE's rules. Strict: what it cannot mean is refused by name. Pure. */
import { normalSegment } from './value.ts'

export interface Query {
  /** Below the root, in the spelling of listings. */
  segments: readonly string[]
  /** The path ended with a slash: a directory is meant. */
  directory: boolean
  recursive: boolean
  alt: 'json' | 'text' | undefined
  wait: boolean
  /** What the reader has seen; `undefined` waits for the next change, whatever it was. */
  lastEtag: string | undefined
  /** How long to wait; `undefined` is as long as the connection lives. */
  timeoutMs: number | undefined
}

export class BadQuery extends Error {
  override name = 'BadQuery'
}

const KNOWN = ['recursive', 'alt', 'wait_for_change', 'last_etag', 'timeout_sec']
/** A timer's limit, about 24 days. */
const MAX_TIMEOUT_SECONDS = 2_147_483

/** `path` is what follows the root, without its first slash. Throws BadQuery. */
export function parseQuery(path: string, parameters: URLSearchParams): Query {
  for (const name of parameters.keys())
    if (!KNOWN.includes(name)) throw new BadQuery(`unknown parameter ${JSON.stringify(name)}; there are ${KNOWN.join(', ')}`)
  const alt = parameters.get('alt') ?? undefined
  if (alt !== undefined && alt !== 'json' && alt !== 'text') throw new BadQuery(`alt is json or text, not ${JSON.stringify(alt)}`)
  return {
    segments: segmentsOf(path),
    directory: path === '' || path.endsWith('/'),
    recursive: flag(parameters, 'recursive'),
    alt,
    wait: flag(parameters, 'wait_for_change'),
    lastEtag: parameters.get('last_etag') ?? undefined,
    timeoutMs: timeout(parameters.get('timeout_sec')),
  }
}

function segmentsOf(path: string): string[] {
  try {
    return path.split('/').filter(Boolean).map(normalSegment)
  } catch (cause) {
    throw new BadQuery(`the path holds a broken escape: ${path}`, { cause })
  }
}

function flag(parameters: URLSearchParams, name: string): boolean {
  const value = parameters.get(name)?.toLowerCase()
  if (value === undefined || value === 'false') return false
  if (value === 'true') return true
  throw new BadQuery(`${name} is true or false, not ${JSON.stringify(value)}`)
}

function timeout(text: string | null): number | undefined {
  if (text === null) return undefined
  const seconds = Number(text)
  if (!/^\d+$/.test(text) || seconds > MAX_TIMEOUT_SECONDS)
    throw new BadQuery(`timeout_sec is a number of seconds up to ${MAX_TIMEOUT_SECONDS}, not ${JSON.stringify(text)}`)
  return seconds * 1000
}
