/** IP addresses and CIDRs as the API writes them: parsing, canonical form, and Kubernetes' texts for malformed ones. No I/O. */
import { isIPv4, isIPv6 } from 'node:net'

const NONE: readonly string[] = []

export type IpFamily = 'IPv4' | 'IPv6'

export function ipFamily(value: string): IpFamily | undefined {
  if (isIPv4(value)) return 'IPv4'
  return isIPv6(value) && !value.includes('%') ? 'IPv6' : undefined
}

/** Complaints about an IP address; IPv4-mapped IPv6 addresses are refused as they are ambiguous. */
export function ipAddress(value: string): readonly string[] {
  const family = ipFamily(value)
  if (family === 'IPv4') return NONE
  if (family === 'IPv6') return mappedIPv4(value) ? ['must not be an IPv4-mapped IPv6 address'] : NONE
  if (isIPv4(value.replace(/(^|\.)0+(?=\d)/g, '$1'))) return ['must not have leading 0s']
  return ['must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)']
}

/** As `ipAddress`, and the one canonical spelling is demanded. */
export function canonicalIpAddress(value: string): readonly string[] {
  const complaints = ipAddress(value)
  if (complaints.length > 0) return complaints
  const canonical = canonicalIp(value)
  return canonical === value ? NONE : [`must be in canonical form ("${canonical}")`]
}

/** Complaints about `address/length`, whose bits beyond the length must be zero. */
export function cidr(value: string): readonly string[] {
  const parsed = parseCidr(value)
  if (!parsed) return ['must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)']
  if (parsed.family === 'IPv6' && mappedIPv4(parsed.address)) return ['must not have an IPv4-mapped IPv6 address']
  const hostBits = BigInt((parsed.family === 'IPv4' ? 32 : 128) - parsed.length)
  if (toBits(parsed.address, parsed.family) & ((1n << hostBits) - 1n)) return ['must not have bits set beyond the prefix length']
  return NONE
}

/** The complaint about an address with the length of its network, which must be in its one spelling. */
export function interfaceAddressComplaint(value: string): string | undefined {
  const parsed = parseCidr(value)
  if (!parsed) return 'must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)'
  const canonical = `${canonicalIp(parsed.address)}/${parsed.length}`
  return canonical === value ? undefined : `must be in canonical form ("${canonical}")`
}

export interface Cidr {
  family: IpFamily
  address: string
  length: number
}

export function parseCidr(value: string): Cidr | undefined {
  const match = /^([^/]+)\/(0|[1-9][0-9]*)$/.exec(value)
  const address = match?.[1]
  if (!address) return undefined
  const family = ipFamily(address)
  const length = Number(match[2])
  if (!family || length > (family === 'IPv4' ? 32 : 128)) return undefined
  return { family, address, length }
}

/** Whether every address of `inner` lies in `outer`, and `inner` is the smaller one. */
export function strictlyWithin(inner: Cidr, outer: Cidr): boolean {
  if (inner.family !== outer.family || inner.length <= outer.length) return false
  const hostBits = BigInt((outer.family === 'IPv4' ? 32 : 128) - outer.length)
  return toBits(inner.address, inner.family) >> hostBits === toBits(outer.address, outer.family) >> hostBits
}

/** RFC 5952. */
export function canonicalIp(value: string): string {
  return isIPv4(value) ? value : new URL(`http://[${value}]/`).hostname.slice(1, -1)
}

function mappedIPv4(value: string): boolean {
  return canonicalIp(value).startsWith('::ffff:')
}

/** An address as a number. */
export function toBits(address: string, family: IpFamily): bigint {
  if (family === 'IPv4') return address.split('.').reduce((bits, part) => (bits << 8n) | BigInt(part), 0n)
  const [head = '', tail] = canonicalIp(address).split('::')
  const groups = (text: string) => (text === '' ? [] : text.split(':'))
  const front = groups(head)
  const back = tail === undefined ? [] : groups(tail)
  const middle = Array.from({ length: 8 - front.length - back.length }, () => '0')
  return [...front, ...middle, ...back].reduce((bits, group) => (bits << 16n) | BigInt(`0x${group}`), 0n)
}
