/** Kubernetes' own types in expressions: quantities, URLs, addresses and their ranges, semantic versions, and the formats of names. */
import { canonicalIp, ipFamily, parseCidr, toBits } from '../addresses.ts'
import { dnsLabel, dnsLabel1035, dnsSubdomain, labelValue, qualifiedName } from '../names.ts'
import {
  addQuantities,
  compareQuantities,
  formatQuantity,
  type Quantity,
  quantityOf,
  subtractQuantities,
  tryParseQuantity,
} from '../quantity.ts'
import { isOfFormat } from '../schema/formats.ts'
import { type Overload, overload, scoped } from './functions.ts'
import { EvaluationError, NONE, Opaque, Optional, type Value } from './values.ts'

const QUANTITY = 'kubernetes.Quantity'
const NANO = 1_000_000_000n
const MAX_INT = 2n ** 63n - 1n
const quantity = (value: Quantity) => new Opaque(QUANTITY, String(value.nano), value)
const amount = (value: Opaque) => value.data as Quantity

function parseQuantity(text: string): Opaque {
  const parsed = tryParseQuantity(text)
  if (!parsed)
    throw new EvaluationError("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")
  return quantity(parsed)
}

function wholeUnits(value: Opaque): bigint {
  const { nano } = amount(value)
  if (nano % NANO !== 0n || nano / NANO > MAX_INT) throw new EvaluationError('cannot convert value to integer')
  return nano / NANO
}

const either = (value: Opaque | bigint): Quantity => (typeof value === 'bigint' ? quantityOf(value) : amount(value))

const quantities: readonly Overload[] = [
  overload(`quantity(string): ${QUANTITY}`, parseQuantity),
  overload('isQuantity(string): bool', (text: string) => tryParseQuantity(text) !== undefined),
  overload(`${QUANTITY}.sign(): int`, (value: Opaque) => BigInt(compareQuantities(amount(value), quantityOf(0)))),
  overload(
    `${QUANTITY}.isInteger(): bool`,
    (value: Opaque) => amount(value).nano % NANO === 0n && amount(value).nano / NANO <= MAX_INT,
  ),
  overload(`${QUANTITY}.asInteger(): int`, wholeUnits),
  overload(`${QUANTITY}.asApproximateFloat(): double`, (value: Opaque) => Number(amount(value).nano) / 1e9),
  ...[QUANTITY, 'int'].flatMap((type) => [
    overload(`${QUANTITY}.add(${type}): ${QUANTITY}`, (a: Opaque, b: Opaque | bigint) =>
      quantity(addQuantities(amount(a), either(b))),
    ),
    overload(`${QUANTITY}.sub(${type}): ${QUANTITY}`, (a: Opaque, b: Opaque | bigint) =>
      quantity(subtractQuantities(amount(a), either(b))),
    ),
  ]),
  overload(`${QUANTITY}.isGreaterThan(${QUANTITY}): bool`, (a: Opaque, b: Opaque) => compareQuantities(amount(a), amount(b)) > 0),
  overload(`${QUANTITY}.isLessThan(${QUANTITY}): bool`, (a: Opaque, b: Opaque) => compareQuantities(amount(a), amount(b)) < 0),
  overload(`${QUANTITY}.compareTo(${QUANTITY}): int`, (a: Opaque, b: Opaque) => BigInt(compareQuantities(amount(a), amount(b)))),
  overload(`string(${QUANTITY}): string`, (value: Opaque) => formatQuantity(amount(value))),
]

const URL_TYPE = 'kubernetes.URL'
const address = (value: Opaque) => value.data as URL

/** Absolute, or a path from the root, as Go's ParseRequestURI has it. */
function tryUrl(text: string): URL | undefined {
  if (text.startsWith('/')) return new URL(text, 'path://')
  return /^[a-zA-Z][a-zA-Z0-9+.-]*:/.test(text) && URL.canParse(text) ? new URL(text) : undefined
}

function parseUrl(text: string): Opaque {
  const parsed = tryUrl(text)
  if (!parsed)
    throw new EvaluationError(
      `URL parse error during conversion from string: parse ${JSON.stringify(text)}: invalid URI for request`,
    )
  return new Opaque(URL_TYPE, text, parsed)
}

function queryOf(value: Opaque): Value {
  const found = new Map<Value, Value>()
  for (const [key, text] of address(value).searchParams)
    found.set(key, [...((found.get(key) as Value[] | undefined) ?? []), text])
  return found
}

const isPathOnly = ({ protocol }: URL) => protocol === 'path:'

const urls: readonly Overload[] = [
  overload(`url(string): ${URL_TYPE}`, parseUrl, 'scan'),
  overload('isURL(string): bool', (text: string) => tryUrl(text) !== undefined, 'scan'),
  overload(`${URL_TYPE}.getScheme(): string`, (value: Opaque) =>
    isPathOnly(address(value)) ? '' : address(value).protocol.slice(0, -1),
  ),
  overload(`${URL_TYPE}.getHost(): string`, (value: Opaque) => address(value).host),
  overload(`${URL_TYPE}.getHostname(): string`, (value: Opaque) => address(value).hostname.replace(/^\[|\]$/g, '')),
  overload(`${URL_TYPE}.getPort(): string`, (value: Opaque) => address(value).port),
  overload(`${URL_TYPE}.getEscapedPath(): string`, (value: Opaque) => address(value).pathname),
  overload(`${URL_TYPE}.getQuery(): map<string, list<string>>`, queryOf),
]

