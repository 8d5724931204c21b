/**
 * Auto-rollback: a Deployment that asks for it with `skiff.dev/auto-rollback` returns to the last template that proved itself
 * when a new one misses its progress deadline or crashes in a loop. What failed is remembered on the Deployment.
 */
import type { AdmissionPlugin } from '../../api/admission.ts'
import { forbidden, invalid } from '../../api/field-errors.ts'
import type { KubeObject } from '../../api/object.ts'
import { invalid as invalidObject } from '../../api/status.ts'
import type { Deployment, Pod, ReplicaSet } from '../../api/types.ts'
import { timestamp } from '../../base/clock.ts'
import { deployments, pods, replicaSets } from '../../client/resources.ts'
import type { ReconcileContext, ReconcileResult, Reconciler } from '../../reconcile/reconciler.ts'
import type { Cache } from '../../watch/informer.ts'
import { causeAnnotations } from '../causes.ts'
import { writeCondition } from '../condition.ts'
import type { Extension } from '../extension.ts'
import { hashOf, isBackingOff, plainTemplate, planRollback, revisionOf, shownImages, type Verdict } from './plan.ts'
import { AUTO_ROLLBACK, readTriggers } from './settings.ts'
import { BAD_TEMPLATES, type BadTemplate, badTemplates, LAST_GOOD, withBad } from './verdicts.ts'

const CONDITION = 'skiff.dev/AutoRollback'
const BY_CONTROLLER = 'controller-uid'

export const autoRollback: Extension = {
  name: 'auto-rollback',
  admission: () => [annotationCheck],
  reconcilers: () => [autoRollbackReconciler()],
}

/** Elsewhere the annotation would do nothing, and nobody would notice. ReplicaSets inherit it from their Deployments. */
const WITHOUT_HISTORY: ReadonlySet<string> = new Set(['statefulsets', 'daemonsets', 'replicationcontrollers'])

const annotationCheck: AdmissionPlugin = {
  name: 'auto-rollback',
  handles: ({ operation, subresource, definition: { plural } }) =>
    (operation === 'CREATE' || operation === 'UPDATE') &&
    subresource === '' &&
    (plural === 'deployments' || WITHOUT_HISTORY.has(plural)),
  validate({ object, definition: { group, kind, plural } }) {
    const text = object?.metadata.annotations?.[AUTO_ROLLBACK]
    if (text === undefined) return
    const field = `metadata.annotations[${AUTO_ROLLBACK}]`
    const refuse = (error: ReturnType<typeof invalid>) => invalidObject({ group, kind }, object?.metadata.name ?? '', [error])
    if (plural !== 'deployments') throw refuse(forbidden(field, `only Deployments are rolled back, not a ${kind}`))
    try {
      readTriggers(text)
    } catch (error) {
      throw refuse(invalid(field, text, (error as Error).message))
    }
  },
}

export function autoRollbackReconciler(): Reconciler {
  let controller: AutoRollback | undefined
  return {
    name: 'auto-rollback',
    setup(context, enqueue) {
      controller = new AutoRollback(context)
      controller.subscribe(enqueue)
    },
    reconcile: (key) => controller!.reconcile(key),
  }
}

class AutoRollback {
  readonly #context: ReconcileContext
  readonly #deployments: Cache<Deployment>
  readonly #sets: Cache<ReplicaSet>
  readonly #pods: Cache<Pod>
  /** Deployments that ask for it. While there are none, pods cost nothing. */
  readonly #asking = new Set<string>()

