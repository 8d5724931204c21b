/**
 * Keeps a node's presence in the API: the Node object, its status, and the lease that says the agent lives. Failures are
 * tried again; they end nothing.
 */
import { isAlreadyExists, isConflict, isNotFound } from '../../api/status.ts'
import type { Lease, Node, NodeCondition } from '../../api/types.ts'
import { type Clock, delay, microTimestamp, timestamp } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Client } from '../../client/client.ts'
import { leases, nodes } from '../../client/resources.ts'
import { type NodeDescription, nodeLabels, nodeObject, nodeStatus } from './node-object.ts'

export const LEASE_NAMESPACE = 'kube-node-lease'
const LEASE_SECONDS = 40
const RENEW_MS = 10_000
/** The status is written anew this often although nothing in it changed. */
const STATUS_MS = 5 * 60_000
const RETRY_INITIAL_MS = 200
const RETRY_MAX_MS = 7_000
/** A stopping agent waits this long for its last word to be heard. */
const FAREWELL_MS = 2_000

const READY = { ok: true, reason: 'KubeletReady', message: 'kubelet is posting ready status' }
const STOPPED = { ok: false, reason: 'NodeAgentStopped', message: 'the node agent was stopped' }

export interface Registration {
  /** Resolves when the Node is there and Ready. */
  start(): Promise<void>
  /** Ends renewal; says NotReady unless told not to. Never throws. */
  stop(farewell: boolean): Promise<void>
}

export function createRegistration(options: {
  client: Client
  clock: Clock
  log: Log
  description: NodeDescription
}): Registration {
  const { client, clock, log, description } = options
  const stopping = new AbortController()
  let conditions: readonly NodeCondition[] = []
  let uid: string | undefined
  let renewing: Promise<void> = Promise.resolve()

  async function ensureNode(signal: AbortSignal): Promise<void> {
    let node: Node
    try {
      node = await client.get(nodes, description.name, { signal })
      const labels = nodeLabels(description)
      const current = node.metadata.labels ?? {}
      if (Object.entries(labels).some(([key, value]) => current[key] !== value)) {
        node = await client.patch(nodes, description.name, 'merge', { metadata: { labels } }, { signal })
      }
    } catch (error) {
      if (!isNotFound(error)) throw error
      node = await client.create(nodes, nodeObject(description), { signal })
    }
    uid = node.metadata.uid
    conditions = node.status?.conditions ?? []
  }

  async function writeStatus(ready: typeof READY, signal: AbortSignal): Promise<void> {
    const status = nodeStatus(description, conditions, ready, timestamp(clock))
    const node = await client.patch(nodes, description.name, 'strategic', { status }, { subresource: 'status', signal })
    conditions = node.status?.conditions ?? []
  }

  async function renewLease(signal: AbortSignal): Promise<void> {
    const renewTime = microTimestamp(clock)
    try {
      await client.patch(leases, description.name, 'merge', { spec: { renewTime } }, { namespace: LEASE_NAMESPACE, signal })
    } catch (error) {
      if (!isNotFound(error)) throw error
      await client.create(leases, newLease(renewTime), { signal })
    }
  }

  function newLease(renewTime: string): Lease {
    const { name } = description
    const owner = { apiVersion: 'v1', kind: 'Node', name, uid: uid ?? '' }
    return {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name, namespace: LEASE_NAMESPACE, ...(uid && { ownerReferences: [owner] }) },
      spec: { holderIdentity: name, leaseDurationSeconds: LEASE_SECONDS, renewTime },
    }
  }

  /** Until it works or the agent stops. */
  async function insist(what: string, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const { signal } = stopping
    for (let waitMs = RETRY_INITIAL_MS; !signal.aborted; waitMs = Math.min(RETRY_MAX_MS, waitMs * 2)) {
      try {
        return await work(signal)
      } catch (error) {
        if (signal.aborted) return
        if (!isAlreadyExists(error) && !isConflict(error)) {
          log.warn(`${what} failed, will retry`, { node: description.name, error: (error as Error).message })
        }
        await delay(clock, waitMs, signal).catch(() => {})
      }
    }
  }

  async function keepUp(): Promise<void> {
    let statusAt = clock.monotonic()
    for (;;) {
      await delay(clock, RENEW_MS, stopping.signal)
      await insist('lease renewal', renewLease)
      if (clock.monotonic() - statusAt < STATUS_MS) continue
      statusAt = clock.monotonic()
      await insist('node status', (signal) => report(signal))
    }
  }

  /** A Node that somebody deleted is registered again. */
  async function report(signal: AbortSignal): Promise<void> {
    try {
      await writeStatus(READY, signal)
    } catch (error) {
      if (!isNotFound(error)) throw error
      await ensureNode(signal)
      await writeStatus(READY, signal)
    }
  }

  return {
    async start() {
      await insist('node registration', ensureNode)
      await Promise.all([insist('node status', report), insist('lease', renewLease)])
      renewing = keepUp().catch(() => {})
    },
    async stop(farewell) {
      stopping.abort()
      await renewing
      if (!farewell) return
      const patience = new AbortController()
      const cancel = clock.after(FAREWELL_MS, () => patience.abort(), { unref: true })
      try {
        await writeStatus(STOPPED, patience.signal)
      } catch (error) {
        log.debug('could not say that the node stops', { node: description.name, error: (error as Error).message })
      } finally {
        cancel()
      }
    },
  }
}
