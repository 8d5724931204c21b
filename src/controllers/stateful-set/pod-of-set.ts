/** The pods and claims of a StatefulSet: named by ordinal, with storage that stays theirs. Pure. */
import type { PersistentVolumeClaim, Pod, PodTemplateSpec, StatefulSet, Volume } from '../../api/types.ts'
import { statefulSets } from '../../client/resources.ts'
import { copyOf } from '../parts/json.ts'
import { controllerReference } from '../parts/owners.ts'
import { podFromTemplate } from '../parts/pod-template.ts'
import { REVISION_LABEL } from '../parts/revisions.ts'

const POD_NAME_LABEL = 'statefulset.kubernetes.io/pod-name'
const POD_INDEX_LABEL = 'apps.kubernetes.io/pod-index'

export function podName(set: StatefulSet, ordinal: number): string {
  return `${set.metadata.name}-${ordinal}`
}

/** The ordinal of a pod that is named as one of the set's; undefined for any other name. */
export function ordinalOf(set: StatefulSet, name: string | undefined): number | undefined {
  const prefix = `${set.metadata.name}-`
  const rest = name?.startsWith(prefix) ? name.slice(prefix.length) : ''
  return /^(0|[1-9]\d*)$/.test(rest) ? Number(rest) : undefined
}

/** The pod of an ordinal, from the template of the given revision. */
export function podOfSet(set: StatefulSet, ordinal: number, template: PodTemplateSpec | undefined, revisionName: string): Pod {
  const pod = podFromTemplate(set, statefulSets, template)
  const name = podName(set, ordinal)
  delete pod.metadata.generateName
  pod.metadata.name = name
  pod.metadata.labels = {
    ...pod.metadata.labels,
    [POD_NAME_LABEL]: name,
    [POD_INDEX_LABEL]: String(ordinal),
    [REVISION_LABEL]: revisionName,
  }
  if (pod.spec) {
    pod.spec.hostname = name
    pod.spec.subdomain = set.spec?.serviceName
    const volumes = claimVolumes(set, ordinal)
    const named = new Set(volumes.map((volume) => volume.name))
    const others = (pod.spec.volumes ?? []).filter((volume) => !named.has(volume.name))
    if (volumes.length + others.length > 0) pod.spec.volumes = [...volumes, ...others]
  }
  return pod
}

function claimVolumes(set: StatefulSet, ordinal: number): Volume[] {
  return (set.spec?.volumeClaimTemplates ?? []).map(({ metadata }) => ({
    name: metadata.name ?? '',
    persistentVolumeClaim: { claimName: claimName(set, metadata.name, ordinal) },
  }))
}

function claimName(set: StatefulSet, template: string | undefined, ordinal: number): string {
  return `${template}-${podName(set, ordinal)}`
}

/** The claims of an ordinal. With `whenDeleted: Delete` they belong to the set and go with it. */
export function claimsOfSet(set: StatefulSet, ordinal: number): PersistentVolumeClaim[] {
  const goWithSet = set.spec?.persistentVolumeClaimRetentionPolicy?.whenDeleted === 'Delete'
  return (set.spec?.volumeClaimTemplates ?? []).map((template) => {
    const claim = copyOf(template)
    claim.apiVersion = 'v1'
    claim.kind = 'PersistentVolumeClaim'
    delete claim.status
    claim.metadata = {
      ...claim.metadata,
      name: claimName(set, template.metadata.name, ordinal),
      namespace: set.metadata.namespace,
      labels: { ...template.metadata.labels, ...set.spec?.selector.matchLabels },
      ...(goWithSet && { ownerReferences: [{ ...controllerReference(set, statefulSets), controller: true }] }),
    }
    return claim
  })
}