  constructor(context: ReconcileContext) {
    this.#context = context
    this.#deployments = context.informer(deployments).store
    this.#sets = context.informer(replicaSets).store
    this.#pods = context.informer(pods).store
    for (const cache of [this.#sets, this.#pods]) {
      cache.addIndex(BY_CONTROLLER, (object) => {
        const uid = controllerOf(object)?.uid
        return uid ? [uid] : []
      })
    }
  }

  subscribe(enqueue: (key: string) => void): void {
    this.#context.informer(deployments).subscribe(({ key, object, old }) => {
      if (object?.metadata.annotations?.[AUTO_ROLLBACK] !== undefined) this.#asking.add(key)
      else if (!this.#asking.delete(key) && !hasCondition(object ?? old)) return
      enqueue(key)
    })
    this.#context.informer(replicaSets).subscribe(({ object, old }) => {
      if (this.#asking.size > 0) this.#ask(object ?? old, 'Deployment', enqueue)
    })
    this.#context.informer(pods).subscribe(({ object, old }) => {
      if (this.#asking.size === 0 || loopsOf(object) === loopsOf(old)) return
      const pod = object ?? old
      const set = pod && this.#sets.get(`${pod.metadata.namespace}/${controllerOf(pod)?.name}`)
      this.#ask(set, 'Deployment', enqueue)
    })
  }

  #ask(owned: KubeObject | undefined, kind: string, enqueue: (key: string) => void): void {
    const owner = owned && controllerOf(owned)
    const key = `${owned?.metadata.namespace}/${owner?.name}`
    if (owner?.kind === kind && this.#asking.has(key)) enqueue(key)
  }

  async reconcile(key: string): Promise<ReconcileResult | undefined> {
    const deployment = this.#deployments.get(key)
    if (!deployment || deployment.metadata.deletionTimestamp) return undefined
    const { client, clock } = this.#context
    if (deployment.metadata.annotations?.[AUTO_ROLLBACK] === undefined) {
      await writeCondition(client, deployments, deployment, CONDITION, undefined, timestamp(clock))
      return undefined
    }
    const verdict = planRollback({
      deployment,
      replicaSets: this.#sets.byIndex(BY_CONTROLLER, deployment.metadata.uid ?? ''),
      podsOf: (set) => this.#pods.byIndex(BY_CONTROLLER, set.metadata.uid ?? ''),
      nowMs: clock.now(),
      now: timestamp(clock),
    })
    if (verdict.kind === 'GoBack') await this.#goBack(deployment, verdict.from, verdict.to, verdict.bad)
    else if (verdict.kind === 'Proved' && verdict.isNews) await this.#noteGood(deployment, verdict.set)
    const state = conditionOf(verdict)
    if (state) {
      const { type, ...condition } = state
      const isNews = await writeCondition(client, deployments, deployment, CONDITION, condition, timestamp(clock))
      if (isNews && type) this.#context.event(deployment, { type, reason: condition.reason, message: condition.message })
    }
    return verdict.kind === 'Watching' && verdict.againMs !== undefined ? { requeueAfterMs: verdict.againMs } : undefined
  }

  /** With the resource version that was judged: whoever rolls meanwhile wins, and is judged next. */
  async #goBack(deployment: Deployment, from: ReplicaSet, to: ReplicaSet, bad: BadTemplate): Promise<void> {
    const changes = bad.changed.map((container) => ({ container, before: bad.images[container]!, after: imageIn(to, container) }))
    const cause = causeAnnotations({ by: 'auto-rollback', note: `auto-rollback: ${backText(bad, to)}`, changes, at: bad.at })
    const annotations = { ...deployment.metadata.annotations, ...cause, [BAD_TEMPLATES]: withBad(badTemplates(deployment), bad) }
    await this.#context.client.update(deployments, {
      ...{ ...deployment, apiVersion: 'apps/v1', kind: 'Deployment' },
      metadata: { ...deployment.metadata, annotations: withoutNulls(annotations) },
      spec: { ...deployment.spec!, template: plainTemplate(to.spec?.template) },
    })
    const failed = `revision ${bad.revision} (${shownImages(from)}) failed: ${bad.message}`
    this.#context.event(deployment, { type: 'Warning', reason: bad.reason, message: failed })
    const message = `Returned to revision ${revisionOf(to)} (${shownImages(to)}); revision ${bad.revision} will not be tried again`
    this.#context.event(deployment, { type: 'Normal', reason: 'RolledBack', message })
  }

  async #noteGood({ metadata: { name = '', namespace, uid, annotations } }: Deployment, set: ReplicaSet): Promise<void> {
    const hash = hashOf(set)
    // A template that failed once and then held out is no longer bad.
    const bad = badTemplates({ metadata: { annotations } }).filter((entry) => entry.hash !== hash)
    const changed = { [LAST_GOOD]: hash, [BAD_TEMPLATES]: bad.length > 0 ? JSON.stringify(bad) : null }
    await this.#context.client.patch(deployments, name, 'merge', { metadata: { uid, annotations: changed } }, { namespace })
  }
}

interface State {
  status: 'True' | 'False'
  reason: string
  message: string
  /** Of the Event, where it is worth one. */
  type?: 'Warning'
}

/** True: what runs is what was returned to. */
function conditionOf(verdict: Verdict): State | undefined {
  switch (verdict.kind) {
    case 'Unknown':
      return undefined
    case 'Watching':
      if (verdict.returned) return returnedState(verdict.returned, verdict.set)
      return { status: 'False', reason: 'Watching', message: `revision ${revisionOf(verdict.set)} has yet to prove itself` }
    case 'Proved': {
      const { set, returned } = verdict
      if (returned) return returnedState(returned, set)
      return { status: 'False', reason: 'Proved', message: `revision ${revisionOf(set)} has proved itself` }
    }
    case 'GoBack':
      return returnedState(verdict.bad, verdict.to)
    case 'Stuck':
      return { status: 'False', reason: verdict.why, message: verdict.message, type: 'Warning' }
  }
}

function returnedState(bad: BadTemplate, to: ReplicaSet): State {
  return { status: 'True', reason: bad.reason, message: backText(bad, to) }
}

function backText(bad: BadTemplate, to: ReplicaSet): string {
  const images = Object.values(bad.images).map((image) => image.split('@')[0])
  return `revision ${bad.revision} (${images.join(', ')}) failed: ${bad.message}; back to ${shownImages(to)}`
}

function withoutNulls(annotations: Record<string, string | null>): Record<string, string> {
  return Object.fromEntries(Object.entries(annotations).flatMap(([key, value]) => (value === null ? [] : [[key, value]])))
}

function imageIn({ spec }: ReplicaSet, container: string): string {
  const { initContainers = [], containers = [] } = spec?.template?.spec ?? {}
  return [...initContainers, ...containers].find(({ name }) => name === container)?.image ?? 'none'
}

function controllerOf({ metadata }: KubeObject) {
  return metadata.ownerReferences?.find(({ controller }) => controller)
}

function hasCondition(deployment: Deployment | undefined): boolean {
  return deployment?.status?.conditions?.some(({ type }) => type === CONDITION) ?? false
}

/** Undefined for a pod of which no container backs off; otherwise changes with every further crash. */
function loopsOf(pod: Pod | undefined): number | undefined {
  const { initContainerStatuses = [], containerStatuses = [] } = pod?.status ?? {}
  const looping = [...initContainerStatuses, ...containerStatuses].filter(isBackingOff)
  return looping.length > 0 ? looping.reduce((sum, { restartCount }) => sum + restartCount, 0) : undefined
}
