/** Pods from templates. Pure. */
import type { KubeObject } from '../../api/object.ts'
import type { Pod, PodTemplateSpec } from '../../api/types.ts'
import type { ResourceRef } from '../../client/client.ts'
import { copyOf } from './json.ts'
import { controllerReference } from './owners.ts'

/** A new pod of the owner, named by the server. Nothing of it is shared with the template. */
export function podFromTemplate(owner: KubeObject, resource: ResourceRef, template: PodTemplateSpec | undefined): Pod {
  const { labels, annotations, finalizers } = template?.metadata ?? {}
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName: `${owner.metadata.name}-`,
      namespace: owner.metadata.namespace,
      ...(labels && { labels: { ...labels } }),
      ...(annotations && { annotations: { ...annotations } }),
      ...(finalizers && { finalizers: [...finalizers] }),
      ownerReferences: [controllerReference(owner, resource)],
    },
    spec: copyOf(template?.spec ?? { containers: [] }),
  }
}