const IP = 'net.IP'
const CIDR = 'net.CIDR'
const isIp = (text: string) => ipFamily(text) !== undefined && !canonicalIp(text).startsWith('::ffff:')

function parseIp(text: string): Opaque {
  if (!isIp(text))
    throw new EvaluationError(`IP Address ${JSON.stringify(text)} parse error during conversion from string: unable to parse IP`)
  return new Opaque(IP, canonicalIp(text), canonicalIp(text))
}

function parseRange(text: string): Opaque {
  const parsed = parseCidr(text)
  if (!parsed) throw new EvaluationError('network address parse error during conversion from string')
  return new Opaque(CIDR, `${canonicalIp(parsed.address)}/${parsed.length}`, parsed)
}

/** Whether the address is in a range, given as `10.0.0.0/8`. */
function isIn(ip: string, range: string): boolean {
  const { family, address: start, length } = parseCidr(range)!
  if (ipFamily(ip) !== family) return false
  const free = BigInt((family === 'IPv4' ? 32 : 128) - length)
  return toBits(ip, family) >> free === toBits(start, family) >> free
}

const RANGES: Record<string, readonly string[]> = {
  isLoopback: ['127.0.0.0/8', '::1/128'],
  isUnspecified: ['0.0.0.0/32', '::/128'],
  isLinkLocalMulticast: ['224.0.0.0/24', 'ff02::/16'],
  isLinkLocalUnicast: ['169.254.0.0/16', 'fe80::/10'],
}
const NOT_GLOBAL = [...Object.values(RANGES).flat(), '255.255.255.255/32', '224.0.0.0/4', 'ff00::/8']
const rangeOf = (value: Opaque) => value.key
const within = (range: Opaque, inner: Opaque) =>
  Number(inner.key.split('/')[1]) >= Number(range.key.split('/')[1]) && isIn(inner.key.split('/')[0]!, range.key)

function masked(value: Opaque): Opaque {
  const { family, address: start, length } = parseCidr(rangeOf(value))!
  const width = family === 'IPv4' ? 32n : 128n
  const free = width - BigInt(length)
  const bits = (toBits(start, family) >> free) << free
  const step = family === 'IPv4' ? 8n : 16n
  const groups = Array.from(
    { length: Number(width / step) },
    (_, index) => (bits >> (width - step * BigInt(index + 1))) & ((1n << step) - 1n),
  )
  const text = family === 'IPv4' ? groups.join('.') : groups.map((group) => group.toString(16)).join(':')
  return parseRange(`${text}/${length}`)
}

const addresses: readonly Overload[] = [
  overload(`ip(string): ${IP}`, parseIp),
  overload('isIP(string): bool', isIp),
  scoped('ip.isCanonical(string): bool', (text: string) => parseIp(text).key === text),
  overload(`${IP}.family(): int`, (ip: Opaque) => (ip.key.includes(':') ? 6n : 4n)),
  ...Object.entries(RANGES).map(([name, ranges]) =>
    overload(`${IP}.${name}(): bool`, (ip: Opaque) => ranges.some((range) => isIn(ip.key, range))),
  ),
  overload(`${IP}.isGlobalUnicast(): bool`, (ip: Opaque) => !NOT_GLOBAL.some((range) => isIn(ip.key, range))),
  overload(`string(${IP}): string`, (ip: Opaque) => ip.key),
  overload(`cidr(string): ${CIDR}`, parseRange),
  overload('isCIDR(string): bool', (text: string) => parseCidr(text) !== undefined),
  overload(`${CIDR}.containsIP(string): bool`, (range: Opaque, ip: string) => isIn(parseIp(ip).key, range.key)),
  overload(`${CIDR}.containsIP(${IP}): bool`, (range: Opaque, ip: Opaque) => isIn(ip.key, range.key)),
  overload(`${CIDR}.containsCIDR(string): bool`, (range: Opaque, inner: string) => within(range, parseRange(inner))),
  overload(`${CIDR}.containsCIDR(${CIDR}): bool`, within),
  overload(`${CIDR}.ip(): ${IP}`, (range: Opaque) => parseIp(range.key.split('/')[0]!)),
  overload(`${CIDR}.masked(): ${CIDR}`, masked),
  overload(`${CIDR}.prefixLength(): int`, (range: Opaque) => BigInt(range.key.split('/')[1]!)),
  overload(`string(${CIDR}): string`, (range: Opaque) => range.key),
]

const SEMVER = 'kubernetes.Semver'
const VERSION =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?(?:\+[0-9a-zA-Z-.]+)?$/

