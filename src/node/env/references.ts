/** Which ConfigMaps and Secrets a pod's containers name in their environment; volumes name theirs in `volume/`. Pure. */
import type { Container, Pod } from '../../api/types.ts'

export interface ObjectName {
  kind: 'ConfigMap' | 'Secret'
  name: string
}

export function environmentReferences(pod: Pod): ObjectName[] {
  const { initContainers = [], containers: main = [], ephemeralContainers = [] } = pod.spec ?? {}
  const containers = [...initContainers, ...main, ...ephemeralContainers]
  return containers.flatMap(ofContainer)
}

function ofContainer(container: Container): ObjectName[] {
  const found: ObjectName[] = []
  for (const { configMapRef, secretRef } of container.envFrom ?? []) {
    if (configMapRef?.name) found.push({ kind: 'ConfigMap', name: configMapRef.name })
    if (secretRef?.name) found.push({ kind: 'Secret', name: secretRef.name })
  }
  for (const { valueFrom } of container.env ?? []) {
    if (valueFrom?.configMapKeyRef?.name) found.push({ kind: 'ConfigMap', name: valueFrom.configMapKeyRef.name })
    if (valueFrom?.secretKeyRef?.name) found.push({ kind: 'Secret', name: valueFrom.secretKeyRef.name })
  }
  return found
}
