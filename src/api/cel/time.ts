/** Timestamps and durations: reading, writing, and their parts in a time zone. */
import { parseGoDuration } from '../duration.ts'
import { type Overload, overload } from './functions.ts'
import { Duration, EvaluationError, Timestamp } from './values.ts'

const SECOND = 1_000_000_000n
const RFC3339 = /^(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?([Zz]|[+-]\d\d:\d\d)$/

export function parseTimestamp(text: string): Timestamp {
  const match = RFC3339.exec(text)
  const seconds = match ? Date.parse(`${match[1]}${match[3]}`) : Number.NaN
  if (Number.isNaN(seconds)) throw new EvaluationError(`invalid timestamp ${JSON.stringify(text)}`)
  return new Timestamp(BigInt(seconds) * 1_000_000n + BigInt((match?.[2] ?? '').padEnd(9, '0')))
}

export function timestampText({ nanos }: Timestamp): string {
  const fraction = ((nanos % SECOND) + SECOND) % SECOND
  const whole = new Date(Number((nanos - fraction) / 1_000_000n)).toISOString().slice(0, 19)
  return `${whole}${fraction === 0n ? '' : `.${String(fraction).padStart(9, '0').replace(/0+$/, '')}`}Z`
}

export function parseDuration(text: string): Duration {
  const nanos = parseGoDuration(text)
  if (nanos === undefined) throw new EvaluationError(`invalid duration ${JSON.stringify(text)}`)
  return new Duration(nanos)
}

export function durationText({ nanos }: Duration): string {
  const magnitude = nanos < 0n ? -nanos : nanos
  const fraction = magnitude % SECOND
  const tail = fraction === 0n ? '' : `.${String(fraction).padStart(9, '0').replace(/0+$/, '')}`
  return `${nanos < 0n ? '-' : ''}${magnitude / SECOND}${tail}s`
}

type Part = 'year' | 'month' | 'day' | 'hour' | 'minute' | 'second' | 'weekday'

/** In UTC, in a named zone, or at an offset such as `-08:00`. */
function partOf({ nanos }: Timestamp, part: Part, zone: string): number {
  const offset = /^([+-]?)(\d\d):(\d\d)$/.exec(zone)
  const shift = offset ? (offset[1] === '-' ? -1 : 1) * (Number(offset[2]) * 60 + Number(offset[3])) * 60_000 : 0
  const fraction = ((nanos % SECOND) + SECOND) % SECOND
  const date = new Date(Number((nanos - fraction) / 1_000_000n) + shift)
  const format = formatOf(offset ? 'UTC' : zone, part)
  const text = format.formatToParts(date).find(({ type }) => type === part)?.value ?? ''
  return part === 'weekday' ? ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'].indexOf(text) : Number(text)
}

function formatOf(timeZone: string, part: Part): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone, [part]: part === 'weekday' ? 'short' : 'numeric', hourCycle: 'h23' })
  } catch {
    throw new EvaluationError(`unknown time zone ${timeZone}`)
  }
}

function dayOfYear(time: Timestamp, zone: string): number {
  const [year, month, day] = (['year', 'month', 'day'] as const).map((part) => partOf(time, part, zone)) as [
    number,
    number,
    number,
  ]
  return Math.round((Date.UTC(year, month - 1, day) - Date.UTC(year, 0, 1)) / 86_400_000)
}

const PARTS: Record<string, (time: Timestamp, zone: string) => number> = {
  getFullYear: (time, zone) => partOf(time, 'year', zone),
  getMonth: (time, zone) => partOf(time, 'month', zone) - 1,
  getDayOfMonth: (time, zone) => partOf(time, 'day', zone) - 1,
  getDate: (time, zone) => partOf(time, 'day', zone),
  getDayOfWeek: (time, zone) => partOf(time, 'weekday', zone),
  getDayOfYear: dayOfYear,
  getHours: (time, zone) => partOf(time, 'hour', zone),
  getMinutes: (time, zone) => partOf(time, 'minute', zone),
  getSeconds: (time, zone) => partOf(time, 'second', zone),
  getMilliseconds: ({ nanos }) => Number((((nanos / 1_000_000n) % 1000n) + 1000n) % 1000n),
}
const SPANS: Record<string, bigint> = { getHours: 3600n * SECOND, getMinutes: 60n * SECOND, getSeconds: SECOND }

export const timeFunctions: readonly Overload[] = [
  ...Object.entries(PARTS).flatMap(([name, read]) => [
    overload(`timestamp.${name}(): int`, (time: Timestamp) => BigInt(read(time, 'UTC'))),
    overload(`timestamp.${name}(string): int`, (time: Timestamp, zone: string) => BigInt(read(time, zone))),
  ]),
  ...Object.entries(SPANS).map(([name, unit]) => overload(`duration.${name}(): int`, ({ nanos }: Duration) => nanos / unit)),
  overload('duration.getMilliseconds(): int', ({ nanos }: Duration) => nanos / 1_000_000n),
]
