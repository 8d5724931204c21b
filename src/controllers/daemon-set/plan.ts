/** One step of a DaemonSet: on which nodes to start a pod, and which pods to stop. Pure. */
import type { DaemonSet, DaemonSetStatus, Node, Pod } from '../../api/types.ts'
import { resolveIntOrPercent } from '../parts/int-or-percent.ts'
import { isReady, msUntilAvailable } from '../parts/pods.ts'
import { REVISION_LABEL } from '../parts/revisions.ts'
import { nodeOf, placement } from './eligible.ts'

/** Pods started or stopped in one step. */
const BURST_PODS = 250

interface DaemonObserved {
  set: DaemonSet
  nodes: readonly Node[]
  /** The pods it controls, leaving ones included. */
  pods: readonly Pod[]
  /** The hash of the present template. */
  hash: string
  nowMs: number
}

export interface DaemonPlan {
  /** Names of nodes. */
  create: string[]
  remove: Pod[]
  failed: Pod[]
  status: DaemonSetStatus
  nextAvailableMs: number | undefined
}

/** A node and what runs on it: the pods that stay, not those on their way out. */
interface Place {
  node: Node
  run: boolean
  stay: boolean
  pods: Pod[]
  /** Something on its way out still occupies the node. */
  leaving: boolean
}

export function planDaemons(observed: DaemonObserved): DaemonPlan {
  const places = placesOf(observed)
  const plan: DaemonPlan = {
    create: [],
    remove: [],
    failed: [],
    status: statusOf(observed, places),
    nextAvailableMs: nextAvailable(observed),
  }
  if (observed.set.metadata.deletionTimestamp !== undefined) return plan
  for (const place of places) planPlace(observed, place, plan)
  if (observed.set.spec?.updateStrategy?.type !== 'OnDelete') rollOn(observed, places, plan)
  plan.create = plan.create.slice(0, BURST_PODS)
  plan.remove = [...new Set([...plan.failed, ...plan.remove])].slice(0, BURST_PODS)
  return plan
}

function placesOf({ set, nodes, pods }: DaemonObserved): Place[] {
  const byNode = new Map<string, Pod[]>()
  for (const pod of pods) {
    const node = nodeOf(pod) ?? ''
    byNode.set(node, [...(byNode.get(node) ?? []), pod])
  }
  return nodes.map((node) => {
    const here = byNode.get(node.metadata.name ?? '') ?? []
    const staying = here.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    return { node, ...placement(set, node), pods: staying, leaving: staying.length < here.length }
  })
}

/** One pod where one belongs, none elsewhere; finished ones are started anew. */
function planPlace(observed: DaemonObserved, { node, run, stay, pods, leaving }: Place, plan: DaemonPlan): void {
  if (!stay) {
    plan.remove.push(...pods)
    return
  }
  const failed = pods.filter(({ status }) => status?.phase === 'Failed' || status?.phase === 'Succeeded')
  plan.failed.push(...failed)
  const running = pods.filter((pod) => !failed.includes(pod))
  if (pods.length === 0 && run && !leaving) plan.create.push(node.metadata.name ?? '')
  // While an update surges, an old and a new pod share the node.
  if (running.length < 2 || surgeOf(observed, Number.MAX_SAFE_INTEGER) > 0) return
  const oldestFirst = [...running].sort((a, b) => Number(isBound(b)) - Number(isBound(a)) || byAge(a, b))
  plan.remove.push(...oldestFirst.slice(1))
}

const isBound = ({ spec }: Pod) => Boolean(spec?.nodeName)

function byAge(a: Pod, b: Pod): number {
  return (a.metadata.creationTimestamp ?? '') < (b.metadata.creationTimestamp ?? '') ? -1 : 1
}

function surgeOf({ set }: DaemonObserved, desired: number): number {
  const rolls = set.spec?.updateStrategy?.type !== 'OnDelete'
  return rolls ? resolveIntOrPercent(set.spec?.updateStrategy?.rollingUpdate?.maxSurge ?? 0, desired, 'up') : 0
}

