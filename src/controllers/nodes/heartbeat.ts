/** What becomes of a node's conditions when it falls silent. Pure. */
import type { Node, NodeCondition } from '../../api/types.ts'

const WATCHED = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'] as const

/** All conditions the node itself reports become Unknown: nobody knows. */
export function silentConditions(node: Node, now: string): NodeCondition[] {
  const before = node.status?.conditions ?? []
  const silent = WATCHED.map((type): NodeCondition => {
    const known = before.find((condition) => condition.type === type)
    if (!known) {
      const never = { reason: 'NodeStatusNeverUpdated', message: 'Kubelet never posted node status.' }
      return { type, status: 'Unknown', ...never, lastHeartbeatTime: node.metadata.creationTimestamp, lastTransitionTime: now }
    }
    if (known.status === 'Unknown') return known
    const stopped = { reason: 'NodeStatusUnknown', message: 'Kubelet stopped posting node status.' }
    return { ...known, status: 'Unknown', ...stopped, lastTransitionTime: now }
  })
  return [...before.filter(({ type }) => !WATCHED.some((one) => one === type)), ...silent]
}

/** What changes with every sign of life: the lease's renewal and the Ready condition's heartbeat. */
export function signOfLife(node: Node, renewTime: string | undefined): string {
  const ready = node.status?.conditions?.find(({ type }) => type === 'Ready')
  return `${renewTime ?? ''} ${ready?.lastHeartbeatTime ?? ''} ${ready?.status === 'Unknown' ? '' : (ready?.status ?? '')}`
}
