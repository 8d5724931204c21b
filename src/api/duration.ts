/** Durations as Go's `time.Duration` reads and writes them, the form of `metav1.Duration`: `15.104s`, `1h2m0s`. In nanoseconds. */

const SECOND = 1_000_000_000n
const MINUTE = 60n * SECOND
const UNITS: Record<string, bigint> = {
  h: 60n * MINUTE,
  m: MINUTE,
  s: SECOND,
  ms: 1_000_000n,
  us: 1000n,
  µs: 1000n,
  ns: 1n,
}

/** Undefined for a text that is no duration. */
export function parseGoDuration(text: string): bigint | undefined {
  const rest = text.replace(/^[-+]/, '')
  if (rest === '0') return 0n
  if (!/^((\d+\.?\d*|\.\d+)(h|ms|m|s|us|µs|ns))+$/.test(rest)) return undefined
  let nanos = 0n
  for (const [, number = '', unit = ''] of rest.matchAll(/(\d+\.?\d*|\.\d+)(h|ms|m|s|us|µs|ns)/g)) {
    const [whole = '', fraction = ''] = number.split('.')
    nanos += BigInt(whole || 0) * UNITS[unit]! + (BigInt(fraction.padEnd(9, '0').slice(0, 9)) * UNITS[unit]!) / SECOND
  }
  return text.startsWith('-') ? -nanos : nanos
}

export function formatGoDuration(nanos: bigint): string {
  if (nanos < 0n) return `-${formatGoDuration(-nanos)}`
  if (nanos === 0n) return '0s'
  if (nanos < SECOND) {
    const unit = nanos >= UNITS.ms! ? 'ms' : nanos >= UNITS.us! ? 'µs' : 'ns'
    return inUnits(nanos, unit)
  }
  const hours = nanos / UNITS.h!
  const minutes = (nanos / MINUTE) % 60n
  const head = hours > 0n ? `${hours}h${minutes}m` : minutes > 0n ? `${minutes}m` : ''
  return head + inUnits(nanos % MINUTE, 's')
}

function inUnits(nanos: bigint, unit: string): string {
  const size = UNITS[unit]!
  const rest = nanos % size
  const digits = String(size).length - 1
  const fraction = rest === 0n ? '' : `.${String(rest).padStart(digits, '0').replace(/0+$/, '')}`
  return `${nanos / size}${fraction}${unit}`
}
