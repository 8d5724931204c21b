/**
 * `resource.Quantity`: fixed-point amounts with a suffix (`500m`, `1Gi`, `1e3`), exact down to 10⁻⁹. Parsing, the canonical form
 * that the API server answers with, comparison and arithmetic. Numbers never pass through floating point on the way in.
 */
export type QuantityFormat = 'DecimalSI' | 'BinarySI' | 'DecimalExponent'

/** An amount in units of 10⁻⁹, and the family of suffixes it is printed with. Immutable: instances are shared. */
export interface Quantity {
  readonly nano: bigint
  readonly format: QuantityFormat
}

/** A text that is no quantity; the message is Kubernetes' own. */
export class QuantityError extends Error {
  override name = 'QuantityError'
}

const WRONG_FORMAT = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
const WRONG_SUFFIX = "unable to parse quantity's suffix"
const SHAPE = /^([+-]?)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)$/
const DECIMAL_SUFFIXES = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E']
const BINARY_SUFFIXES = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei']
const NANO = 1_000_000_000n
/** Binary amounts are capped here, as in Kubernetes. */
const MAX_BINARY = (2n ** 63n - 1n) * NANO
/** A larger exponent than this is refused: its digits would fill memory. */
const MAX_EXPONENT = 1000
/** Quantities repeat; parsed ones are kept until there are this many. */
const MAX_REMEMBERED = 4096
const remembered = new Map<string, { quantity: Quantity; canonical: string }>()

/** Throws QuantityError. */
export function parseQuantity(text: string): Quantity {
  return recall(text).quantity
}

export function tryParseQuantity(text: unknown): Quantity | undefined {
  try {
    return recall(String(text)).quantity
  } catch (error) {
    if (error instanceof QuantityError) return undefined
    throw error
  }
}

/** The text as the API server would return it. Throws QuantityError. */
export function canonicalQuantity(text: string): string {
  return recall(text).canonical
}

function recall(text: string): { quantity: Quantity; canonical: string } {
  const known = remembered.get(text)
  if (known) return known
  const parsed = parse(text)
  const entry = { quantity: parsed.quantity, canonical: parsed.verbatim ? text : formatQuantity(parsed.quantity) }
  if (remembered.size >= MAX_REMEMBERED) remembered.clear()
  if (text.length <= 64) remembered.set(text, entry)
  return entry
}

function parse(text: string): { quantity: Quantity; verbatim: boolean } {
  const match = text === '' ? null : SHAPE.exec(text)
  if (!match) throw new QuantityError(WRONG_FORMAT)
  const [, sign = '', whole = '', fraction = '', suffix = ''] = match
  const { base, exponent, format } = interpretSuffix(suffix)
  const digits = whole.replace(/^0+/, '') + fraction
  const scale = (base === 10 ? exponent : 0) - fraction.length
  let amount = BigInt(digits || '0') * (base === 2 ? 2n ** BigInt(exponent) : 1n)
  const shift = scale + 9
  amount = shift >= 0 ? amount * 10n ** BigInt(shift) : divideUp(amount, 10n ** BigInt(-shift))
  if (base === 2 && amount > MAX_BINARY) amount = MAX_BINARY
  const small = base === 2 && amount > 0n && amount < NANO
  const quantity: Quantity = { nano: sign === '-' ? -amount : amount, format: small ? 'DecimalSI' : format }
  return { quantity, verbatim: isVerbatim(whole, fraction, base, exponent, scale) }
}

/** Kubernetes keeps the text of amounts that look canonical to it, although a few (`1.500`, `+5`) are not. */
function isVerbatim(whole: string, fraction: string, base: number, exponent: number, scale: number): boolean {
  const shifted = (whole.replace(/^0+/, '') || '0') + fraction
  if (shifted.length > 15) return false
  if (base === 2) return fraction === '' && exponent % 10 === 0 && (BigInt(shifted) & 7n) !== 0n
  return scale >= -9 && scale % 3 === 0 && !shifted.endsWith('000') && shifted[0] !== '0'
}

