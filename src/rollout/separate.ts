/**
 * Keeps the pods of two controllers apart: the template label goes on the template first, then on the pods that exist, and last
 * on the selector and the controller itself, so that at no time a pod is left that its controller does not select. Safe to repeat
 * from any point.
 */
import { isNotFound } from '../api/status.ts'
import type { Clock } from '../base/clock.ts'
import type { Client } from '../client/client.ts'
import { pods } from '../client/resources.ts'
import { RollError } from './progress.ts'
import { type Controller, hashOf, isObserved, matchLabels, nameOf, type ReplicaKind, resourceOf } from './replica-kinds.ts'
import { TEMPLATE_LABEL } from './template.ts'

/** Pods labelled at once. */
const MAX_PARALLEL = 32

export interface SeparateOptions {
  client: Client
  clock: Clock
  namespace: string
  kind: ReplicaKind
  /** Resolves when the server's controller has observed the object and `holds` is true of it; gives its latest state. */
  observed: (controller: Controller, holds?: (seen: Controller) => boolean) => Promise<Controller>
}

export async function separate(options: SeparateOptions, controller: Controller): Promise<Controller> {
  const { client, namespace, kind } = options
  const resource = resourceOf(kind)
  const name = nameOf(controller)
  const labels = { [TEMPLATE_LABEL]: hashOf(controller) }
  const onTemplate = { spec: { template: { metadata: { labels } } } }
  const seen = await options.observed(await client.patch(resource, name, 'merge', onTemplate, { namespace }))
  await labelPods(options, seen, labels)
  // The server's controller reads pods from a cache of its own: one that did not have the labels yet would let go of the pods
  // and make others. That it has them shows in the status.
  await options.observed(seen, ({ status }) => (status?.fullyLabeledReplicas ?? 0) >= (status?.replicas ?? 0))
  // Its own label last: it says that all this is done.
  const onItself = { metadata: { labels }, ...(kind === 'ReplicationController' && { spec: { selector: labels } }) }
  return options.observed(await client.patch(resource, name, 'merge', onItself, { namespace }))
}

/** From here on the controller makes labelled pods only, so one list finds all that lack the label. */
async function labelPods(options: SeparateOptions, controller: Controller, labels: Record<string, string>): Promise<void> {
  const { client, namespace, kind } = options
  if (!isObserved(controller)) throw new RollError(`${nameOf(controller)}: its controller does not act on it`)
  const labelSelector = Object.entries(matchLabels(kind, controller))
    .filter(([key]) => key !== TEMPLATE_LABEL)
    .map(([key, value]) => `${key}=${value}`)
    .join(',')
  const { items } = await client.list(pods, { namespace, labelSelector })
  const { uid } = controller.metadata
  const unlabelled = items.filter(
    ({ metadata }) =>
      metadata.ownerReferences?.some((owner) => owner.controller && owner.uid === uid) &&
      metadata.labels?.[TEMPLATE_LABEL] !== labels[TEMPLATE_LABEL],
  )
  const work = unlabelled.values()
  const label = async () => {
    for (const pod of work)
      await ignoringAbsence(client.patch(pods, pod.metadata.name ?? '', 'merge', { metadata: { labels } }, { namespace }))
  }
  await Promise.all(Array.from({ length: MAX_PARALLEL }, label))
}

/** A pod that went away in the meantime needs no label. */
async function ignoringAbsence(work: Promise<unknown>): Promise<void> {
  try {
    await work
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}
