/**
 * Whether a text is a cron schedule as Kubernetes takes it: five fields or a descriptor (`@daily`, `@every 1h`). Only checks, with
 * the messages of the parser that Kubernetes uses; when a schedule fires is known elsewhere.
 */
interface Bounds {
  readonly min: number
  readonly max: number
  readonly names: readonly string[]
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']
const FIELDS: readonly Bounds[] = [
  { min: 0, max: 59, names: [] },
  { min: 0, max: 23, names: [] },
  { min: 1, max: 31, names: [] },
  { min: 1, max: 12, names: MONTHS },
  { min: 0, max: 6, names: DAYS },
]
const DESCRIPTORS = new Set(['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly'])
const DURATION = /^[-+]?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/

/** What is wrong with a schedule, or undefined. */
export function scheduleComplaint(schedule: string): string | undefined {
  const text = schedule.replace(/^(?:CRON_)?TZ=\S*\s+/, '')
  if (text === '') return 'empty spec string'
  if (text.startsWith('@')) return descriptorComplaint(text)
  const fields = text.trim().split(/\s+/)
  if (fields.length !== FIELDS.length) {
    return `expected exactly ${FIELDS.length} fields, found ${fields.length}: [${fields.join(' ')}]`
  }
  for (const [index, bounds] of FIELDS.entries()) {
    for (const range of (fields[index] ?? '').split(',').filter((part) => part !== '')) {
      const complaint = rangeComplaint(range, bounds)
      if (complaint) return complaint
    }
  }
  return undefined
}

function descriptorComplaint(text: string): string | undefined {
  if (DESCRIPTORS.has(text)) return undefined
  if (!text.startsWith('@every ')) return `unrecognized descriptor: ${text}`
  const duration = text.slice('@every '.length)
  if (DURATION.test(duration)) return undefined
  return `failed to parse duration ${text}: time: invalid duration ${JSON.stringify(duration)}`
}

/** `*`, `n`, `n-m`, each with an optional `/step`. */
function rangeComplaint(text: string, bounds: Bounds): string | undefined {
  const [range = '', step, ...moreSteps] = text.split('/')
  const [low = '', high, ...moreHyphens] = range.split('-')
  if (moreHyphens.length > 0) return `too many hyphens: ${text}`
  if (moreSteps.length > 0) return `too many slashes: ${text}`
  let start = bounds.min
  let end = bounds.max
  if (low !== '*' && low !== '?') {
    const first = numberOf(low, bounds)
    if (first === undefined) return unreadable(low)
    start = first
    end = step === undefined ? first : bounds.max
    if (high !== undefined) {
      const last = numberOf(high, bounds)
      if (last === undefined) return unreadable(high)
      end = last
    }
  }
  if (step !== undefined && !/^\d+$/.test(step)) return unreadable(step)
  if (start < bounds.min) return `beginning of range (${start}) below minimum (${bounds.min}): ${text}`
  if (end > bounds.max) return `end of range (${end}) above maximum (${bounds.max}): ${text}`
  if (start > end) return `beginning of range (${start}) beyond end of range (${end}): ${text}`
  return step !== undefined && Number(step) === 0 ? `step of range should be a positive number: ${text}` : undefined
}

function numberOf(text: string, { names, min }: Bounds): number | undefined {
  const index = names.indexOf(text.toLowerCase())
  if (index >= 0) return index + min
  return /^\d+$/.test(text) ? Number(text) : undefined
}

function unreadable(text: string): string {
  if (/^-\d+$/.test(text)) return `negative number (${text}) not allowed: ${text}`
  return `failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`
}
