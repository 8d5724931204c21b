/** Values of a pod's own fields for `fieldRef`, as env variables and as downwardAPI files. Pure. */
import type { Pod } from '../types.ts'
import { formatMap } from './format-map.ts'

/** The node's part in it: addresses are known here before they are in the pod's status. */
export interface FieldContext {
  podIps: readonly string[]
  hostIps: readonly string[]
}

/** Throws for a path that Kubernetes does not support either; the message is its own. */
export function fieldValue(pod: Pod, path: string, context: FieldContext): string {
  const subscript = /^(metadata\.(?:labels|annotations))\['(.*)'\]$/s.exec(path)
  if (subscript) {
    const map = subscript[1] === 'metadata.labels' ? pod.metadata.labels : pod.metadata.annotations
    return map?.[subscript[2] ?? ''] ?? ''
  }
  switch (path) {
    case 'metadata.name':
      return pod.metadata.name ?? ''
    case 'metadata.namespace':
      return pod.metadata.namespace ?? ''
    case 'metadata.uid':
      return pod.metadata.uid ?? ''
    case 'metadata.labels':
      return formatMap(pod.metadata.labels)
    case 'metadata.annotations':
      return formatMap(pod.metadata.annotations)
    case 'spec.nodeName':
      return pod.spec?.nodeName ?? ''
    case 'spec.serviceAccountName':
      return pod.spec?.serviceAccountName ?? ''
    case 'status.hostIP':
      return context.hostIps[0] ?? ''
    case 'status.hostIPs':
      return context.hostIps.join(',')
    case 'status.podIP':
      return context.podIps[0] ?? ''
    case 'status.podIPs':
      return context.podIps.join(',')
    default:
      throw new Error(`unsupported fieldPath: ${path}`)
  }
}
