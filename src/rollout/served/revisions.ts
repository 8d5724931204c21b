/** The templates that StatefulSets and DaemonSets had: ControllerRevisions. */
import type { KubeObject } from '../../api/object.ts'
import type { ControllerRevision, PodTemplateSpec } from '../../api/types.ts'
import type { Client } from '../../client/client.ts'
import { controllerRevisions } from '../../client/resources.ts'
import type { Revision } from './kind.ts'

/** Newest first. */
export async function controllerRevisionsOf(client: Client, owner: KubeObject): Promise<Revision[]> {
  const { items } = await client.list(controllerRevisions, { namespace: owner.metadata.namespace })
  return items
    .filter(({ metadata }) => metadata.ownerReferences?.some(({ uid }) => uid === owner.metadata.uid))
    .sort((a, b) => b.revision - a.revision)
    .map((revision) => ({
      number: revision.revision,
      name: revision.metadata.name ?? '',
      template: templateOf(revision),
      annotations: revision.metadata.annotations ?? {},
      createdAt: revision.metadata.creationTimestamp,
    }))
}

/** A revision holds a strategic merge patch that replaces the template. */
function templateOf({ data }: ControllerRevision): PodTemplateSpec | undefined {
  const spec = data?.spec as { template?: PodTemplateSpec & { $patch?: string } } | undefined
  if (!spec?.template) return undefined
  const { $patch: _, ...template } = spec.template
  return template
}
