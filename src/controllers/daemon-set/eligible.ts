/** Which nodes a DaemonSet's pods belong on, and the marks that bring a pod to its node. Pure. */
import { allowsNode } from '../../api/node-selectors.ts'
import type { Affinity, DaemonSet, Node, Pod, PodSpec, Toleration } from '../../api/types.ts'
import { tolerates } from '../nodes/taints.ts'

const NAME_FIELD = 'metadata.name'
/** A daemon stays on its node through these; with the host's network through an unavailable pod network as well. */
const STAYS_THROUGH: readonly Toleration[] = [
  { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/disk-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/memory-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/pid-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/unschedulable', operator: 'Exists', effect: 'NoSchedule' },
]
const NEEDS_NO_NETWORK: Toleration = { key: 'node.kubernetes.io/network-unavailable', operator: 'Exists', effect: 'NoSchedule' }

/** The template's tolerations and those every daemon has. */
export function daemonTolerations(spec: PodSpec | undefined): Toleration[] {
  const given = spec?.tolerations ?? []
  const wanted = spec?.hostNetwork ? [...STAYS_THROUGH, NEEDS_NO_NETWORK] : STAYS_THROUGH
  const missing = wanted.filter(({ key, effect }) => !given.some((one) => one.key === key && one.effect === effect))
  return [...given, ...missing.map((toleration) => ({ ...toleration }))]
}

/** `run`: a pod belongs here. `stay`: one that is here may stay. */
export function placement(set: DaemonSet, node: Node): { run: boolean; stay: boolean } {
  const spec = set.spec?.template.spec
  if (spec?.nodeName && spec.nodeName !== node.metadata.name) return { run: false, stay: false }
  if (!allowsNode(spec, node)) return { run: false, stay: false }
  const tolerations = daemonTolerations(spec)
  const untolerated = (node.spec?.taints ?? []).filter(
    (taint) => taint.effect !== 'PreferNoSchedule' && !tolerations.some((toleration) => tolerates(toleration, taint)),
  )
  return { run: untolerated.length === 0, stay: untolerated.every(({ effect }) => effect !== 'NoExecute') }
}

/** Ties a pod to a node while leaving its binding to the scheduler: the node's name is asked for in every term. */
export function affinityTo(nodeName: string, affinity: Affinity | undefined): Affinity {
  const matchFields = [{ key: NAME_FIELD, operator: 'In', values: [nodeName] }]
  const required = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  const terms = required?.nodeSelectorTerms.map((term) => ({ ...term, matchFields })) ?? [{ matchFields }]
  return {
    ...affinity,
    nodeAffinity: { ...affinity?.nodeAffinity, requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms } },
  }
}

/** The node a daemon's pod is bound to, or tied to. */
export function nodeOf(pod: Pod): string | undefined {
  if (pod.spec?.nodeName) return pod.spec.nodeName
  const terms = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
  for (const { matchFields } of terms) for (const { key, values } of matchFields ?? []) if (key === NAME_FIELD) return values?.[0]
  return undefined
}
