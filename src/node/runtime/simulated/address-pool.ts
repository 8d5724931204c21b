/** Gives out the addresses of an IPv4 range and takes them back; the network, its first host and the broadcast address stay. */
export interface AddressPool {
  /** Throws when all are taken. */
  take(): string
  give(address: string): void
}

export function createAddressPool(cidr: string): AddressPool {
  const [base = '', bits = '32'] = cidr.split('/')
  const first = toNumber(base) + 2
  const last = toNumber(base) + 2 ** (32 - Number(bits)) - 2
  const free: number[] = []
  let next = first
  return {
    take() {
      // Addresses that were never used come first: one that was just freed may still be remembered elsewhere.
      if (next <= last) return toText(next++)
      const again = free.shift()
      if (again === undefined) throw new Error(`no address left in ${cidr}`)
      return toText(again)
    },
    give(address) {
      free.push(toNumber(address))
    },
  }
}

function toNumber(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
}

function toText(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.')
}
