/**
 * Digests of tags, asked of registries on behalf of many callers who must not wait long: an answer is good for a while, a
 * question is asked once for all who have it, and a registry that does not answer is not asked again at once.
 */
import { createHash } from 'node:crypto'
import type { Clock } from '../base/clock.ts'
import { matchingCredentials, type RegistryCredential } from './credentials.ts'
import { RegistryError } from './errors.ts'
import { resolveDigest } from './manifests.ts'
import type { ImageReference } from './reference.ts'

export interface CachedDigests {
  /** Throws RegistryError, at the latest after the deadline. */
  resolve(reference: ImageReference, credentials: readonly RegistryCredential[]): Promise<string>
}

/** A burst of pods asks once, and a tag that was moved is seen soon. */
const GOOD_FOR_MS = 15_000
/** What failed is asked again after this. */
const BAD_FOR_MS = 5_000
const DEADLINE_MS = 5_000
const MAX_ENTRIES = 1_000
const MAX_QUESTIONS = 100

interface Entry {
  answer: Promise<string>
  /** Undefined while the question is out. */
  untilMs: number | undefined
}

export interface CachedDigestsOptions {
  clock: Clock
  deadlineMs?: number
}

export function createCachedDigests({ clock, deadlineMs = DEADLINE_MS }: CachedDigestsOptions): CachedDigests {
  const entries = new Map<string, Entry>()
  /** Registries that did not answer, and until when they are left alone. */
  const silent = new Map<string, { untilMs: number; error: RegistryError }>()
  let questions = 0

  async function ask(reference: ImageReference, credentials: readonly RegistryCredential[]): Promise<string> {
    const ending = new AbortController()
    const late = new RegistryError('TimedOut', `${reference.registry} did not answer within ${deadlineMs / 1000} s`)
    const disarm = clock.after(deadlineMs, () => ending.abort(late), { unref: true })
    questions += 1
    try {
      return await resolveDigest(reference, { credentials, clock, patienceMs: deadlineMs, signal: ending.signal })
    } catch (error) {
      if (error instanceof RegistryError && (error.reason === 'TimedOut' || error.reason === 'Unreachable'))
        leaveAlone(reference.registry, error)
      throw error
    } finally {
      questions -= 1
      disarm()
    }
  }

  function leaveAlone(registry: string, error: RegistryError): void {
    silent.delete(registry)
    silent.set(registry, { untilMs: clock.monotonic() + BAD_FOR_MS, error })
    if (silent.size > MAX_ENTRIES) silent.delete(silent.keys().next().value!)
  }

  return {
    resolve(reference, credentials) {
      const nowMs = clock.monotonic()
      const key = keyOf(reference, credentials)
      const known = entries.get(key)
      if (known && (known.untilMs === undefined || known.untilMs > nowMs)) return known.answer
      const quiet = silent.get(reference.registry)
      if (quiet && quiet.untilMs > nowMs) return Promise.reject(quiet.error)
      silent.delete(reference.registry)
      if (questions >= MAX_QUESTIONS)
        return Promise.reject(new RegistryError('TimedOut', `${MAX_QUESTIONS} questions to registries are waiting already`))
      const entry: Entry = { answer: ask(reference, credentials), untilMs: undefined }
      const settle = (goodForMs: number) => () => {
        entry.untilMs = clock.monotonic() + goodForMs
      }
      entry.answer.then(settle(GOOD_FOR_MS), settle(BAD_FOR_MS))
      // The oldest goes first.
      entries.delete(key)
      entries.set(key, entry)
      if (entries.size > MAX_ENTRIES) entries.delete(entries.keys().next().value!)
      return entry.answer
    },
  }
}

/** Who asks with other credentials may get another answer. */
function keyOf(reference: ImageReference, credentials: readonly RegistryCredential[]): string {
  const own = matchingCredentials(reference, credentials)
  if (own.length === 0) return reference.canonical
  return `${reference.canonical} ${createHash('sha256').update(JSON.stringify(own)).digest('hex')}`
}