/** `v1` and `1.2` count as `1.0.0` and `1.2.0` where that is asked for. */
function normalized(text: string, loose: boolean): string {
  if (!loose) return text
  const [, numbers = '', rest = ''] = /^v?([\d.]*)(.*)$/.exec(text) ?? []
  const parts = numbers.split('.').map((part) => part.replace(/^0+(?=\d)/, ''))
  return `${[...parts, '0', '0'].slice(0, Math.max(3, parts.length)).join('.')}${rest}`
}

function parseVersion(text: string, loose = false): Opaque {
  const match = VERSION.exec(normalized(text, loose))
  if (!match) throw new EvaluationError(`invalid semantic version ${JSON.stringify(text)}`)
  const [whole, major, minor, patch, before] = match
  return new Opaque(SEMVER, whole.replace(/\+.*$/, ''), {
    numbers: [major, minor, patch].map(BigInt as (text: unknown) => bigint),
    before: before?.split('.') ?? [],
  })
}

const versionOf = (value: Opaque) => value.data as { numbers: bigint[]; before: string[] }

function compareVersions(a: Opaque, b: Opaque): number {
  const [left, right] = [versionOf(a), versionOf(b)]
  for (const [index, number] of left.numbers.entries())
    if (number !== right.numbers[index]) return number < right.numbers[index]! ? -1 : 1
  if (left.before.length === 0 || right.before.length === 0)
    return right.before.length - left.before.length > 0 ? 1 : left.before.length > 0 ? -1 : 0
  for (let index = 0; index < Math.max(left.before.length, right.before.length); index++) {
    const order = comparePart(left.before[index], right.before[index])
    if (order !== 0) return order
  }
  return 0
}

/** Numbers come before words, and fewer parts before more. */
function comparePart(a: string | undefined, b: string | undefined): number {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? -1 : 1
  const [left, right] = [a, b].map((text) => /^\d+$/.test(text)) as [boolean, boolean]
  if (left && right) return Math.sign(Number(a) - Number(b))
  if (left !== right) return left ? -1 : 1
  return a < b ? -1 : a > b ? 1 : 0
}

function succeeds(run: () => unknown): boolean {
  try {
    run()
    return true
  } catch (error) {
    if (error instanceof EvaluationError) return false
    throw error
  }
}

const versions: readonly Overload[] = [
  overload(`semver(string): ${SEMVER}`, (text: string) => parseVersion(text)),
  overload(`semver(string, bool): ${SEMVER}`, parseVersion),
  overload('isSemver(string): bool', (text: string) => succeeds(() => parseVersion(text))),
  overload('isSemver(string, bool): bool', (text: string, loose: boolean) => succeeds(() => parseVersion(text, loose))),
  ...['major', 'minor', 'patch'].map((name, index) =>
    overload(`${SEMVER}.${name}(): int`, (value: Opaque) => versionOf(value).numbers[index]!),
  ),
  overload(`${SEMVER}.compareTo(${SEMVER}): int`, (a: Opaque, b: Opaque) => BigInt(compareVersions(a, b))),
  overload(`${SEMVER}.isLessThan(${SEMVER}): bool`, (a: Opaque, b: Opaque) => compareVersions(a, b) < 0),
  overload(`${SEMVER}.isGreaterThan(${SEMVER}): bool`, (a: Opaque, b: Opaque) => compareVersions(a, b) > 0),
]

const FORMAT = 'kubernetes.NamedFormat'
const asPrefix = (rule: (text: string) => readonly string[]) => (text: string) => rule(text.endsWith('-') ? `${text}a` : text)
const bySchema = (format: string, why: string) => (text: string) => (isOfFormat(format, text) ? [] : [why])
const FORMATS: Record<string, (text: string) => readonly string[]> = {
  ...{ dns1123Label: dnsLabel, dns1123Subdomain: dnsSubdomain, dns1035Label: dnsLabel1035, qualifiedName, labelValue },
  ...{
    dns1123LabelPrefix: asPrefix(dnsLabel),
    dns1123SubdomainPrefix: asPrefix(dnsSubdomain),
    dns1035LabelPrefix: asPrefix(dnsLabel1035),
  },
  ...{
    uri: bySchema('uri', 'must be a valid URI'),
    uuid: bySchema('uuid', 'does not match the UUID format'),
    byte: bySchema('byte', 'invalid base64'),
  },
  ...{ date: bySchema('date', 'invalid date'), datetime: bySchema('date-time', 'invalid datetime') },
}
const formatNamed = (name: string) => new Opaque(FORMAT, name, name)

function validate(format: Opaque, text: string): Value {
  const complaints = FORMATS[format.key]!(text)
  return complaints.length === 0 ? NONE : new Optional(complaints)
}

const formats: readonly Overload[] = [
  ...Object.keys(FORMATS).map((name) => scoped(`format.${name}(): ${FORMAT}`, () => formatNamed(name))),
  scoped(`format.named(string): optional<${FORMAT}>`, (name: string) => (FORMATS[name] ? new Optional(formatNamed(name)) : NONE)),
  overload(`${FORMAT}.validate(string): optional<list<string>>`, validate, 'scan'),
]

export const objectLibrary: readonly Overload[] = [...quantities, ...urls, ...addresses, ...versions, ...formats]
