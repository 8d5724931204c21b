/** The same reading for a runtime that keeps its logs in memory. */
import type { LogOptions } from '../../api/streams.ts'
import type { LogLine } from '../runtime/runtime.ts'
import { createLogFilter } from './filter.ts'
import type { CriLine } from './line.ts'
import type { LogSource } from './read-log.ts'

export async function* readLines(
  lines: () => readonly LogLine[],
  source: Omit<LogSource, 'path'>,
  options: LogOptions,
  nowMs: number,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const filter = createLogFilter(options, nowMs)
  const first = lines().filter((line) => filter.wants(line.stream)).length - (options.tailLines ?? Number.POSITIVE_INFINITY)
  let skip = Math.max(0, first)
  for (let at = 0; ; ) {
    const live = source.isLive()
    const all = lines()
    const output: Buffer[] = []
    for (; at < all.length && !filter.full; at += 1) {
      const line = toCri(all[at] as LogLine)
      if (filter.wants(line.stream) && skip > 0) skip -= 1
      else output.push(...filter.take(line))
    }
    if (output.length > 0) yield Buffer.concat(output)
    if (!options.follow || filter.full || !live || signal.aborted) return
    if (lines().length === at) await changed(source, signal)
  }
}

function toCri({ timeMs, stream, text }: LogLine): CriLine {
  const time = `${new Date(timeMs).toISOString().slice(0, 23)}000000Z`
  return { time, stream, partial: false, text: Buffer.from(text) }
}

function changed(source: Omit<LogSource, 'path'>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      unsubscribe()
      signal.removeEventListener('abort', done)
      resolve()
    }
    const unsubscribe = source.onChange(done)
    signal.addEventListener('abort', done)
    if (signal.aborted) done()
  })
}
