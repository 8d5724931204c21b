/** Counting pods that match a selector, node by node: what affinity and spreading are decided from. */
import { labelSelector } from '../api/selectors.ts'
import type { LabelSelector, Pod } from '../api/types.ts'

/** Which pods are meant: by namespace and labels. Two filters with one key mean the same pods. */
export interface PodFilter {
  readonly key: string
  matches(pod: Pod): boolean
}

export interface PodCounter {
  add(pod: Pod, nodeName: string, by: 1 | -1): void
  readonly byNode: ReadonlyMap<string, number>
  readonly total: number
}

export function createPodCounter(filter: PodFilter): PodCounter {
  const byNode = new Map<string, number>()
  let total = 0
  return {
    byNode,
    get total() {
      return total
    },
    add(pod, nodeName, by) {
      if (pod.metadata.deletionTimestamp || !filter.matches(pod)) return
      const now = (byNode.get(nodeName) ?? 0) + by
      total += by
      if (now > 0) byNode.set(nodeName, now)
      else byNode.delete(nodeName)
    },
  }
}

interface Term {
  labelSelector?: LabelSelector | undefined
  namespaces?: string[] | undefined
  namespaceSelector?: LabelSelector | undefined
  matchLabelKeys?: string[] | undefined
  mismatchLabelKeys?: string[] | undefined
}

/**
 * The filter of an affinity or spreading term, read from the side of `pod`: its namespace without an explicit one,
 * its values for matchLabelKeys. A missing label selector matches nothing, an empty one everything.
 */
export function podFilterOf(
  term: Term,
  pod: Pod,
  namespaceLabels: (namespace: string) => Record<string, string> | undefined,
): PodFilter {
  const selector = withLabelKeys(term, pod.metadata.labels ?? {})
  const labels = labelSelector(selector)
  const own = pod.metadata.namespace ?? ''
  const named = term.namespaces?.length ? term.namespaces : term.namespaceSelector ? [] : [own]
  const namespaceSelector = labelSelector(term.namespaceSelector)
  const inNamespace = (namespace: string) =>
    named.includes(namespace) || (term.namespaceSelector !== undefined && namespaceSelector.matches(namespaceLabels(namespace)))
  return {
    key: JSON.stringify([named, term.namespaceSelector ?? null, selector ?? null]),
    matches: (other) => inNamespace(other.metadata.namespace ?? '') && labels.matches(other.metadata.labels),
  }
}

function withLabelKeys(term: Term, labels: Record<string, string>): LabelSelector | undefined {
  if (!term.labelSelector || !(term.matchLabelKeys?.length || term.mismatchLabelKeys?.length)) return term.labelSelector
  const requirement = (operator: string) => (key: string) => ({ key, operator, values: [labels[key] as string] })
  const has = (key: string) => labels[key] !== undefined
  return {
    ...term.labelSelector,
    matchExpressions: [
      ...(term.labelSelector.matchExpressions ?? []),
      ...(term.matchLabelKeys ?? []).filter(has).map(requirement('In')),
      ...(term.mismatchLabelKeys ?? []).filter(has).map(requirement('NotIn')),
    ],
  }
}
