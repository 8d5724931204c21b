/**
 * Watches over the nodes' heartbeats: a silent node's conditions become Unknown, conditions become taints, and the pods of a node
 * that is not ready are no longer ready either. Time is this program's own: a node's clock may be wrong.
 */
import { isNotFound } from '../../api/status.ts'
import type { Node, Pod } from '../../api/types.ts'
import { timestamp } from '../../base/clock.ts'
import { leases, nodes, pods } from '../../client/resources.ts'
import type { ReconcileContext, ReconcileResult, Reconciler } from '../../reconcile/reconciler.ts'
import { splitKey } from '../../watch/informer.ts'
import { inParallel } from '../parts/batches.ts'
import { copyOf } from '../parts/json.ts'
import { isReady } from '../parts/pods.ts'
import { indexByNode, podsOn } from './by-node.ts'
import { signOfLife, silentConditions } from './heartbeat.ts'
import { readyStatus, sameTaints, taintsFor } from './taints.ts'

const LEASE_NAMESPACE = 'kube-node-lease'
/** Without a sign of life for this long a node counts as silent. */
const GRACE_MS = 40_000
/** A node that has just been registered has this long to report for the first time. */
const STARTUP_GRACE_MS = 60_000

interface Sign {
  text: string
  /** Monotonic. */
  seenMs: number
  graceMs: number
}

export function nodeLifecycleController(): Reconciler {
  const signs = new Map<string, Sign>()
  return {
    name: 'node-controller',
    setup(context, enqueue) {
      indexByNode(context.informer(pods).store)
      context.informer(leases)
      context.informer(nodes).subscribe(({ key, object, old }) => {
        if (!object) signs.delete(key)
        else if (!old) registered(context, object)
        if (!object || !old || readyStatus(object) !== readyStatus(old)) enqueueSiblings(context, enqueue)
        if (object) enqueue(key)
      })
      // A renewed lease needs no look, except when it brings a silent node back.
      context.informer(leases).subscribe(({ key, object }) => {
        const { namespace, name } = splitKey(key)
        if (!object || namespace !== LEASE_NAMESPACE) return
        const node = context.informer(nodes).store.get(name)
        if (node) noteSign(context, signs, node)
      })
    },
    reconcile: (key, context) => lookAt(key, context, signs),
  }
}

function registered(context: ReconcileContext, node: Node): void {
  const message = `Node ${node.metadata.name} event: Registered Node ${node.metadata.name} in Controller`
  context.event(node, { type: 'Normal', reason: 'RegisteredNode', message })
}

/** Whether pods are driven away depends on the other nodes, too. */
function enqueueSiblings(context: ReconcileContext, enqueue: (key: string) => void): void {
  for (const node of context.informer(nodes).store.list()) {
    if (readyStatus(node) !== 'True') enqueue(node.metadata.name ?? '')
  }
}

function noteSign(context: ReconcileContext, signs: Map<string, Sign>, node: Node): Sign {
  const name = node.metadata.name ?? ''
  const lease = context.informer(leases).store.get(`${LEASE_NAMESPACE}/${name}`)
  const text = signOfLife(node, lease?.spec?.renewTime)
  const known = signs.get(name)
  if (known?.text === text) return known
  const graceMs = known || lease ? GRACE_MS : STARTUP_GRACE_MS
  const sign = { text, seenMs: context.clock.monotonic(), graceMs }
  signs.set(name, sign)
  return sign
}

async function lookAt(key: string, context: ReconcileContext, signs: Map<string, Sign>): Promise<ReconcileResult | undefined> {
  const node = context.informer(nodes).store.get(key)
  if (!node) return undefined
  const sign = noteSign(context, signs, node)
  const leftMs = sign.graceMs - (context.clock.monotonic() - sign.seenMs)
  let current = node
  if (leftMs <= 0 && readyStatus(node) !== 'Unknown') {
    const conditions = silentConditions(node, timestamp(context.clock))
    const changed = { ...copyOf(node), status: { ...copyOf(node.status ?? {}), conditions } }
    current = await context.client.updateStatus(nodes, changed)
    // This write is not a sign of the node's life.
    signs.set(key, {
      ...sign,
      text: signOfLife(current, context.informer(leases).store.get(`${LEASE_NAMESPACE}/${key}`)?.spec?.renewTime),
    })
    context.event(node, { type: 'Normal', reason: 'NodeNotReady', message: `Node ${key} status is now: NodeNotReady` })
  }
  await setTaints(context, current)
  if (readyStatus(current) !== 'True') await markPodsNotReady(context, current)
  return leftMs > 0 ? { requeueAfterMs: leftMs + 1 } : undefined
}

async function setTaints(context: ReconcileContext, node: Node): Promise<void> {
  const someReady = context
    .informer(nodes)
    .store.list()
    .some((one) => one.metadata.name !== node.metadata.name && readyStatus(one) === 'True')
  const taints = taintsFor(node, { evict: someReady, now: timestamp(context.clock) })
  if (sameTaints(node, taints)) return
  const { name = '', resourceVersion } = node.metadata
  // Taints are replaced as a whole, so the version they were derived from must still hold.
  const patch = { metadata: { resourceVersion }, spec: { taints: taints.length > 0 ? taints : null } }
  await context.client.patch(nodes, name, 'merge', patch).catch(ignoreNotFound)
}

/** Nobody can say that they are: Services must not send them requests. */
async function markPodsNotReady(context: ReconcileContext, node: Node): Promise<void> {
  const ready = podsOn(context.informer(pods).store, node.metadata.name ?? '').filter(isReady)
  await inParallel(ready, (pod) => markNotReady(context, pod))
}

async function markNotReady(context: ReconcileContext, pod: Pod): Promise<void> {
  const { name = '', namespace, uid } = pod.metadata
  const condition = { type: 'Ready', status: 'False', reason: 'NodeNotReady', lastTransitionTime: timestamp(context.clock) }
  const patch = { metadata: { uid }, status: { conditions: [condition] } }
  await context.client.patch(pods, name, 'strategic', patch, { namespace, subresource: 'status' }).catch(ignoreNotFound)
  context.event(pod, { type: 'Warning', reason: 'NodeNotReady', message: 'Node is not ready' })
}

function ignoreNotFound(error: unknown): void {
  if (!isNotFound(error)) throw error
}
