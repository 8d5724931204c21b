/** A range of Service addresses that no other cluster on this host has claimed: clusters side by side must not share one. */
import { createServer } from 'node:net'

/** The usual range first; each is a /16. */
const CANDIDATES = Array.from({ length: 16 }, (_, i) => `10.${96 + i}.0.0/16`)

/** Throws when all are taken. A range is taken when its first address is local to this host: then somebody routes it here. */
export async function freeServiceRange(): Promise<string> {
  for (const range of CANDIDATES) if (!(await isLocal(addressIn(range, 1)))) return range
  throw new Error(`every range of Service addresses is in use on this host (${CANDIDATES[0]} to ${CANDIDATES.at(-1)})`)
}

/** The `index`th address of a /16. */
export function addressIn(range: string, index: number): string {
  const [a, b] = range.split('.')
  return `${a}.${b}.${index >> 8}.${index & 255}`
}

/** Only an address of this host can be bound. */
function isLocal(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen({ host: address, port: 0 }, () => probe.close(() => resolve(true)))
  })
}
