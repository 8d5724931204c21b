/**
 * The scheduler: takes pods without a node, most important first, and binds each to the best node that can take it.
 * Decisions are made one after the other on state in memory; bindings go out in parallel.
 */
import { isConflict, isNotFound, StatusError } from '../api/status.ts'
import type { Pod } from '../api/types.ts'
import { type Clock, timestamp } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Client } from '../client/client.ts'
import { namespaces, nodes, pods } from '../client/resources.ts'
import type { EventRecorder } from '../reconcile/recorder.ts'
import { keyOf } from '../watch/informer.ts'
import type { Informers } from '../watch/informers.ts'
import { ClusterState } from './cluster-state.ts'
import { demandOf, describeRefusals, type FilterOutcome, filterNodes, type PodDemand } from './filters.ts'
import { PendingPods } from './pending.ts'
import { planPreemption } from './preemption.ts'
import { Reservations, type WaitingPod } from './reservations.ts'
import { bestNode } from './scores.ts'
import { VolumeView } from './volumes.ts'

/** Bindings under way at once. */
const MAX_BINDINGS = 64
/** Pods decided on before others get a turn of the event loop. */
const DECISIONS_PER_TURN = 50
/** After changes that may make room, how long to gather more before everybody tries again. */
const WAKE_DELAY_MS = 20
/** Everybody tries again after this time, whatever changed. */
const RETRY_ALL_MS = 30_000

export interface SchedulerOptions {
  client: Client
  informers: Informers
  clock: Clock
  log: Log
  recorder: EventRecorder
  random?: () => number
  /** Pods that name another scheduler are left alone. */
  name?: string
}

export interface Scheduler {
  start(): Promise<void>
  stop(): Promise<void>
}

export function createScheduler(options: SchedulerOptions): Scheduler {
  return new DefaultScheduler(options)
}

class DefaultScheduler implements Scheduler {
  readonly #options: SchedulerOptions
  readonly #name: string
  readonly #state: ClusterState
  readonly #pending = new PendingPods()
  readonly #volumes: VolumeView
  readonly #reservations: Reservations
  /** Decided and not yet seen bound: counted on their node meanwhile. */
  readonly #assumed = new Map<string, string>()
  readonly #bindings = new Set<Promise<void>>()
  readonly #unsubscribe: (() => void)[] = []
  readonly #told = new Map<string, string>()
  #running = false
  #scheduled = false
  #cancelWake: (() => void) | undefined
  #cancelRetry: (() => void) | undefined

