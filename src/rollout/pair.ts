/** Finds the two controllers of a roll and says what has to be made: reads and decides, changes nothing. */
import { isNotFound } from '../api/status.ts'
import type { PodTemplateSpec, ReplicaSet } from '../api/types.ts'
import type { Client } from '../client/client.ts'
import { type RollbackOptions, RollError, type RollOptions } from './progress.ts'
import { BASE, isUnderWay, readRecord } from './record.ts'
import {
  type Controller,
  handleOf,
  hashOf,
  matchLabels,
  nameOf,
  type ReplicaKind,
  replicasOf,
  resourceOf,
} from './replica-kinds.ts'
import { labelled, TEMPLATE_LABEL, templateHash, withImages } from './template.ts'

export interface Pair {
  kind: ReplicaKind
  old: Controller
  newName: string
  /** To be created when `newName` does not exist yet. */
  blueprint: Controller | undefined
  desired: number
  rollId: string
  direction: 'forward' | 'back'
}

export type PairDecision =
  | { is: 'pair'; pair: Pair }
  | { is: 'unchanged'; current: Controller; message: string }
  | { is: 'conflict'; current: Controller; message: string }

/** As many rolls as are followed from a name to the controller that has its pods today. */
const MAX_CHAIN = 1000

/** The controller that a name stands for: the one that rolls led to, when the named one was rolled away from. */
async function currentOf(client: Client, kind: ReplicaKind, namespace: string, name: string): Promise<Controller> {
  const resource = resourceOf(kind)
  let controller = await client.get(resource, name, { namespace })
  for (let i = 0; i < MAX_CHAIN; i++) {
    const record = readRecord(controller)
    if (!record || record.desiredReplicas > 0 || replicasOf(controller) > 0) return controller
    const partner = await find(client, kind, namespace, record.partner)
    const back = partner && readRecord(partner)
    // A partner without pods that points back is a roll of nothing: stay.
    if (!partner || (back?.partner === nameOf(controller) && back.desiredReplicas === 0)) return controller
    controller = partner
  }
  return controller
}

