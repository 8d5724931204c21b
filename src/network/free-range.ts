/** A range of Service addresses that no other cluster on this host has claimed: clusters side by side must not share one. */
import { createServer } from 'node:net'
import { claimOnHost } from '../base/host-claim.ts'

/** The usual range first; each is a /16. */
const CANDIDATES = Array.from({ length: 16 }, (_, i) => `10.${96 + i}.0.0/16`)

export interface ClaimedRange {
  readonly range: string
  /** Once nobody uses its addresses any more. */
  release(): Promise<void>
}

/**
 * Taken until it is released, so that of clusters that start at the same moment each gets another one. `wanted` is the only one
 * that will do. Throws when all are taken.
 */
export async function claimServiceRange(wanted?: string): Promise<ClaimedRange> {
  for (const range of wanted === undefined ? CANDIDATES : [wanted]) {
    const claim = await claimOnHost(`services/${range}`)
    // Its first address is local to this host where somebody routes the range here, whether or not that one claims names.
    if (claim && (wanted !== undefined || !(await isLocal(addressIn(range, 1))))) return { range, release: claim.release }
    await claim?.release()
    // Where clusters do not route to their Services, they may have the same addresses.
    if (!claim && range === wanted && !(await isLocal(addressIn(range, 1)))) return { range, release: async () => {} }
  }
  if (wanted !== undefined)
    throw new Error(
      `the Service addresses of this cluster, ${wanted}, are in use by another cluster on this host: stop that first`,
    )
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
