/** The two ranges that Services are served from: addresses and node ports, as pools of numbers. */
import { parseCidr } from '../../../api/addresses.ts'
import { Pool, type PoolOptions } from './pool.ts'

type Sources = Pick<PoolOptions, 'clock' | 'random'>

export interface AddressRange {
  readonly pool: Pool
  /** The pool's number of an address; undefined for one outside, for the network's own and for the broadcast one. */
  numberOf(address: string): number | undefined
  addressOf(number: number): string
}

export interface PortRange {
  readonly pool: Pool
  readonly from: number
  readonly to: number
  /** The pool's number of a port; undefined for one outside. */
  numberOf(port: number): number | undefined
}

/** Larger ranges are used only up to this many addresses. */
const MAX_ADDRESSES = 2 ** 16

/** Throws for a text that is no IPv4 CIDR with room for at least one address. */
export function addressRange(cidr: string, sources: Sources): AddressRange {
  const parsed = parseCidr(cidr)
  if (parsed?.family !== 'IPv4' || parsed.length > 30)
    throw new Error(`the Service range ${cidr} is not an IPv4 CIDR of 4 addresses or more`)
  const base = toNumber(parsed.address)
  const size = Math.min(2 ** (32 - parsed.length), MAX_ADDRESSES) - 2
  return {
    pool: new Pool({ size, staticBand: staticBand(size, 16, 256), ...sources }),
    numberOf(address) {
      const number = toNumber(address) - base - 1
      return number >= 0 && number < size ? number : undefined
    },
    addressOf: (number) => toText(base + 1 + number),
  }
}

export function portRange(from: number, to: number, sources: Sources): PortRange {
  const size = to - from + 1
  return {
    pool: new Pool({ size, staticBand: staticBand(size, 32, 128), ...sources }),
    from,
    to,
    numberOf: (port) => (port >= from && port <= to ? port - from : undefined),
  }
}

/** The share of a range that is left to explicit requests: at least 16 and at most `max`, and none of a tiny one. */
function staticBand(size: number, share: number, max: number): number {
  return size <= 16 ? 0 : Math.min(Math.max(16, Math.floor(size / share)), max)
}

function toNumber(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
}

function toText(number: number): string {
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join('.')
}
