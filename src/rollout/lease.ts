/** The Lease that keeps a second driver away from a roll. A driver that died is followed once its lease has run out. */
import { isAlreadyExists, isConflict, isNotFound, StatusError } from '../api/status.ts'
import type { Lease } from '../api/types.ts'
import { type Clock, microTimestamp } from '../base/clock.ts'
import type { Client } from '../client/client.ts'
import { leases } from '../client/resources.ts'

/** As long as a lease lasts that nobody renews. */
const LEASE_SECONDS = 15
/** How often a driver renews its own, and looks at another's. */
const RENEW_MS = (LEASE_SECONDS * 1000) / 3
const LOOK_MS = 500

export interface LeaseOptions {
  client: Client
  clock: Clock
  namespace: string
  name: string
  holder: string
  /** Takes it from whoever has it: for going back. */
  take: boolean
  isGone: (holder: string) => boolean
  signal?: AbortSignal | undefined
}

export interface HeldLease {
  /** Somebody else has it now, or it could not be renewed in time. */
  isLost(): boolean
  release(): Promise<void>
}

type Acquired = { is: 'held'; lease: HeldLease } | { is: 'busy'; holder: string } | { is: 'interrupted' }

/** Watches a lease of somebody else for as long as it lasts: one that is renewed meanwhile belongs to a driver at work. */
export async function acquireLease(options: LeaseOptions): Promise<Acquired> {
  const { clock, signal } = options
  const startMs = clock.monotonic()
  let seen: { renewed: string | undefined; lasts: number } | undefined
  for (;;) {
    const answer = await attempt(options, seen !== undefined && clock.monotonic() - startMs >= seen.lasts)
    if ('lease' in answer) return { is: 'held', lease: answer.lease }
    const { holder, renewed, lasts } = answer
    if (seen && seen.renewed !== renewed) return { is: 'busy', holder }
    seen = { renewed, lasts }
    await pause(clock, LOOK_MS, signal)
    if (signal?.aborted) return { is: 'interrupted' }
  }
}

type Attempt = { lease: HeldLease } | { holder: string; renewed: string | undefined; lasts: number }

async function attempt(options: LeaseOptions, hasRunOut: boolean): Promise<Attempt> {
  const { client, namespace, name, take, isGone } = options
  for (;;) {
    try {
      const found = await find(client, namespace, name)
      if (!found) return { lease: held(options, await client.create(leases, leaseOf(options), { namespace })) }
      const { holderIdentity: holder = '', renewTime: renewed, leaseDurationSeconds = LEASE_SECONDS } = found.spec ?? {}
      const isFree = holder === '' || holder === options.holder || take || hasRunOut || isGone(holder)
      if (!isFree) return { holder, renewed, lasts: leaseDurationSeconds * 1000 }
      const mine = { ...leaseOf(options), metadata: found.metadata }
      return { lease: held(options, await client.update(leases, mine, { namespace })) }
    } catch (error) {
      // Without the right to leases a roll is only kept apart by the conditions of its writes.
      if (error instanceof StatusError && error.code === 403) return { lease: withoutLease }
      if (!isConflict(error) && !isAlreadyExists(error) && !isNotFound(error)) throw error
    }
  }
}

/** Takes away what a driver left that died after its roll was over. */
export async function sweepLease(
  options: Pick<LeaseOptions, 'client' | 'clock' | 'namespace' | 'name' | 'isGone'>,
): Promise<void> {
  const { client, clock, namespace, name, isGone } = options
  try {
    const found = await find(client, namespace, name)
    if (!found) return
    const { holderIdentity: holder = '', renewTime = '', leaseDurationSeconds = LEASE_SECONDS } = found.spec ?? {}
    const hasRunOut = clock.now() - Date.parse(renewTime) > leaseDurationSeconds * 1000
    if (!hasRunOut && !isGone(holder)) return
    const { uid = '', resourceVersion = '' } = found.metadata
    await client.delete(leases, name, { namespace, preconditions: { uid, resourceVersion } })
  } catch (error) {
    // Nothing depends on it: whoever may not see leases, or is too late, leaves it.
    if (!(error instanceof StatusError)) throw error
  }
}

const withoutLease: HeldLease = { isLost: () => false, release: () => Promise.resolve() }

async function find(client: Client, namespace: string, name: string): Promise<Lease | undefined> {
  try {
    return await client.get(leases, name, { namespace })
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}

function leaseOf({ clock, namespace, name, holder }: LeaseOptions): Lease {
  const now = microTimestamp(clock)
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name, namespace },
    spec: { holderIdentity: holder, leaseDurationSeconds: LEASE_SECONDS, acquireTime: now, renewTime: now },
  }
}

function held({ client, clock, namespace, name }: LeaseOptions, first: Lease): HeldLease {
  let lease = first
  let isLost = false
  let isReleased = false
  let renewedMs = clock.monotonic()
  let renewing: Promise<void> = Promise.resolve()
  let cancel = clock.after(RENEW_MS, renewLater, { unref: true })

  function renewLater(): void {
    renewing = renew().finally(() => {
      if (!isReleased && !isLost) cancel = clock.after(RENEW_MS, renewLater, { unref: true })
    })
  }

  async function renew(): Promise<void> {
    try {
      const spec = { ...lease.spec, renewTime: microTimestamp(clock) }
      lease = await client.update(leases, { ...lease, spec }, { namespace })
      renewedMs = clock.monotonic()
    } catch (error) {
      // A server that cannot be reached may be there again before the lease has run out.
      isLost = isConflict(error) || isNotFound(error) || clock.monotonic() - renewedMs >= LEASE_SECONDS * 1000
    }
  }

  return {
    isLost: () => isLost,
    async release() {
      isReleased = true
      cancel()
      await renewing
      if (isLost) return
      const { uid = '', resourceVersion = '' } = lease.metadata
      try {
        await client.delete(leases, name, { namespace, preconditions: { uid, resourceVersion } })
      } catch {
        // Somebody else has it, or the server is not there: then it runs out by itself.
      }
    },
  }
}

/** Resolves after the time, or when the signal aborts. */
function pause(clock: Clock, forMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve()
    const cancel = clock.after(forMs, done)
    function done() {
      cancel()
      signal?.removeEventListener('abort', done)
      resolve()
    }
    signal?.addEventListener('abort', done, { once: true })
  })
}
