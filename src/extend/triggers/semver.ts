/**
 * Versions and ranges of them (semver.org 2.0, and the ranges that npm made common): `^1.2`, `~1.2.3`, `>=1.2 <2`, `1.x`,
 * `1.2 - 1.4`, alternatives with `||`. A leading `v` is allowed. Pre-releases are only in a range that names one of the same
 * version, as with npm. Pure.
 */

export interface Version {
  major: number
  minor: number
  patch: number
  /** `rc.1` as `['rc', 1]`; empty for a release. */
  pre: readonly (string | number)[]
}

interface Comparator {
  operator: '<' | '<=' | '>' | '>='
  version: Version
}

/** Alternatives, each of which is met when all its comparators are. */
export type Range = readonly (readonly Comparator[])[]

const VERSION = /^v?(\d{1,15})\.(\d{1,15})\.(\d{1,15})(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?$/
const PARTIAL =
  /^(\^|~|>=|<=|>|<|=)?\s*v?(\d{1,15}|[xX*])(?:\.(\d{1,15}|[xX*])(?:\.(\d{1,15}|[xX*])(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?)?)?$/

/** Undefined for what is no full version. */
export function parseVersion(text: string): Version | undefined {
  const match = VERSION.exec(text)
  if (!match) return undefined
  const [, major = '', minor = '', patch = '', pre] = match
  return { major: Number(major), minor: Number(minor), patch: Number(patch), pre: preOf(pre) }
}

/** Negative when `a` is the lower one. */
export function compareVersions(a: Version, b: Version): number {
  return a.major - b.major || a.minor - b.minor || a.patch - b.patch || comparePre(a.pre, b.pre)
}

/** Throws an Error that names the part that cannot be read. */
export function parseRange(text: string): Range {
  return text.split('||').map((alternative) => {
    const trimmed = alternative.trim()
    const hyphen = /^(\S+)\s+-\s+(\S+)$/.exec(trimmed)
    if (hyphen) return [...comparators(`>=${hyphen[1]}`), ...comparators(`<=${hyphen[2]}`)]
    const parts = trimmed.replaceAll(/(\^|~|>=|<=|>|<|=)\s+/g, '$1').split(/\s+/)
    return parts.filter((part) => part !== '').flatMap(comparators)
  })
}

export function satisfies(version: Version, range: Range): boolean {
  return range.some((alternative) => {
    if (!alternative.every((comparator) => meets(version, comparator))) return false
    if (version.pre.length === 0) return true
    return alternative.some(({ version: named }) => named.pre.length > 0 && sameRelease(named, version))
  })
}

function meets(version: Version, { operator, version: limit }: Comparator): boolean {
  const order = compareVersions(version, limit)
  switch (operator) {
    case '<':
      return order < 0
    case '<=':
      return order <= 0
    case '>':
      return order > 0
    case '>=':
      return order >= 0
  }
}

function comparators(text: string): Comparator[] {
  const match = PARTIAL.exec(text)
  if (!match) throw new Error(`${JSON.stringify(text)} is no version or part of a range`)
  const [, operator = '', ...written] = match
  const [major, minor, patch] = written
    .slice(0, 3)
    .map((part) => (part === undefined || /[xX*]/.test(part) ? undefined : Number(part)))
  if (major === undefined) {
    if (operator === '<' || operator === '>') throw new Error(`${JSON.stringify(text)} is met by no version`)
    return []
  }
  const low: Version = { major, minor: minor ?? 0, patch: patch ?? 0, pre: preOf(written[3]) }
  /** The first version that no longer begins with what is written. */
  const after = minor === undefined ? release(major + 1, 0, 0) : patch === undefined ? release(major, minor + 1, 0) : undefined
  switch (operator) {
    case '^':
      return between(low, caretEnd(low, minor, patch))
    case '~':
      return between(low, minor === undefined ? release(major + 1, 0, 0) : release(major, minor + 1, 0))
    case '>':
      return [after ? { operator: '>=', version: after } : { operator: '>', version: low }]
    case '<=':
      return [after ? { operator: '<', version: lowest(after) } : { operator: '<=', version: low }]
    case '>=':
      return [{ operator: '>=', version: low }]
    case '<':
      return [{ operator: '<', version: after ? lowest(low) : low }]
    default:
      if (after) return between(low, after)
      return [
        { operator: '>=', version: low },
        { operator: '<=', version: low },
      ]
  }
}

/** Below the first part that is not zero, as far as parts are written. */
function caretEnd({ major, minor, patch }: Version, writtenMinor: number | undefined, writtenPatch: number | undefined): Version {
  if (major > 0 || writtenMinor === undefined) return release(major + 1, 0, 0)
  if (minor > 0 || writtenPatch === undefined) return release(0, minor + 1, 0)
  return release(0, 0, patch + 1)
}

function between(low: Version, end: Version): Comparator[] {
  return [
    { operator: '>=', version: low },
    { operator: '<', version: lowest(end) },
  ]
}

function release(major: number, minor: number, patch: number): Version {
  return { major, minor, patch, pre: [] }
}

/** Before every pre-release of it, so that `^1.2` does not end with 2.0.0-rc.1; a comparator with it does not name a pre-release. */
function lowest(version: Version): Version {
  return { ...version, pre: LOWEST }
}
const LOWEST: readonly (string | number)[] = [-1]

function sameRelease(a: Version, b: Version): boolean {
  return a.pre !== LOWEST && a.major === b.major && a.minor === b.minor && a.patch === b.patch
}

function preOf(text: string | undefined): (string | number)[] {
  return text === undefined ? [] : text.split('.').map((part) => (/^\d{1,15}$/.test(part) ? Number(part) : part))
}

/** A release is above its pre-releases; numbers are below words, and fewer parts below more. */
function comparePre(a: Version['pre'], b: Version['pre']): number {
  if (a.length === 0 || b.length === 0) return Number(a.length === 0) - Number(b.length === 0)
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const [left, right] = [a[i], b[i]]
    if (left === undefined || right === undefined) return left === undefined ? -1 : 1
    if (left === right) continue
    if (typeof left === typeof right) return left < right ? -1 : 1
    return typeof left === 'number' ? -1 : 1
  }
  return 0
}