function interpretSuffix(suffix: string): { base: 2 | 10; exponent: number; format: QuantityFormat } {
  const decimal = DECIMAL_SUFFIXES.indexOf(suffix)
  if (decimal >= 0) return { base: 10, exponent: (decimal - 3) * 3, format: 'DecimalSI' }
  const binary = BINARY_SUFFIXES.indexOf(suffix)
  if (binary > 0) return { base: 2, exponent: binary * 10, format: 'BinarySI' }
  const exponent = /^[eE]([-+]?[0-9]+)$/.exec(suffix)?.[1]
  if (!exponent || Math.abs(Number(exponent)) > MAX_EXPONENT) throw new QuantityError(WRONG_SUFFIX)
  return { base: 10, exponent: Number(exponent), format: 'DecimalExponent' }
}

/** The canonical text: no fraction, no lost precision, the largest suffix that allows both. */
export function formatQuantity(quantity: Quantity): string {
  const { nano, format } = quantity
  if (nano === 0n) return '0'
  const magnitude = nano < 0n ? -nano : nano
  if (format === 'BinarySI' && magnitude >= 1024n * NANO && magnitude % NANO === 0n) return formatBinary(nano / NANO)
  const limit = format === 'DecimalExponent' ? Number.POSITIVE_INFINITY : DECIMAL_SUFFIXES.length - 1
  let mantissa = nano
  let step = 0
  while (step < limit && mantissa % 1000n === 0n) {
    mantissa /= 1000n
    step += 1
  }
  if (format !== 'DecimalExponent') return `${mantissa}${DECIMAL_SUFFIXES[step]}`
  return step === 3 ? String(mantissa) : `${mantissa}e${(step - 3) * 3}`
}

function formatBinary(value: bigint): string {
  let mantissa = value
  let step = 0
  while (step < BINARY_SUFFIXES.length - 1 && mantissa % 1024n === 0n) {
    mantissa /= 1024n
    step += 1
  }
  return `${mantissa}${BINARY_SUFFIXES[step]}`
}

export const zeroQuantity: Quantity = { nano: 0n, format: 'DecimalSI' }

/** A whole number of units. */
export function quantityOf(value: number | bigint, format: QuantityFormat = 'DecimalSI'): Quantity {
  return { nano: BigInt(value) * NANO, format }
}

export function milliQuantity(milli: number | bigint, format: QuantityFormat = 'DecimalSI'): Quantity {
  return { nano: BigInt(milli) * 1_000_000n, format }
}

/** Less than, equal to or greater than zero as `a` is to `b`. */
export function compareQuantities(a: Quantity, b: Quantity): number {
  return a.nano < b.nano ? -1 : a.nano > b.nano ? 1 : 0
}

/** The sum, in the format of `a`, unless that is zero. */
export function addQuantities(a: Quantity, b: Quantity): Quantity {
  return { nano: a.nano + b.nano, format: a.nano === 0n ? b.format : a.format }
}

export function subtractQuantities(a: Quantity, b: Quantity): Quantity {
  return { nano: a.nano - b.nano, format: a.nano === 0n ? b.format : a.format }
}

/** Whole units, rounded away from zero as Kubernetes does. */
export function quantityValue(quantity: Quantity): number {
  return Number(roundAway(quantity.nano, NANO))
}

/** Thousandths, rounded away from zero: millicores of CPU. */
export function quantityMilliValue(quantity: Quantity): number {
  return Number(roundAway(quantity.nano, 1_000_000n))
}

function roundAway(value: bigint, unit: bigint): bigint {
  return value < 0n ? -divideUp(-value, unit) : divideUp(value, unit)
}

function divideUp(value: bigint, unit: bigint): bigint {
  return (value + unit - 1n) / unit
}
