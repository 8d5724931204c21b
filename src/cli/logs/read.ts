/** Asks a server for logs: from the beginning, the end, or on as they come. */
import type { Readable } from 'node:stream'
import type { Pod } from '../../api/types.ts'
import { objectPath } from '../../client/paths.ts'
import { pods } from '../../client/resources.ts'
import type { Session } from '../session.ts'
import { compareTimes, type Line, type Time, timedLines } from './lines.ts'
import type { LineSource } from './merge.ts'

/** One container of one pod. */
export interface Log {
  readonly pod: Pod
  readonly container: string
}

/** What of a log is wanted. */
export interface Extent {
  readonly previous?: boolean | undefined
  readonly sinceSeconds?: number | undefined
  readonly sinceTime?: string | undefined
  readonly tailLines?: number | undefined
  readonly limitBytes?: number | undefined
}

interface LogRequest extends Extent {
  readonly follow?: boolean | undefined
  readonly timestamps?: boolean | undefined
}

/** Throws StatusError. */
export function openLog(log: Log, request: LogRequest, { client, namespace }: Session, signal: AbortSignal): Promise<Readable> {
  return client.transport.stream({ method: 'GET', ...askFor(log, request, namespace), signal })
}

function askFor({ pod, container }: Log, request: LogRequest, namespace: string) {
  const given = Object.entries(request).filter(([, value]) => value !== undefined && value !== false)
  return {
    path: objectPath(pods, pod.metadata.name ?? '', namespace, 'log'),
    query: { container, ...Object.fromEntries(given.map(([name, value]) => [name, String(value)])) },
  }
}

/** When the last line was written that there is now. Undefined when there is none, or it is not to be had. */
export async function lastTime(log: Log, extent: Extent, session: Session, signal: AbortSignal): Promise<Time | undefined> {
  if (extent.tailLines === 0) return undefined
  const request = { ...extent, tailLines: 1, limitBytes: undefined, timestamps: true }
  let last: Line | undefined
  for await (const lines of timedLines(await openLog(log, request, session, signal))) last = lines.at(-1)
  return last
}

/** Lines that are put back are read again; none is lost when nobody waits for it any more. */
export class UnreadLines implements LineSource {
  readonly #batches: AsyncIterator<readonly Line[]>
  #coming: Promise<IteratorResult<readonly Line[]>> | undefined
  #unread: readonly Line[] = []

  constructor(batches: AsyncIterator<readonly Line[]>) {
    this.#batches = batches
  }

  async next(): Promise<readonly Line[] | undefined> {
    const lines = this.#unread
    this.#unread = []
    if (lines.length > 0) return lines
    this.#coming ??= this.#batches.next()
    const { done, value } = await this.#coming
    this.#coming = undefined
    return done ? undefined : value
  }

  /** Undefined when nothing came within so many milliseconds. */
  async nextWithin(patienceMs: number): Promise<{ lines: readonly Line[] | undefined } | undefined> {
    if (this.#unread.length > 0) return { lines: await this.next() }
    this.#coming ??= this.#batches.next()
    let timer: NodeJS.Timeout | undefined
    const tired = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), patienceMs)
    })
    const came = await Promise.race([this.#coming, tired])
    clearTimeout(timer)
    return came && { lines: await this.next() }
  }

  putBack(lines: readonly Line[]): void {
    this.#unread = [...lines, ...this.#unread]
  }
}

/**
 * What a followed log had when it was opened, as a source that ends: up to the line that was its last then. A log that brings
 * nothing for `patienceMs` does not keep the others waiting.
 */
export function historyOf(log: UnreadLines, last: Time | undefined, patienceMs: number): LineSource {
  let isOver = last === undefined
  return {
    async next() {
      if (isOver || !last) return undefined
      const came = await log.nextWithin(patienceMs)
      if (!came?.lines) {
        isOver = true
        return undefined
      }
      const end = came.lines.findIndex((line) => compareTimes(line, last) >= 0)
      if (end < 0) return came.lines
      isOver = true
      log.putBack(came.lines.slice(end + 1))
      return came.lines.slice(0, end + 1)
    },
  }
}
