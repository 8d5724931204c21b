/**
 * Image triggers: a workload follows an image repository. Every look compares what the template has with what is wanted now;
 * nothing is remembered between looks but what auto-rollback found to be bad. Never down, never twice to what failed.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Container, DaemonSet, Deployment, PodSpec, StatefulSet } from '../../api/types.ts'
import { timestamp } from '../../base/clock.ts'
import type { ResourceRef } from '../../client/client.ts'
import { daemonSets, deployments, nodes, statefulSets } from '../../client/resources.ts'
import type { Enqueue, ReconcileContext, ReconcileResult, Reconciler } from '../../reconcile/reconciler.ts'
import type { Change } from '../../watch/informer.ts'
import { causeAnnotations } from '../causes.ts'
import { type ConditionState, writeCondition } from '../condition.ts'
import type { Extension } from '../extension.ts'
import { pullAccess } from '../images/pull-access.ts'
import { BAD_TEMPLATES, badTemplates, isBadDigest } from '../rollback/verdicts.ts'
import { annotationCheck, parseAnnotation } from './annotation.ts'
import { type Look, lookAt } from './look.ts'
import { IMAGE_TRIGGERS, type ImageTrigger, PAUSED } from './settings.ts'

type Workload = Deployment | StatefulSet | DaemonSet

const CONDITION = 'skiff.dev/ImageTriggers'
/** Looks at once, each of which may wait for a slow registry. */
const CONCURRENCY = 8
/** One look's questions are answered by then, or the registry is slow. */
const PATIENCE_MS = 10_000
/** Looks are spread by so much of their period, so that workloads do not ask in step. */
const JITTER = 0.2

const KINDS: ReadonlyMap<string, ResourceRef<Workload>> = new Map(
  [deployments, statefulSets, daemonSets].map((resource) => [resource.kind, resource as ResourceRef<Workload>]),
)

export const imageTriggers: Extension = {
  name: 'image-triggers',
  admission: () => [annotationCheck],
  reconcilers: () => [imageTriggerReconciler()],
}

export function imageTriggerReconciler(random: () => number = Math.random): Reconciler {
  let controller: ImageTriggers | undefined
  return {
    name: 'image-triggers',
    concurrency: CONCURRENCY,
    setup(context, enqueue) {
      controller = new ImageTriggers(context, random)
      controller.subscribe(enqueue)
    },
    reconcile: (key) => controller!.reconcile(key),
  }
}

class ImageTriggers {
  readonly #context: ReconcileContext
  readonly #random: () => number
  /** Workloads with triggers, as `Kind namespace/name`. */
  readonly #asking = new Set<string>()
  #followsNodes = false
  #enqueue: Enqueue = () => {}

  constructor(context: ReconcileContext, random: () => number) {
    this.#context = context
    this.#random = random
  }

