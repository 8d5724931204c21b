/** Several logs as one, by the times of their lines. What one of them wrote stays in its order; at the same time, the first log is first. */
import { compareTimes, type Line } from './lines.ts'

/** Batches of lines; ended by undefined. */
export interface LineSource {
  next(): Promise<readonly Line[] | undefined>
}

/** Neighbouring lines of one of the sources. */
export interface Stretch {
  /** Its place among the sources. */
  readonly source: number
  readonly lines: readonly Line[]
}

interface Head {
  readonly source: number
  lines: readonly Line[]
  at: number
}

/** Holds one batch of each source. Waits for all of them: none can be passed over before it has said what comes next. */
export async function* mergeByTime(sources: readonly LineSource[]): AsyncGenerator<Stretch> {
  const first = await Promise.all(sources.map((source) => source.next()))
  let heads: Head[] = first.flatMap((lines, source) => (lines ? [{ source, lines, at: 0 }] : []))
  while (heads.length > 0) {
    const [earliest, second] = earliestTwo(heads)
    const from = earliest.at
    while (earliest.at < earliest.lines.length && (!second || isBefore(earliest, second))) earliest.at += 1
    yield { source: earliest.source, lines: earliest.lines.slice(from, earliest.at) }
    if (earliest.at < earliest.lines.length) continue
    const more = await sources[earliest.source]!.next()
    if (!more) heads = heads.filter((head) => head !== earliest)
    else {
      earliest.lines = more
      earliest.at = 0
    }
  }
}

function earliestTwo(heads: readonly Head[]): [Head, Head | undefined] {
  let earliest = heads[0]!
  let second: Head | undefined
  for (const head of heads.slice(1)) {
    if (isBefore(head, earliest)) {
      second = earliest
      earliest = head
    } else if (!second || isBefore(head, second)) second = head
  }
  return [earliest, second]
}

function isBefore(a: Head, b: Head): boolean {
  const order = compareTimes(a.lines[a.at]!, b.lines[b.at]!)
  return order < 0 || (order === 0 && a.source < b.source)
}
