/** What Kubernetes warns of where an address is right, but written in a way of its own. */
import { canonicalIp, ipFamily, parseCidr } from '../addresses.ts'

/** Appends a warning where an IPv6 address is not in its canonical form. `path` is only built where there is one. */
export function warnOfAddress(value: string, path: () => string, warnings: string[]): void {
  if (ipFamily(value) !== 'IPv6') return
  const canonical = canonicalIp(value)
  if (canonical === value) return
  warnings.push(`${path()}: IPv6 address "${value}" should be in RFC 5952 canonical format ("${canonical}")`)
}

export function warnOfRange(value: string, path: () => string, warnings: string[]): void {
  const range = parseCidr(value)
  if (range?.family !== 'IPv6') return
  const canonical = `${canonicalIp(range.address)}/${range.length}`
  if (canonical === value) return
  warnings.push(`${path()}: IPv6 CIDR value "${value}" should be in RFC 5952 canonical format ("${canonical}")`)
}