/** Replaces pods of an older template, as many at once as may be unavailable, or as may be there twice. */
function rollOn(observed: DaemonObserved, places: readonly Place[], plan: DaemonPlan): void {
  const wanted = places.filter(({ run }) => run)
  const surge = surgeOf(observed, wanted.length)
  if (surge > 0) {
    surgeOn(observed, wanted, surge, plan)
    return
  }
  const given = observed.set.spec?.updateStrategy?.rollingUpdate?.maxUnavailable ?? 1
  const allowed = Math.max(1, resolveIntOrPercent(given, wanted.length, 'up'))
  let unavailable = 0
  const candidates: Pod[] = []
  for (const { pods } of wanted) {
    const [pod] = pods
    if (!pod || !isAvailable(observed, pod)) unavailable += 1
    if (pod && isOld(observed, pod)) {
      // What serves nobody can go at once.
      if (isAvailable(observed, pod)) candidates.push(pod)
      else plan.remove.push(pod)
    }
  }
  plan.remove.push(...candidates.slice(0, Math.max(0, allowed - unavailable)))
}

function surgeOn(observed: DaemonObserved, wanted: readonly Place[], surge: number, plan: DaemonPlan): void {
  let extra = 0
  const candidates: string[] = []
  for (const { node, pods, leaving } of wanted) {
    const old = pods.find((pod) => isOld(observed, pod))
    const fresh = pods.find((pod) => !isOld(observed, pod))
    if (!old) continue
    if (fresh) {
      if (isAvailable(observed, fresh) || !isAvailable(observed, old)) plan.remove.push(old)
      else extra += 1
    } else if (!isAvailable(observed, old)) plan.create.push(node.metadata.name ?? '')
    else if (!leaving) candidates.push(node.metadata.name ?? '')
  }
  plan.create.push(...candidates.slice(0, Math.max(0, surge - extra)))
}

function isOld({ hash }: DaemonObserved, pod: Pod): boolean {
  return pod.metadata.labels?.[REVISION_LABEL] !== hash
}

function isAvailable({ set, nowMs }: DaemonObserved, pod: Pod): boolean {
  return msUntilAvailable(pod, set.spec?.minReadySeconds ?? 0, nowMs) === 0
}

function statusOf(observed: DaemonObserved, places: readonly Place[]): DaemonSetStatus {
  const { set } = observed
  const counts = { desired: 0, current: 0, misscheduled: 0, ready: 0, updated: 0, available: 0 }
  for (const { run, pods } of places) {
    if (!run) {
      if (pods.length > 0) counts.misscheduled += 1
      continue
    }
    counts.desired += 1
    const [oldest] = [...pods].sort(byAge)
    if (!oldest) continue
    counts.current += 1
    if (isReady(oldest)) counts.ready += 1
    if (isAvailable(observed, oldest)) counts.available += 1
    if (pods.every((pod) => !isOld(observed, pod))) counts.updated += 1
  }
  const unavailable = counts.desired - counts.available
  return {
    currentNumberScheduled: counts.current,
    numberMisscheduled: counts.misscheduled,
    desiredNumberScheduled: counts.desired,
    numberReady: counts.ready,
    ...(set.metadata.generation !== undefined && { observedGeneration: set.metadata.generation }),
    ...(counts.updated > 0 && { updatedNumberScheduled: counts.updated }),
    ...(counts.available > 0 && { numberAvailable: counts.available }),
    ...(unavailable > 0 && { numberUnavailable: unavailable }),
    ...(set.status?.collisionCount !== undefined && { collisionCount: set.status.collisionCount }),
    ...(set.status?.conditions && { conditions: set.status.conditions }),
  }
}

function nextAvailable({ set, pods, nowMs }: DaemonObserved): number | undefined {
  let next: number | undefined
  for (const pod of pods) {
    const waitMs = msUntilAvailable(pod, set.spec?.minReadySeconds ?? 0, nowMs)
    if (waitMs) next = Math.min(next ?? waitMs, waitMs)
  }
  return next
}
