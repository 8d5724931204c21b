/**
 * The history of a StatefulSet or DaemonSet: ControllerRevisions that hold its templates as strategic merge patches, in the form
 * `kubectl rollout history` and `undo` read. Planning is pure; `storeRevisions` writes.
 */
import type { KubeObject } from '../../api/object.ts'
import { isAlreadyExists, isNotFound } from '../../api/status.ts'
import type { ControllerRevision, PodTemplateSpec } from '../../api/types.ts'
import type { Client, ResourceRef } from '../../client/client.ts'
import { controllerRevisions } from '../../client/resources.ts'
import { copyOf } from './json.ts'
import { controllerReference, isControlledBy } from './owners.ts'
import { canonicalText, safeHash } from './template-hash.ts'

/** On pods: StatefulSets put the revision's name there, DaemonSets its hash. */
export const REVISION_LABEL = 'controller-revision-hash'

interface RevisionsPlan {
  /** The revision of the present template: as it is, to be renumbered, or to be created. */
  current: ControllerRevision
  write: 'none' | 'create' | 'renumber'
  /** All others, oldest first. */
  others: ControllerRevision[]
}

/** `hashLabel` names the label that carries the hash on the revision itself. */
export function planRevisions(
  owner: KubeObject,
  resource: ResourceRef,
  template: PodTemplateSpec | undefined,
  known: readonly ControllerRevision[],
  options: { collisionCount: number; hashLabel: string },
): RevisionsPlan {
  const sorted = [...known].sort((a, b) => a.revision - b.revision || byName(a, b))
  const data = dataOf(template)
  const text = canonicalText(data)
  const equal = sorted.filter((revision) => canonicalText(revision.data) === text).at(-1)
  const next = (sorted.at(-1)?.revision ?? 0) + 1
  if (!equal) {
    const current = newRevision(
      owner,
      resource,
      template,
      data,
      next,
      safeHash(hashed(text, options.collisionCount)),
      options.hashLabel,
    )
    return { current, write: 'create', others: sorted }
  }
  const others = sorted.filter((revision) => revision !== equal)
  if (equal === sorted.at(-1)) return { current: equal, write: 'none', others }
  return { current: { ...equal, revision: next }, write: 'renumber', others }
}

function hashed(text: string, collisionCount: number): string {
  return collisionCount > 0 ? `${text}\n${collisionCount}` : text
}

function byName(a: ControllerRevision, b: ControllerRevision): number {
  return (a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1
}

/** The patch that brings the template back: `$patch: replace` takes away what it does not have. */
function dataOf(template: PodTemplateSpec | undefined): Record<string, unknown> {
  return { spec: { template: { ...copyOf(template ?? {}), $patch: 'replace' } } }
}

function newRevision(
  owner: KubeObject,
  resource: ResourceRef,
  template: PodTemplateSpec | undefined,
  data: Record<string, unknown>,
  revision: number,
  hash: string,
  hashLabel: string,
): ControllerRevision {
  const { name, namespace, annotations } = owner.metadata
  return {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: {
      name: `${name}-${hash}`,
      namespace,
      labels: { ...template?.metadata?.labels, [hashLabel]: hash },
      ...(annotations && { annotations: { ...annotations } }),
      ownerReferences: [controllerReference(owner, resource)],
    },
    data,
    revision,
  }
}

/** The template a revision holds. */
export function templateOf(revision: ControllerRevision | undefined): PodTemplateSpec | undefined {
  const spec = revision?.data?.spec as { template?: PodTemplateSpec & { $patch?: string } } | undefined
  if (!spec?.template) return undefined
  const { $patch: _, ...template } = spec.template
  return template
}

/** Revisions beyond the limit that nothing uses, oldest first. */
export function revisionsToDrop(
  others: readonly ControllerRevision[],
  inUse: ReadonlySet<string>,
  limit: number | undefined,
): ControllerRevision[] {
  const idle = others.filter(({ metadata }) => !inUse.has(metadata.name ?? ''))
  return idle.slice(0, Math.max(0, idle.length - (limit ?? 10)))
}

/** Writes what the plan asks for. Gives the revision as stored, or `collision` when another template has its name. */
export async function storeRevision(
  client: Client,
  owner: KubeObject,
  plan: RevisionsPlan,
): Promise<ControllerRevision | 'collision'> {
  const { current, write } = plan
  const { name = '', namespace } = current.metadata
  switch (write) {
    case 'none':
      return current
    case 'renumber':
      return client.update(controllerRevisions, copyOf(current))
    case 'create':
      try {
        return await client.create(controllerRevisions, copyOf(current))
      } catch (error) {
        if (!isAlreadyExists(error)) throw error
        const taken = await client.get(controllerRevisions, name, { namespace })
        const same = isControlledBy(taken, owner) && canonicalText(taken.data) === canonicalText(current.data)
        return same ? taken : 'collision'
      }
  }
}

export async function dropRevision(client: Client, { metadata }: ControllerRevision): Promise<void> {
  const { name = '', namespace, uid = '' } = metadata
  await client.delete(controllerRevisions, name, { namespace, preconditions: { uid } }).catch((error: unknown) => {
    if (!isNotFound(error)) throw error
  })
}
