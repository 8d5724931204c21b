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
import type { InventoryItem, RuntimeInventory } from '../runtime/runtime.ts'
import { type NodeDescription, nodeLabels, nodeObject, nodeStatus } from './node-object.ts'

const LEASE_NAMESPACE = 'kube-node-lease'
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

export interface RegistrationOptions {
  client: Client
  clock: Clock
  log: Log
  description: NodeDescription
  /** The runtime's; what comes into it or leaves it is said at once. */
  inventory?: RuntimeInventory | undefined
}

export class Registration {
  private readonly options: RegistrationOptions
  private readonly stopping = new AbortController()
  private conditions: readonly NodeCondition[] = []
  private uid: string | undefined
  private renewing: Promise<void> = Promise.resolve()
  private unfollow = () => {}
  /** The images as they were last reported. */
  private reported: readonly InventoryItem[] | undefined
  private reporting: Promise<void> | undefined
  private mayHaveChanged = false

  constructor(options: RegistrationOptions) {
    this.options = options
  }

  /** Resolves when the Node is there and Ready. */
  async start(): Promise<void> {
    await this.insist('node registration', (signal) => this.ensureNode(signal))
    await Promise.all([
      this.insist('node status', (signal) => this.report(signal)),
      this.insist('lease', (signal) => this.renewLease(signal)),
    ])
    this.followImages()
    // Ends with the stop only, by the rejection of its pause.
    this.renewing = this.keepUp().catch(() => {})
  }

  /** Ends renewal; says NotReady if there is to be a farewell. Never throws. */
  async stop(farewell: boolean): Promise<void> {
    const { clock, log, description } = this.options
    this.stopping.abort()
    this.unfollow()
    await Promise.all([this.renewing, this.reporting])
    if (!farewell) return
    const patience = new AbortController()
    const cancel = clock.after(FAREWELL_MS, () => patience.abort(), { unref: true })
    try {
      await this.writeStatus(STOPPED, patience.signal)
    } catch (error) {
      log.debug('could not say that the node stops', { node: description.name, error: (error as Error).message })
    } finally {
      cancel()
    }
  }

  private async keepUp(): Promise<void> {
    const { clock } = this.options
    let statusAt = clock.monotonic()
    for (;;) {
      await delay(clock, RENEW_MS, this.stopping.signal)
      await this.insist('lease renewal', (signal) => this.renewLease(signal))
      if (clock.monotonic() - statusAt < STATUS_MS && !(await this.haveImagesChanged())) continue
      statusAt = clock.monotonic()
      await this.insist('node status', (signal) => this.report(signal))
    }
  }

  private followImages(): void {
    try {
      this.unfollow = this.options.inventory?.onChange(() => void this.reportImages()) ?? this.unfollow
    } catch (error) {
      this.options.log.info('changes of images are seen at heartbeats only', { error: (error as Error).message })
    }
  }

  /** Changes that come while one is being reported are reported together afterwards. */
  private reportImages(): Promise<void> {
    this.mayHaveChanged = true
    this.reporting ??= this.reportImagesNow().finally(() => {
      this.reporting = undefined
    })
    return this.reporting
  }

  private async reportImagesNow(): Promise<void> {
    while (this.mayHaveChanged && !this.stopping.signal.aborted) {
      this.mayHaveChanged = false
      if (await this.haveImagesChanged()) await this.insist('node status', (signal) => this.report(signal))
    }
  }

  private async haveImagesChanged(): Promise<boolean> {
    const { inventory, log } = this.options
    try {
      return inventory !== undefined && (await inventory.list()) !== this.reported
    } catch (error) {
      log.warn('the images on this node could not be listed', { error: (error as Error).message })
      return false
    }
  }

  /** Until it works or the agent stops. */
  private async insist(what: string, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const { clock, log, description } = this.options
    const { signal } = this.stopping
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

  private async ensureNode(signal: AbortSignal): Promise<void> {
    const { client, description } = this.options
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
    this.uid = node.metadata.uid
    this.conditions = node.status?.conditions ?? []
  }

  /** A Node that somebody deleted is registered again. */
  private async report(signal: AbortSignal): Promise<void> {
    try {
      await this.writeStatus(READY, signal)
    } catch (error) {
      if (!isNotFound(error)) throw error
      await this.ensureNode(signal)
      await this.writeStatus(READY, signal)
    }
  }

  private async writeStatus(ready: typeof READY, signal: AbortSignal): Promise<void> {
    const { client, clock, description, inventory } = this.options
    const images = await inventory?.list()
    const status = nodeStatus(description, this.conditions, ready, timestamp(clock), images)
    const node = await client.patch(nodes, description.name, 'strategic', { status }, { subresource: 'status', signal })
    this.conditions = node.status?.conditions ?? []
    this.reported = images
  }

  private async renewLease(signal: AbortSignal): Promise<void> {
    const { client, clock, description } = this.options
    const renewTime = microTimestamp(clock)
    try {
      await client.patch(leases, description.name, 'merge', { spec: { renewTime } }, { namespace: LEASE_NAMESPACE, signal })
    } catch (error) {
      if (!isNotFound(error)) throw error
      await client.create(leases, this.newLease(renewTime), { signal })
    }
  }

  private newLease(renewTime: string): Lease {
    const { name } = this.options.description
    const owner = { apiVersion: 'v1', kind: 'Node', name, uid: this.uid ?? '' }
    return {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name, namespace: LEASE_NAMESPACE, ...(this.uid && { ownerReferences: [owner] }) },
      spec: { holderIdentity: name, leaseDurationSeconds: LEASE_SECONDS, renewTime },
    }
  }
}
