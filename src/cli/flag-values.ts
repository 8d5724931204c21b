/** Reading of flag values: a number, a duration. A value that is none is refused with the flag's name. */
import { InvalidArgumentError } from 'commander'

/** A parser of integers from 0 to `max`. */
export function wholeNumber(flag: string, max = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (/^\d+$/.test(text) && value <= max) return value
    throw new InvalidArgumentError(`${flag} takes a whole number${max === Number.MAX_SAFE_INTEGER ? '' : ` up to ${max}`}.`)
  }
}

/** A parser of integers above 0. */
export function positiveInteger(flag: string): (text: string) => number {
  return (text) => {
    if (/^\d+$/.test(text) && Number(text) > 0) return Number(text)
    throw new InvalidArgumentError(`${flag} takes a whole number above 0.`)
  }
}

/** A parser of integers, where -1 and the like have a meaning. */
export function integer(flag: string): (text: string) => number {
  return (text) => {
    if (/^-?\d+$/.test(text)) return Number(text)
    throw new InvalidArgumentError(`${flag} takes a whole number.`)
  }
}

const UNIT_MS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** Milliseconds of Go's durations (`1h30m`, `500ms`); a bare number counts seconds. */
export function durationMs(flag: string): (text: string) => number {
  return (text) => {
    if (/^-?\d+$/.test(text)) return Number(text) * 1000
    if (!/^-?(\d+(\.\d+)?(ms|s|m|h))+$/.test(text))
      throw new InvalidArgumentError(`${flag} takes a duration such as 30s, 5m or 1h30m.`)
    let sum = 0
    for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)) sum += Number(amount) * UNIT_MS[unit!]!
    return text.startsWith('-') ? -sum : sum
  }
}

/** For flags that may stand several times. */
export function collect(value: string, known: string[] = []): string[] {
  return [...known, value]
}