async function find(client: Client, kind: ReplicaKind, namespace: string, name: string): Promise<Controller | undefined> {
  try {
    return await client.get(resourceOf(kind), name, { namespace })
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}

/** The roll that is asked for, joined to one that is under way towards the same template. */
export async function pairForRoll(options: RollOptions, kind: ReplicaKind): Promise<PairDecision> {
  const { client, namespace } = options
  const { name } = options.target
  let old =
    options.toName !== undefined
      ? await client.get(resourceOf(kind), name, { namespace })
      : await currentOf(client, kind, namespace, name)
  refuseOwned(kind, old)
  const record = readRecord(old)
  let partner = isUnderWay(record) ? await find(client, kind, namespace, record.partner) : undefined
  if (record && record.desiredReplicas > 0 && partner) [old, partner] = [partner, old]
  const blueprint = await blueprintOf(options, kind, old)
  if (isUnderWay(record) && partner) return joinRoll(kind, old, partner, blueprint, options)
  const newHash = hashOf(blueprint)
  if (hashOf(old) === newHash && (options.toName === undefined || options.toName === nameOf(old)))
    return { is: 'unchanged', current: old, message: `${handleOf(kind, nameOf(old))} already runs this template` }
  const known = options.toName !== undefined ? undefined : await sameTemplateOf(options, kind, old, newHash)
  const existing = known ?? (await find(client, kind, namespace, nameOf(blueprint)))
  if (existing) refuseOwned(kind, existing)
  const desired = replicasOf(old) + (existing ? replicasOf(existing) : 0)
  const newName = existing ? nameOf(existing) : nameOf(blueprint)
  const rollId = `r${options.clock.now()}`
  return {
    is: 'pair',
    pair: { kind, old, newName, blueprint: existing ? undefined : blueprint, desired, rollId, direction: 'forward' },
  }
}

function joinRoll(
  kind: ReplicaKind,
  old: Controller,
  partner: Controller,
  blueprint: Controller,
  options: RollOptions,
): PairDecision {
  const record = readRecord(old) ?? readRecord(partner)
  const isSame = options.toName !== undefined ? options.toName === nameOf(partner) : hashOf(partner) === hashOf(blueprint)
  if (!record || !isSame || record.direction === 'back') {
    const what = record?.direction === 'back' ? 'a rollback' : 'another roll'
    const message = `${what} is under way from ${handleOf(kind, nameOf(old))} to ${handleOf(kind, nameOf(partner))}; resume it or roll it back first`
    return { is: 'conflict', current: old, message }
  }
  const { rollId, originalReplicas: desired } = record
  return {
    is: 'pair',
    pair: { kind, old, newName: nameOf(partner), blueprint: undefined, desired, rollId, direction: 'forward' },
  }
}

/** The way back: the same pair, partners swapped. One that is under way already is gone on with. */
export async function pairForRollback(options: RollbackOptions, kind: ReplicaKind): Promise<PairDecision> {
  const { client, namespace } = options
  const found = await currentOf(client, kind, namespace, options.target.name)
  const record = readRecord(found)
  if (!record) throw new RollError(`${handleOf(kind, nameOf(found))} was not rolled: there is nothing to go back to`)
  const partner = await find(client, kind, namespace, record.partner)
  if (!partner) throw new RollError(`${handleOf(kind, record.partner)}, from where it was rolled, does not exist any more`)
  if (record.phase === 'Aborted') {
    return { is: 'unchanged', current: found, message: `${handleOf(kind, nameOf(found))} was rolled back already` }
  }
  const [leaving, staying] = record.desiredReplicas > 0 ? [partner, found] : [found, partner]
  const isBack = record.direction === 'back'
  // Forward, the side that was to stay goes; on the way back it is named as going already.
  const [old, next] = isBack ? [leaving, staying] : [staying, leaving]
  const rollId = isBack ? record.rollId : `b${options.clock.now()}`
  const desired = record.originalReplicas
  return { is: 'pair', pair: { kind, old, newName: nameOf(next), blueprint: undefined, desired, rollId, direction: 'back' } }
}

function refuseOwned(kind: ReplicaKind, controller: Controller): void {
  const owner = controller.metadata.ownerReferences?.find(({ controller: isController }) => isController)
  if (owner)
    throw new RollError(
      `${handleOf(kind, nameOf(controller))} belongs to ${owner.kind.toLowerCase()}/${owner.name}: roll that instead`,
    )
}

/** A controller of the same family that has the template already, as history. */
async function sameTemplateOf(
  options: RollOptions,
  kind: ReplicaKind,
  old: Controller,
  hash: string,
): Promise<Controller | undefined> {
  const { client, namespace } = options
  const { items } = await client.list(resourceOf(kind), { namespace, labelSelector: `${TEMPLATE_LABEL}=${hash}` })
  return items.find((item) => item.metadata.uid !== old.metadata.uid && baseOf(item) === baseOf(old))
}

function baseOf(controller: Controller): string {
  return controller.metadata.annotations?.[BASE] ?? nameOf(controller)
}

/** The new controller, with no pods yet. A dry run lets the server fill in its defaults, so that equal templates have one hash. */
async function blueprintOf(options: RollOptions, kind: ReplicaKind, old: Controller): Promise<Controller> {
  const { client, namespace } = options
  if (options.toName !== undefined && !options.template && !options.images) {
    return client.get(resourceOf(kind), options.toName, { namespace })
  }
  if (!options.template && !options.images)
    throw new RollError('nothing to roll to: images, a template or another controller is needed')
  const given = options.template ?? old.spec?.template
  const template = options.images ? withImages(given, options.images) : (given ?? {})
  const draft = drawn(kind, old, template, options)
  const filled = await client.create(resourceOf(kind), draft('dry-run'), { namespace, dryRun: true })
  const hash = templateHash(filled.spec?.template)
  return draft(hash)
}

function drawn(
  kind: ReplicaKind,
  old: Controller,
  template: PodTemplateSpec,
  options: RollOptions,
): (hash: string) => Controller {
  const { [TEMPLATE_LABEL]: _, ...selected } = matchLabels(kind, old)
  const labels = template.metadata?.labels ?? {}
  const fits = Object.entries(selected).every(([key, value]) => labels[key] === value)
  const { [TEMPLATE_LABEL]: __, ...ownLabels } = labels
  const base = baseOf(old)
  return (hash) => {
    const matching = { ...(fits ? selected : ownLabels), [TEMPLATE_LABEL]: hash }
    const expressions = kind === 'ReplicaSet' && fits ? (old as ReplicaSet).spec?.selector.matchExpressions : undefined
    const minReadySeconds = options.minReadySeconds ?? old.spec?.minReadySeconds
    const spec = {
      replicas: 0,
      ...(minReadySeconds !== undefined && { minReadySeconds }),
      selector:
        kind === 'ReplicationController'
          ? matching
          : { matchLabels: matching, ...(expressions && { matchExpressions: expressions }) },
      template: labelled(template, hash),
    }
    return {
      apiVersion: kind === 'ReplicationController' ? 'v1' : 'apps/v1',
      kind,
      metadata: {
        name: options.toName ?? `${base}-${hash}`,
        namespace: options.namespace,
        labels: { ...old.metadata.labels, [TEMPLATE_LABEL]: hash },
        annotations: { [BASE]: base },
      },
      spec,
    } as Controller
  }
}
