/** Whether a pod's nodeSelector and required node affinity allow a node. Pure. */
import type { Node, NodeSelectorRequirement, Pod } from '../../api/types.ts'

export function matchesNode(pod: Pod, node: Node): boolean {
  const labels = node.metadata.labels ?? {}
  const wanted = Object.entries(pod.spec?.nodeSelector ?? {})
  if (wanted.some(([key, value]) => labels[key] !== value)) return false
  const required = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  if (!required) return true
  return required.nodeSelectorTerms.some(({ matchExpressions = [], matchFields = [] }) => {
    // A term that asks for nothing selects nothing.
    if (matchExpressions.length === 0 && matchFields.length === 0) return false
    const fields: Record<string, string> = { 'metadata.name': node.metadata.name ?? '' }
    return matchExpressions.every((r) => meets(r, labels[r.key])) && matchFields.every((r) => meets(r, fields[r.key]))
  })
}

function meets({ operator, values = [] }: NodeSelectorRequirement, value: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    case 'Gt':
      return value !== undefined && Number(value) > Number(values[0])
    case 'Lt':
      return value !== undefined && Number(value) < Number(values[0])
    default:
      return false
  }
}