  constructor(options: SchedulerOptions) {
    this.#options = options
    this.#name = options.name ?? 'default-scheduler'
    const namespaceCache = options.informers.get(namespaces)
    this.#state = new ClusterState((name) => namespaceCache.store.get(name)?.metadata.labels)
    this.#volumes = new VolumeView(options.informers)
    this.#reservations = new Reservations({
      ...{ client: options.client, clock: options.clock, view: this.#volumes },
      settled: ({ pod, nodeName }) => this.#track(this.#bind(pod, nodeName)),
      failed: (waiting, reason) => this.#volumesFailed(waiting, reason),
    })
  }

  async start(): Promise<void> {
    const { informers, clock } = this.#options
    const nodeInformer = informers.get(nodes)
    const podInformer = informers.get(pods)
    this.#unsubscribe.push(
      nodeInformer.subscribe(({ key, object }) => {
        if (object) this.#state.setNode(object)
        else this.#state.removeNode(key)
        this.#wakeSoon()
      }),
      podInformer.subscribe(({ object, old }) => this.#podChanged(object, old)),
      this.#volumes.follow((claimKey) => {
        if (claimKey !== undefined) this.#reservations.claimChanged(claimKey)
        this.#wakeSoon()
      }),
    )
    await informers.whenSynced()
    this.#running = true
    const retry = () => {
      this.#pending.wakeAll()
      this.#run()
      this.#cancelRetry = clock.after(RETRY_ALL_MS, retry, { unref: true })
    }
    retry()
  }

  async stop(): Promise<void> {
    this.#running = false
    this.#cancelWake?.()
    this.#cancelRetry?.()
    for (const unsubscribe of this.#unsubscribe) unsubscribe()
    this.#reservations.stop()
    await Promise.allSettled(this.#bindings)
  }

  #podChanged(pod: Pod | undefined, old: Pod | undefined): void {
    const uid = (pod ?? old)?.metadata.uid ?? ''
    if (!pod || pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed') {
      this.#forget(uid)
      if (old?.spec?.nodeName) this.#wakeSoon()
      return
    }
    if (pod.spec?.nodeName) {
      this.#assumed.delete(uid)
      this.#pending.delete(uid)
      this.#told.delete(uid)
      this.#state.setPod(pod, pod.spec.nodeName)
      if (!old?.spec?.nodeName) this.#wakeSoon()
    } else if (!this.#assumed.has(uid) && this.#isMine(pod)) {
      this.#pending.set(pod, !old || specChanged(pod, old))
      this.#run()
    } else if (!this.#isMine(pod)) this.#pending.delete(uid)
  }

  #isMine(pod: Pod): boolean {
    if (pod.metadata.deletionTimestamp || (pod.spec?.schedulerName ?? 'default-scheduler') !== this.#name) return false
    return !pod.spec?.schedulingGates?.length
  }

  #forget(uid: string): void {
    this.#assumed.delete(uid)
    this.#pending.delete(uid)
    this.#told.delete(uid)
    this.#reservations.drop(uid)
    this.#state.removePod(uid)
  }

  #wakeSoon(): void {
    if (this.#cancelWake || !this.#pending.hasResting) return
    this.#cancelWake = this.#options.clock.after(WAKE_DELAY_MS, () => {
      this.#cancelWake = undefined
      this.#pending.wakeAll()
      this.#run()
    })
  }

  #run(): void {
    if (!this.#running || this.#scheduled || !this.#pending.hasReady) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      for (let decided = 0; decided < DECISIONS_PER_TURN && this.#bindings.size < MAX_BINDINGS && this.#running; decided++) {
        const pod = this.#pending.take()
        if (!pod) return
        this.#decide(pod)
      }
      if (this.#bindings.size < MAX_BINDINGS) this.#run()
    })
  }

  #decide(pod: Pod): void {
    const demand = demandOf(this.#state, pod, this.#volumes.demandOf(pod))
    const outcome = filterNodes(this.#state, demand)
    if (outcome.feasible.length === 0) {
      this.#pending.rest(pod)
      this.#track(this.#reportUnschedulable(demand, outcome))
      return
    }
    const node = bestNode(this.#state, demand, outcome.feasible, this.#options.random ?? Math.random)
    const uid = pod.metadata.uid ?? ''
    this.#assumed.set(uid, node.name)
    this.#state.setPod(pod, node.name)
    const reservations = node.node ? demand.volumes.reservations(node.node) : []
    if (reservations.length === 0) this.#track(this.#bind(pod, node.name))
    else this.#track(this.#reservations.begin({ pod, nodeName: node.name, reservations }))
  }

  /** The volumes were not to be had there: the pod tries again, wherever it can. */
  #volumesFailed({ pod }: WaitingPod, reason: string): void {
    const uid = pod.metadata.uid ?? ''
    this.#assumed.delete(uid)
    this.#state.removePod(uid)
    const current = this.#options.informers.get(pods).store.get(keyOf(pod))
    if (!this.#running || current?.metadata.uid !== uid || current.spec?.nodeName) return
    this.#pending.rest(current)
    this.#wakeSoon()
    this.#track(this.#tell(current, 'SchedulerError', `running PreBind plugin "VolumeBinding": ${reason}`))
  }

  #track(work: Promise<void>): void {
    const tracked = work.finally(() => {
      this.#bindings.delete(tracked)
      this.#run()
    })
    this.#bindings.add(tracked)
  }

  async #bind(pod: Pod, nodeName: string): Promise<void> {
    const { client, recorder, log } = this.#options
    const { name = '', namespace = '', uid = '' } = pod.metadata
    try {
      await client.createSubresource(
        pods,
        name,
        'binding',
        {
          ...{ apiVersion: 'v1', kind: 'Binding' },
          metadata: { name, namespace, uid },
          target: { apiVersion: 'v1', kind: 'Node', name: nodeName },
        },
        { namespace },
      )
      const message = `Successfully assigned ${namespace}/${name} to ${nodeName}`
      recorder.record(
        { apiVersion: 'v1', kind: 'Pod', ...pod },
        { type: 'Normal', reason: 'Scheduled', message, source: this.#name },
      )
    } catch (error) {
      // The cluster moved on: the pod went or was bound by another. The watch tells; until then the node is free again.
      this.#assumed.delete(uid)
      const current = this.#options.informers.get(pods).store.get(`${namespace}/${name}`)
      if (current?.metadata.uid !== uid || !current.spec?.nodeName) this.#state.removePod(uid)
      if (isNotFound(error) || !this.#running) return
      const refused = error instanceof StatusError && (error.code === 403 || error.code === 422)
      if (!isConflict(error) && !refused)
        log.warn('binding failed, will retry', { pod: `${namespace}/${name}`, error: (error as Error).message })
      if (current?.metadata.uid !== uid || current.spec?.nodeName) return
      this.#pending.rest(current)
      // Whoever refuses would do it again at once: the pod waits for something to change.
      if (refused) this.#track(this.#tell(current, 'SchedulerError', `binding rejected: ${error.message}`))
      else this.#wakeSoon()
    }
  }

  /** Says why, and makes room where priority allows. */
  async #reportUnschedulable(demand: PodDemand, outcome: FilterOutcome): Promise<void> {
    const { pod } = demand
    const { name = '', namespace = '' } = pod.metadata
    const plan = planPreemption(demand, outcome.preemptible)
    try {
      for (const victim of plan?.victims ?? []) await this.#preempt(victim, pod, plan?.node.name ?? '')
    } catch (error) {
      if (!isNotFound(error) && this.#running)
        this.#options.log.warn('no room made', { pod: `${namespace}/${name}`, error: (error as Error).message })
      return
    }
    const message = describeRefusals(this.#state, outcome)
    await this.#tell(pod, 'Unschedulable', message, plan && plan.victims.length > 0 ? plan.node.name : undefined)
  }

  /** Says in the pod's condition and an event why it has no node, once for each wording. */
  async #tell(pod: Pod, reason: string, message: string, nominatedNodeName?: string): Promise<void> {
    const { client, recorder, clock, log } = this.#options
    const { name = '', namespace = '', uid = '' } = pod.metadata
    if (this.#told.get(uid) === message) return
    this.#told.set(uid, message)
    recorder.record(
      { apiVersion: 'v1', kind: 'Pod', ...pod },
      { type: 'Warning', reason: 'FailedScheduling', message, source: this.#name },
    )
    const condition = { type: 'PodScheduled', status: 'False', reason, message, lastTransitionTime: timestamp(clock) }
    try {
      await client.patch(
        pods,
        name,
        'strategic',
        { status: { conditions: [condition], ...(nominatedNodeName && { nominatedNodeName }) } },
        { namespace, subresource: 'status' },
      )
    } catch (error) {
      if (!isNotFound(error) && this.#running)
        log.warn('unschedulable pod not reported', { pod: `${namespace}/${name}`, error: (error as Error).message })
    }
  }

  async #preempt(victim: Pod, pod: Pod, nodeName: string): Promise<void> {
    const { client, recorder, clock } = this.#options
    const { name = '', namespace = '', uid } = victim.metadata
    const message = `${this.#name}: preempting to accommodate a higher priority pod`
    const condition = {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'PreemptionByScheduler',
      message,
      lastTransitionTime: timestamp(clock),
    }
    await client.patch(pods, name, 'strategic', { status: { conditions: [condition] } }, { namespace, subresource: 'status' })
    await client.delete(pods, name, { namespace, ...(uid && { preconditions: { uid } }) })
    const preempted = `Preempted by pod ${pod.metadata.uid} on node ${nodeName}`
    recorder.record(
      { apiVersion: 'v1', kind: 'Pod', ...victim },
      { type: 'Normal', reason: 'Preempted', message: preempted, source: this.#name },
    )
  }
}

function specChanged(pod: Pod, old: Pod): boolean {
  return (
    pod.metadata.generation !== old.metadata.generation || pod.spec?.schedulingGates?.length !== old.spec?.schedulingGates?.length
  )
}
