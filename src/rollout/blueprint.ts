/** Draws controllers: the one a roll creates, and the one that takes a pet's pods. */
import type { PodTemplateSpec, ReplicaSet } from '../api/types.ts'
import { withoutCauses } from './causes.ts'
import { baseOf } from './family.ts'
import { RollError, type RollOptions } from './progress.ts'
import { BASE, REVISION, withoutRecord } from './record.ts'
import { type Controller, hashOf, matchLabels, type ReplicaKind, resourceOf } from './replica-kinds.ts'
import { labelled, TEMPLATE_LABEL, templateHash, withImages } from './template.ts'

/** Given by kubectl apply to the controller it was applied to; a copy was not. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

/**
 * The new controller, with no pods yet. A dry run lets the server fill in its defaults, so that equal templates have one hash,
 * and refuse what it would refuse later.
 */
export async function drawNew(options: RollOptions, kind: ReplicaKind, model: Controller): Promise<Controller> {
  const { client, namespace } = options
  if (!options.template && !options.images)
    throw new RollError('nothing to roll to: images, a template or another controller is needed')
  const given = options.template ?? model.spec?.template
  const template = options.images ? withImages(given, options.images) : (given ?? {})
  const draft = draftOf(kind, model, template, options)
  const filled = await client.create(resourceOf(kind), draft('dry-run'), { namespace, dryRun: true })
  return draft(templateHash(filled.spec?.template))
}

function draftOf(
  kind: ReplicaKind,
  model: Controller,
  template: PodTemplateSpec,
  options: RollOptions,
): (hash: string) => Controller {
  const { [TEMPLATE_LABEL]: _, ...selected } = matchLabels(kind, model)
  const labels = template.metadata?.labels ?? {}
  const fits = Object.entries(selected).every(([key, value]) => labels[key] === value)
  const { [TEMPLATE_LABEL]: __, ...ownLabels } = labels
  const base = baseOf(model)
  const { [LAST_APPLIED]: ___, [REVISION]: ____, ...annotations } = withoutCauses(withoutRecord(model.metadata.annotations))
  return (hash) => {
    const matching = { ...(fits ? selected : ownLabels), [TEMPLATE_LABEL]: hash }
    const expressions = kind === 'ReplicaSet' && fits ? (model as ReplicaSet).spec?.selector.matchExpressions : undefined
    const minReadySeconds = options.minReadySeconds ?? model.spec?.minReadySeconds
    const spec = {
      replicas: 0,
      ...(minReadySeconds !== undefined && { minReadySeconds }),
      selector: selectorOf(kind, matching, expressions),
      template: labelled(template, hash),
    }
    return {
      apiVersion: kind === 'ReplicationController' ? 'v1' : 'apps/v1',
      kind,
      metadata: {
        name: options.toName ?? `${base}-${hash}`,
        namespace: options.namespace,
        labels: { ...model.metadata.labels, [TEMPLATE_LABEL]: hash },
        annotations: { ...annotations, [BASE]: base },
      },
      spec,
    } as Controller
  }
}

/** The same template, labels and annotations under another name; its selector has the template label, whatever the model's has. */
export function copyNamed(kind: ReplicaKind, model: Controller, name: string, replicas: number): Controller {
  const hash = hashOf(model)
  const { [LAST_APPLIED]: _, ...annotations } = withoutRecord(model.metadata.annotations)
  const expressions = kind === 'ReplicaSet' ? (model as ReplicaSet).spec?.selector.matchExpressions : undefined
  const { minReadySeconds, template } = model.spec ?? {}
  return {
    apiVersion: kind === 'ReplicationController' ? 'v1' : 'apps/v1',
    kind,
    metadata: {
      ...{ name, namespace: model.metadata.namespace },
      labels: { ...model.metadata.labels, [TEMPLATE_LABEL]: hash },
      annotations: { ...annotations, [BASE]: baseOf(model) },
    },
    spec: {
      replicas,
      ...(minReadySeconds !== undefined && { minReadySeconds }),
      selector: selectorOf(kind, { ...matchLabels(kind, model), [TEMPLATE_LABEL]: hash }, expressions),
      template: labelled(template ?? {}, hash),
    },
  } as Controller
}

function selectorOf(kind: ReplicaKind, matching: Record<string, string>, matchExpressions: unknown): object {
  if (kind === 'ReplicationController') return matching
  return { matchLabels: matching, ...(matchExpressions !== undefined && { matchExpressions }) }
}

/** The name that a pet's template goes on under. */
export function generatedName(base: string, hash: string): string {
  return `${base}-${hash}`
}
