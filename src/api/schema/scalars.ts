/** Times and base64 as Go reads and writes them. Errors carry Go's own words, because clients show them. */

export const TIME_LAYOUT = '2006-01-02T15:04:05Z07:00'
export const MICRO_TIME_LAYOUT = '2006-01-02T15:04:05.000000Z07:00'

/** The parts of a layout, in order: what it looks like, and what the text must match at that place. */
const PARTS: readonly (readonly [element: string, pattern: RegExp])[] = [
  ['2006', /^\d{4}/],
  ['-', /^-/],
  ['01', /^\d{2}/],
  ['-', /^-/],
  ['02', /^\d{2}/],
  ['T', /^T/],
  ['15', /^\d{2}/],
  [':', /^:/],
  ['04', /^\d{2}/],
  [':', /^:/],
  ['05', /^\d{2}(?:[.,]\d+)?/],
  ['Z07:00', /^(?:Z|[+-]\d{2}:\d{2})/],
]
const MICRO_PARTS = [
  ...PARTS.slice(0, 10),
  ['05', /^\d{2}/] as const,
  ['.000000', /^\.\d{6}/] as const,
  ['Z07:00', /^(?:Z|[+-]\d{2}:\d{2})/] as const,
]
const CANONICAL_TIME = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ$/

/** RFC 3339 in, the same instant in UTC with whole seconds out. */
export function canonicalTime(text: string): string {
  return CANONICAL_TIME.test(text) ? text : `${readTime(text, TIME_LAYOUT, PARTS).instant.slice(0, 19)}Z`
}

/** The same with exactly six digits of fraction, in and out. */
export function canonicalMicroTime(text: string): string {
  const { instant, fraction } = readTime(text, MICRO_TIME_LAYOUT, MICRO_PARTS)
  return `${instant.slice(0, 19)}${fraction}Z`
}

function readTime(text: string, layout: string, parts: typeof PARTS): { instant: string; fraction: string } {
  const fail = (why: string): never => {
    throw new Error(`parsing time ${JSON.stringify(text)}${why}`)
  }
  const found: string[] = []
  let rest = text
  for (const [element, pattern] of parts) {
    const match = pattern.exec(rest)?.[0]
    if (match === undefined) return fail(` as "${layout}": cannot parse ${JSON.stringify(rest)} as "${element}"`)
    found.push(match)
    rest = rest.slice(match.length)
  }
  if (rest !== '') return fail(`: extra text: ${JSON.stringify(rest)}`)
  const [year, , month, , day, , hour, , minute, , second] = found.map((part) => Number.parseInt(part, 10)) as number[]
  if (month! < 1 || month! > 12) return fail(': month out of range')
  if (day! < 1 || day! > new Date(Date.UTC(2000 + (year! % 400), month!, 0)).getUTCDate()) return fail(': day out of range')
  if (hour! > 23) return fail(': hour out of range')
  if (minute! > 59) return fail(': minute out of range')
  if (second! > 59) return fail(': second out of range')
  const zone = found.at(-1)!
  const instant = new Date(`${found.slice(0, 10).join('')}${found[10]!.slice(0, 2)}${zone}`)
  if (Number.isNaN(instant.getTime())) return fail(': time zone offset hour out of range')
  return { instant: instant.toISOString(), fraction: found.length === MICRO_PARTS.length ? found[11]! : '' }
}

/** Standard base64 with line breaks allowed in, canonical out. */
export function canonicalBase64(text: string): string {
  const clean = text.includes('\n') || text.includes('\r') ? text.replace(/[\r\n]/g, '') : text
  const bad = /[^A-Za-z0-9+/]/.exec(clean)
  const end = bad ? bad.index : clean.length
  const padding = clean.slice(end)
  const expected = ['', undefined, '==', '='][end % 4]
  if (padding !== expected) throw new Error(`illegal base64 data at input byte ${bad && bad[0] !== '=' ? end : end - (end % 4)}`)
  // Bits beyond the last byte are dropped, as Go does.
  return padding === '' ? clean : Buffer.from(clean, 'base64').toString('base64')
}
