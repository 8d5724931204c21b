/** When a CronJob's schedule is due. Pure, over croner; `@every` is Kubernetes' own. Loaded only when there are CronJobs. */
import { Cron } from 'croner'

export interface Schedule {
  /** The first time after, in milliseconds since the epoch; undefined for never again. */
  next(afterMs: number): number | undefined
  /** The last time that is not later than `untilMs` but later than `afterMs`, and whether there were too many to count. */
  last(afterMs: number, untilMs: number): { dueMs: number | undefined; missedMany: boolean }
}

/** Missed times above which something is wrong with the clock or the CronJob. */
const MANY_MISSED = 100
const EVERY = /^@every\s+(.+)$/
const UNIT_MS: Record<string, number> = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1 }

/** Throws an Error that says what is wrong with the schedule or the time zone. */
export function parseSchedule(text: string, timeZone: string | undefined): Schedule {
  const every = EVERY.exec(text.trim())?.[1]
  if (every !== undefined) return everySchedule(durationMs(every))
  // An unknown zone is a RangeError here; croner would only notice later.
  const zone = new Intl.DateTimeFormat('en', { timeZone }).resolvedOptions().timeZone
  if (/^(CRON_)?TZ=/.test(text)) throw new Error('the time zone belongs into spec.timeZone')
  const cron = new Cron(text.trim(), {
    paused: true,
    timezone: zone,
    ...(text.trim().startsWith('@') ? {} : { mode: '5-part' as const }),
  })
  const next = (afterMs: number) => cron.nextRun(new Date(afterMs))?.getTime()
  return {
    next,
    last(afterMs, untilMs) {
      // One millisecond later, as croner leaves out the moment itself.
      const dueMs = cron.previousRuns(1, new Date(untilMs + 1))[0]?.getTime()
      if (dueMs === undefined || dueMs <= afterMs) return { dueMs: undefined, missedMany: false }
      let missed = 0
      for (let at = next(afterMs); at !== undefined && at <= untilMs && missed <= MANY_MISSED; at = next(at)) missed += 1
      return { dueMs, missedMany: missed > MANY_MISSED }
    },
  }
}

function everySchedule(periodMs: number): Schedule {
  return {
    next: (afterMs) => Math.floor(afterMs / 1000) * 1000 + periodMs,
    last(afterMs, untilMs) {
      const startMs = Math.floor(afterMs / 1000) * 1000
      const count = Math.floor((untilMs - startMs) / periodMs)
      return { dueMs: count > 0 ? startMs + count * periodMs : undefined, missedMany: count > MANY_MISSED }
    },
  }
}

/** A duration as Go writes it, `1h30m`, at least a second. */
function durationMs(text: string): number {
  let total = 0
  const rest = text.trim().replace(/(\d+(?:\.\d+)?)(ms|h|m|s)/g, (_, amount: string, unit: string) => {
    total += Number(amount) * (UNIT_MS[unit] ?? 0)
    return ''
  })
  if (rest !== '' || total <= 0) throw new Error(`not a duration: ${JSON.stringify(text)}`)
  return Math.max(1000, Math.floor(total / 1000) * 1000)
}
