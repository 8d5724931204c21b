/** The logs of several containers as they are now, by the time of their lines. One that cannot be read does not keep the others. */
import type { Session } from '../session.ts'
import { Budget } from './budget.ts'
import { type Line, timedLines } from './lines.ts'
import { type LineSource, mergeByTime } from './merge.ts'
import type { Printer } from './printer.ts'
import { type Extent, type Log, openLog } from './read.ts'

export interface Reading {
  readonly extent: Extent
  readonly printer: Printer
  readonly session: Session
  readonly signal: AbortSignal
}

export async function printMerged(logs: readonly Log[], { extent, printer, session, signal }: Reading): Promise<void> {
  const { limitBytes, ...request } = extent
  const attempts = logs.map((log) =>
    openLog(log, { ...request, timestamps: true }, session, signal).then(
      (stream) => ({ log, stream }),
      (error: unknown) => ({ error }),
    ),
  )
  const opened = (await Promise.all(attempts)).flatMap((attempt) => {
    if ('stream' in attempt) return [attempt]
    printer.fail(attempt.error)
    return []
  })
  const sources = opened.map(({ stream }) =>
    surviving(new Budget(limitBytes, printer.look.timestamps).limited(timedLines(stream)), printer, signal),
  )
  try {
    for await (const { source, lines } of mergeByTime(sources)) await printer.add(opened[source]!.log, lines)
    await printer.flush()
  } finally {
    for (const { stream } of opened) stream.destroy()
  }
}

/** Ends where the log breaks off, and says so. */
function surviving(lines: AsyncGenerator<readonly Line[]>, printer: Printer, signal: AbortSignal): LineSource {
  return {
    async next() {
      try {
        const { done, value } = await lines.next()
        return done ? undefined : value
      } catch (error) {
        if (signal.aborted) throw error
        printer.fail(error)
        return undefined
      }
    },
  }
}
