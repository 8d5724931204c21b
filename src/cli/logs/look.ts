/** How lines of logs are shown: which of them, after which prefix, in which colours. Decides, writes nothing. */
import { CommandError } from '../io.ts'
import type { Line } from './lines.ts'

export interface Grep {
  readonly pattern: RegExp
  readonly isInverted: boolean
}

export interface Look {
  readonly prefix: boolean
  readonly colors: boolean
  readonly timestamps: boolean
  readonly grep?: Grep | undefined
}

/** Throws CommandError. */
export function parseGrep(text: string, { ignoreCase = false, invertMatch = false }): Grep {
  try {
    return { pattern: new RegExp(text, ignoreCase ? 'gi' : 'g'), isInverted: invertMatch }
  } catch (cause) {
    throw new CommandError(`--grep ${JSON.stringify(text)} is no regular expression: ${(cause as Error).message}`, 1, { cause })
  }
}

/** Told apart on a dark and on a light ground; red is for matches. */
const COLORS = [36, 33, 32, 35, 34, 96, 93, 92, 95, 94]
const MATCH = '\x1b[1;31m'
const PLAIN = '\x1b[0m'

/** The beginning of each line of one log; `position` among the logs chooses its colour. */
export function prefixOf(log: { pod: string; container: string }, position: number, look: Look): Buffer {
  if (!look.prefix) return Buffer.alloc(0)
  const text = `[pod/${log.pod}/${log.container}]`
  const color = COLORS[position % COLORS.length]!
  return Buffer.from(look.colors ? `\x1b[${color}m${text}${PLAIN} ` : `${text} `)
}

/** What is printed of some lines of one log; nothing when none of them is wanted. */
export function showLines(lines: readonly Line[], prefix: Buffer, { timestamps, grep, colors }: Look): Buffer {
  const parts: Buffer[] = []
  for (const { time, text } of lines) {
    const shown = grep ? matched(text, grep, colors) : text
    if (!shown) continue
    if (prefix.length > 0) parts.push(prefix)
    if (timestamps) parts.push(time)
    parts.push(shown)
  }
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts)
}

function matched(bytes: Buffer, { pattern, isInverted }: Grep, colors: boolean): Buffer | undefined {
  const text = bytes.toString('utf8').slice(0, -1)
  pattern.lastIndex = 0
  if (pattern.test(text) === isInverted) return undefined
  if (!colors || isInverted) return bytes
  return Buffer.from(`${text.replaceAll(pattern, (match) => (match === '' ? '' : `${MATCH}${match}${PLAIN}`))}\n`)
}
