/** Reads a container's log files: from the beginning or the last lines, across rotated files, and on as they grow. */
import { type FSWatcher, watch } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { LogOptions } from '../../api/streams.ts'
import { type Clock, delay } from '../../base/clock.ts'
import { MAX_LOG_FILES, rotatedName } from '../runtime/log-writer.ts'
import { createLogFilter, type LogFilter } from './filter.ts'
import { parseLine } from './line.ts'
import { readAt, tailOffset } from './tail.ts'

const BLOCK_BYTES = 64 * 1024
const NEWLINE = 0x0a
/** A follower looks this often even when the system told it nothing. */
const POLL_MS = 500

export interface LogSource {
  path: string
  /** Whether the container may still write. Asked when the end of the log is reached. */
  isLive(): boolean
  /** Calls back when `isLive` may have changed; returns the unsubscriber. */
  onChange(listener: () => void): () => void
}

export async function* readLog(
  source: LogSource,
  options: LogOptions,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const filter = createLogFilter(options, clock.now())
  let place: Place | undefined
  const watcher = options.follow ? createWatcher(source, clock, signal) : undefined
  // What a container wrote before it ended is there when it is seen to have ended: one more look is the last.
  let last = false
  try {
    while (!signal.aborted) {
      place ??= await findStart(source.path, options.tailLines, filter)
      if (place) {
        yield* readToEnd(place, filter, signal)
        if (filter.full) return
        const next: Place | undefined = await following(place, source.path)
        if (next) {
          place = next
          continue
        }
      }
      if (!watcher || last) return
      if (!source.isLive()) last = true
      else if (!place || !(await grown(place))) await watcher.wait()
    }
  } finally {
    watcher?.close()
    await place?.file.close()
  }
}

/** A file that is being read, how far, and the beginning of a line whose end has not come. */
interface Place {
  file: FileHandle
  inode: bigint
  offset: number
  rest: Buffer
}

async function openPlace(path: string): Promise<Place | undefined> {
  try {
    const file = await open(path, 'r')
    return { file, inode: (await file.stat({ bigint: true })).ino, offset: 0, rest: Buffer.alloc(0) }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Where reading begins: the oldest file, or as many lines before the end of the newest as are asked for. */
async function findStart(path: string, tailLines: number | undefined, filter: LogFilter): Promise<Place | undefined> {
  let left = tailLines ?? Number.POSITIVE_INFINITY
  let place: Place | undefined
  for (let age = 0; age < MAX_LOG_FILES; age += 1) {
    const older = await openPlace(age === 0 ? path : rotatedName(path, age))
    if (!older) {
      if (age === 0) continue
      break
    }
    await place?.file.close()
    place = older
    if (tailLines === undefined) continue
    const { size } = await older.file.stat()
    const { offset, found } = await tailOffset(older.file, size, left, filter.wants)
    older.offset = offset
    left -= found
    if (offset > 0 || left <= 0) break
  }
  return place
}

async function* readToEnd(place: Place, filter: LogFilter, signal: AbortSignal): AsyncGenerator<Buffer> {
  for (;;) {
    const block = await readAt(place.file, place.offset, BLOCK_BYTES)
    if (block.length === 0) return
    place.offset += block.length
    const bytes = place.rest.length > 0 ? Buffer.concat([place.rest, block]) : block
    const output: Buffer[] = []
    let start = 0
    for (let end = bytes.indexOf(NEWLINE); end >= 0 && !filter.full; end = bytes.indexOf(NEWLINE, start)) {
      const line = parseLine(bytes.subarray(start, end))
      if (line) output.push(...filter.take(line))
      start = end + 1
    }
    place.rest = bytes.subarray(start)
    if (output.length > 0) yield Buffer.concat(output)
    if (filter.full || signal.aborted) return
  }
}

/** The file that came after this one, when it has been rotated away. */
async function following(place: Place, path: string): Promise<Place | undefined> {
  let newer: Place | undefined
  for (let age = 0; age < MAX_LOG_FILES; age += 1) {
    const candidate = await openPlace(age === 0 ? path : rotatedName(path, age))
    if (!candidate) break
    if (candidate.inode === place.inode) {
      await candidate.file.close()
      if (newer) {
        // Written between the last read and the rotation.
        const { size } = await place.file.stat()
        if (size > place.offset) {
          await newer.file.close()
          return place
        }
        await place.file.close()
      }
      return newer
    }
    await newer?.file.close()
    newer = candidate
  }
  // Rotated out of existence: go on with the oldest there is.
  if (newer) await place.file.close()
  return newer
}

async function grown(place: Place): Promise<boolean> {
  return (await place.file.stat()).size > place.offset
}

function createWatcher(source: LogSource, clock: Clock, signal: AbortSignal): { wait(): Promise<void>; close(): void } {
  let changed = false
  let wake = () => {}
  const change = () => {
    changed = true
    wake()
  }
  let watcher: FSWatcher | undefined
  try {
    watcher = watch(dirname(source.path), change)
    watcher.on('error', () => watcher?.close())
  } catch {
    // No directory yet, or no watches left on this machine: the poll does.
  }
  const unsubscribe = source.onChange(change)
  signal.addEventListener('abort', change)
  return {
    async wait() {
      if (!changed) {
        const woken = new AbortController()
        wake = () => woken.abort()
        await delay(clock, POLL_MS, woken.signal).catch(() => {})
      }
      wake = () => {}
      changed = false
    },
    close() {
      watcher?.close()
      unsubscribe()
      signal.removeEventListener('abort', change)
    },
  }
}