  subscribe(enqueue: Enqueue): void {
    this.#enqueue = enqueue
    for (const [kind, resource] of KINDS) {
      this.#context.informer(resource).subscribe((change) => {
        const key = `${kind} ${change.key}`
        if (change.object?.metadata.annotations?.[IMAGE_TRIGGERS] !== undefined) this.#asking.add(key)
        else if (!this.#asking.delete(key)) return
        if (isNews(change)) enqueue(key)
      })
    }
  }

  /** From the first trigger on that looks at nodes. */
  #followNodes(): void {
    if (this.#followsNodes) return
    this.#followsNodes = true
    this.#context.informer(nodes).subscribe(({ object, old }) => {
      if (isDeepStrictEqual(object?.status?.images, old?.status?.images)) return
      for (const key of this.#asking) this.#enqueue(key)
    })
  }

  async reconcile(key: string): Promise<ReconcileResult | undefined> {
    const [kind = '', name = ''] = key.split(' ')
    const resource = KINDS.get(kind)
    const workload = resource && this.#context.informer(resource).store.get(name)
    if (!resource || !workload || workload.metadata.deletionTimestamp) return undefined
    const now = timestamp(this.#context.clock)
    const text = workload.metadata.annotations?.[IMAGE_TRIGGERS]
    if (text === undefined) {
      await this.#write(resource, workload, undefined, now)
      return undefined
    }
    let triggers: ImageTrigger[]
    try {
      triggers = await parseAnnotation(text)
    } catch (error) {
      // Written before this admission was there.
      await this.#write(resource, workload, { status: 'False', reason: 'Invalid', message: (error as Error).message }, now)
      return undefined
    }
    if (workload.metadata.annotations?.[PAUSED] === 'true') {
      await this.#write(resource, workload, { status: 'False', reason: 'Paused', message: 'all triggers are paused' }, now)
      return undefined
    }
    await this.#follow(resource, workload, triggers, now)
    const everyMs = Math.min(...triggers.map((trigger) => trigger.everyMs))
    return { requeueAfterMs: everyMs * (1 - JITTER / 2 + JITTER * this.#random()) }
  }

  async #follow(resource: ResourceRef<Workload>, workload: Workload, triggers: readonly ImageTrigger[], now: string) {
    const looks = await Promise.all(
      triggers.map(async (trigger) => {
        const container = containerFor(workload.spec?.template.spec, trigger)
        return typeof container === 'string'
          ? missing(container)
          : { container, look: await this.#look(workload, trigger, container) }
      }),
    )
    const changes = looks.flatMap(({ container, look }) =>
      look.kind === 'Follow' ? [{ container: container.name, before: container.image ?? '', after: look.image }] : [],
    )
    if (changes.length > 0) await this.#roll(resource, workload, changes, now)
    await this.#write(resource, workload, conditionOf(looks), now)
  }

  #look(workload: Workload, trigger: ImageTrigger, container: Container): Promise<Look> {
    const { client, clock, signal } = this.#context
    const { namespace = '' } = workload.metadata
    const bad = badTemplates(workload)
    if (trigger.from === 'nodes') this.#followNodes()
    return lookAt({
      ...{ trigger, current: container.image ?? '', isBad: (digest) => isBadDigest(bad, container.name, digest) },
      nodes: async () => {
        const informer = this.#context.informer(nodes)
        await informer.whenSynced(signal)
        return informer.store.list()
      },
      registry: async (reference) => {
        const access = await pullAccess(client, namespace, workload.spec?.template.spec ?? { containers: [] })
        return { credentials: await access(reference), clock, signal, patienceMs: PATIENCE_MS }
      },
    })
  }

  /** On the version that was looked at: whoever writes meanwhile is looked at next. */
  async #roll(
    resource: ResourceRef<Workload>,
    workload: Workload,
    changes: readonly { container: string; before: string; after: string }[],
    at: string,
  ): Promise<void> {
    const { name = '', namespace, resourceVersion } = workload.metadata
    const note = `image trigger: ${changes.map(({ container, after }) => `${container} to ${after.split('@')[0]}`).join(', ')}`
    const patch = {
      metadata: { resourceVersion, annotations: causeAnnotations({ by: 'image-triggers', note, changes, at }) },
      spec: { template: { spec: containerPatch(workload.spec?.template.spec, changes) } },
    }
    await this.#context.client.patch(resource, name, 'strategic', patch, { namespace })
    for (const { container, before, after } of changes)
      this.#context.event(workload, { type: 'Normal', reason: 'ImagePicked', message: `${container}: ${before} → ${after}` })
  }

  async #write(
    resource: ResourceRef<Workload>,
    workload: Workload,
    state: ConditionState | undefined,
    now: string,
  ): Promise<void> {
    const isNew = await writeCondition(this.#context.client, resource, workload, CONDITION, state, now)
    if (isNew && state?.status === 'False' && state.reason !== 'Paused')
      this.#context.event(workload, { type: 'Warning', reason: state.reason, message: state.message })
  }
}

interface Looked {
  container: Container
  look: Look
}

/** Changes of status come often and mean nothing here. */
function isNews({ object, old }: Change<Workload>): boolean {
  if (!object || !old) return true
  if (object.metadata.generation !== old.metadata.generation) return true
  return [IMAGE_TRIGGERS, PAUSED, BAD_TEMPLATES].some(
    (key) => object.metadata.annotations?.[key] !== old.metadata.annotations?.[key],
  )
}

/** The container, or why there is none. */
function containerFor(spec: PodSpec | undefined, { container }: ImageTrigger): Container | string {
  const { containers = [], initContainers = [] } = spec ?? {}
  if (container === undefined) {
    if (containers.length === 1 && containers[0]) return containers[0]
    return 'there are several containers: the trigger has to name one'
  }
  return [...containers, ...initContainers].find(({ name }) => name === container) ?? `there is no container ${container}`
}

function missing(message: string): Looked {
  return { container: { name: '' }, look: { kind: 'Held', reason: 'NothingFits', message } }
}

function containerPatch(spec: PodSpec | undefined, changes: readonly { container: string; after: string }[]): object {
  const changed = (list: readonly Container[] | undefined) =>
    (list ?? []).flatMap(({ name }) => {
      const change = changes.find(({ container }) => container === name)
      return change ? [{ name, image: change.after }] : []
    })
  const [containers, initContainers] = [changed(spec?.containers), changed(spec?.initContainers)]
  return { ...(containers.length > 0 && { containers }), ...(initContainers.length > 0 && { initContainers }) }
}

/** True: everything that is followed is what is wanted. */
function conditionOf(looks: readonly Looked[]): ConditionState {
  const held = looks.flatMap(({ look }) => (look.kind === 'Held' ? [look] : []))
  const worst = held.find(({ reason }) => reason !== 'Paused') ?? held[0]
  const message = looks.map(({ container, look }) => `${container.name ? `${container.name}: ` : ''}${toldOf(look)}`).join('; ')
  return { status: worst ? 'False' : 'True', reason: worst?.reason ?? 'UpToDate', message }
}

/** An image that was just picked is told as it will be told at the next look. */
function toldOf(look: Look): string {
  return look.kind === 'Follow' ? (look.image.split('@')[0] ?? '') : look.message
}
