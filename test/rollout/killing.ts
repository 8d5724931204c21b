/** One scenario of the kill test: sets up, kills a driver after request k, finishes or undoes, and says what is wrong then. */
import type { Pod, ReplicaSet, ReplicationController } from '../../src/api/types.ts'
import { systemClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import type { Client, ResourceRef } from '../../src/client/client.ts'
import { leases, namespaces, pods, replicaSets, replicationControllers, serviceAccounts } from '../../src/client/resources.ts'
import type { Cluster } from '../../src/cluster.ts'
import { abort, type Roll, RollError, resume, roll, rollback } from '../../src/rollout/index.ts'
import { createInformer } from '../../src/watch/create-informer.ts'
import { until } from '../controllers/until.ts'
import { mortal } from './mortal.ts'

export type Kind = 'ReplicationController' | 'ReplicaSet'
interface Step {
  command: 'roll' | 'rollback' | 'abort'
  pet?: boolean
  canary?: number
}
export interface Scenario {
  before: readonly Step[]
  doomed: Step
  after: 'finish' | 'undo'
  /** Of all pods in the end. */
  image: string
}

const REPLICAS = 3
/** Runs at once; each has a namespace of its own. */
const PARALLEL = 8
const PATIENCE_MS = 60_000
/** Enough to see what is wrong. */
const MAX_PROBLEMS = 10
type Controller = ReplicationController | ReplicaSet

export async function killEverywhere(cluster: Cluster, kind: Kind, scenario: Scenario) {
  const problems: string[] = []
  let [next, runs, total] = [1, 0, Number.POSITIVE_INFINITY]
  const worker = async () => {
    while (next <= total && problems.length < MAX_PROBLEMS) {
      const k = next++
      const { requests, wrong } = await killAfter(cluster, kind, scenario, k)
      // It came to its end before request k.
      if (requests < k) total = Math.min(total, requests)
      runs += 1
      problems.push(...wrong.map((text) => `killed after request ${k}: ${text}`))
    }
  }
  await Promise.all(Array.from({ length: PARALLEL }, worker))
  return { runs, problems }
}

let serial = 0

async function killAfter(cluster: Cluster, kind: Kind, scenario: Scenario, k: number) {
  const { client } = cluster
  const namespace = `n${++serial}`
  await createWeb(client, kind, namespace)
  const eyes = await watchPods(client, namespace)
  try {
    for (const step of scenario.before) await start(step, client, kind, namespace).result()
    const body = mortal(client.transport, k)
    const doomed = start(scenario.doomed, body.client, kind, namespace, body.clock).result()
    // Whoever died has no failures any more.
    doomed.catch(() => {})
    const end = await Promise.race([doomed, body.died])
    if (end !== 'died' && end.outcome !== 'done') throw new Error(`${end.outcome}: ${end.message}`)
    const hadBegun = await recover(scenario, client, kind, namespace)
    const wrong = await settled(client, kind, namespace, scenario, hadBegun)
    return { requests: body.requests(), wrong: [...wrong, ...eyes.problems] }
  } catch (error) {
    return { requests: k, wrong: [error instanceof Error ? (error.stack ?? error.message) : String(error)] }
  } finally {
    eyes.stop()
    await client.delete(namespaces, namespace)
  }
}

function start(step: Step, client: Client, kind: Kind, namespace: string, clock = systemClock): Roll {
  const target = { kind, name: 'web' } as const
  const options = { client, clock, namespace, target, maxSurge: 1, maxUnavailable: 0, timeoutMs: PATIENCE_MS, isGone: () => true }
  switch (step.command) {
    case 'roll':
      return roll({ ...options, images: { c: 'web:v2' }, pet: step.pet, canary: step.canary })
    case 'rollback':
      return rollback(options)
    case 'abort':
      return abort(options)
  }
}

/** By a client that knows no more than the command's name. Gives whether there was anything to recover. */
async function recover({ doomed, after }: Scenario, client: Client, kind: Kind, namespace: string): Promise<boolean> {
  const again = (step: Step) => start(step, client, kind, namespace).result()
  const target = { kind, name: 'web' } as const
  const goOn = { client, clock: systemClock, namespace, target, timeoutMs: PATIENCE_MS, isGone: () => true }
  if (after === 'finish' || doomed.command !== 'roll') {
    const resumed = await resume(goOn).result()
    if (!['done', 'unchanged', 'canary'].includes(resumed.outcome)) throw new Error(`${resumed.outcome}: ${resumed.message}`)
    await again(after === 'finish' ? doomed : { command: 'roll', ...(doomed.pet && { pet: true }) })
    return true
  }
  try {
    await again({ command: 'rollback' })
    return true
  } catch (error) {
    // It died before it had begun.
    if (!(error instanceof RollError && error.message.includes('was not rolled'))) throw error
    return false
  }
}

async function settled(
  client: Client,
  kind: Kind,
  namespace: string,
  { image, doomed, before }: Scenario,
  hadBegun: boolean,
): Promise<string[]> {
  let wrong: string[] = []
  try {
    await until(async () => {
      const [all, controllers, held] = await Promise.all([
        client.list(pods, { namespace }),
        client.list(resourceFor(kind), { namespace }),
        client.list(leases, { namespace }),
      ])
      wrong = [...podsWrong(all.items, controllers.items, image), ...controllersWrong(controllers.items, image)]
      // The lease of a driver that had done nothing runs out by itself.
      if (hadBegun && held.items.length > 0) wrong.push(`${held.items.length} leases are left`)
      if (doomed.command === 'abort' && controllers.items.length !== 1)
        wrong.push(`${controllers.items.length} controllers after an abort`)
      const isPet = doomed.pet ?? before.some(({ pet }) => pet)
      const web = controllers.items.find(({ metadata }) => metadata.name === 'web')
      if (isPet && imageOf(web) !== image) wrong.push(`the pet runs ${imageOf(web)}`)
      if (wrong.length > 0) throw new Error('not settled')
    })
  } catch (error) {
    if (wrong.length === 0) throw error
  }
  return wrong
}

function podsWrong(all: readonly Pod[], controllers: readonly Controller[], image: string): string[] {
  const uids = new Set(controllers.map(({ metadata }) => metadata.uid))
  const owned = all.filter(({ metadata }) => metadata.ownerReferences?.some(({ uid }) => uids.has(uid)))
  const images = all.map((pod) => pod.spec?.containers[0]?.image)
  return [
    ...(all.length === REPLICAS ? [] : [`${all.length} pods`]),
    ...(owned.length === all.length ? [] : [`${all.length - owned.length} orphans`]),
    ...(images.every((one) => one === image) ? [] : [`pods run ${images.join(', ')}`]),
  ]
}

function controllersWrong(controllers: readonly Controller[], image: string): string[] {
  const wrong = controllers.filter(({ metadata }) => metadata.deletionTimestamp || (metadata.finalizers ?? []).length > 0)
  const full = controllers.filter(({ spec }) => (spec?.replicas ?? 0) > 0)
  return [
    ...wrong.map(({ metadata }) => `${metadata.name} is held`),
    ...(full.length === 1 && full[0]?.spec?.replicas === REPLICAS && imageOf(full[0]) === image
      ? []
      : [`counts are ${controllers.map(({ metadata, spec }) => `${metadata.name}=${spec?.replicas}`).join(', ')}`]),
    // The old and the new one, and nothing else.
    ...(controllers.length <= 2 ? [] : [`${controllers.length} controllers are left`]),
    ...controllers
      .filter(({ metadata }) =>
        ['Preparing', 'Rolling', 'Switching', 'Paused'].includes(metadata.annotations?.['skiff.dev/phase'] ?? ''),
      )
      .map(({ metadata }) => `${metadata.name} says ${metadata.annotations?.['skiff.dev/phase']}`),
  ]
}

function imageOf(controller: Controller | undefined): string | undefined {
  return controller?.spec?.template?.spec?.containers[0]?.image
}

function resourceFor(kind: Kind): ResourceRef<Controller> {
  return kind === 'ReplicaSet' ? (replicaSets as ResourceRef<Controller>) : replicationControllers
}

async function createWeb(client: Client, kind: Kind, namespace: string): Promise<void> {
  await client.create(namespaces, { metadata: { name: namespace } })
  await until(async () => void (await client.get(serviceAccounts, 'default', { namespace })))
  const labels = { app: 'web' }
  const selector = kind === 'ReplicaSet' ? { matchLabels: labels } : labels
  const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'web:v1' }] } }
  await client.create(resourceFor(kind), {
    metadata: { name: 'web', namespace },
    spec: { replicas: REPLICAS, selector, template },
  } as Controller)
  await until(async () => {
    const { status } = await client.get(resourceFor(kind), 'web', { namespace })
    if (status?.availableReplicas !== REPLICAS) throw new Error(`${status?.availableReplicas} of ${REPLICAS} available`)
  }, PATIENCE_MS)
}

/** What a watch of the pods shows, from when all are available to the end. */
async function watchPods(client: Client, namespace: string): Promise<{ problems: string[]; stop(): void }> {
  const stopping = new AbortController()
  const informer = createInformer<Pod>({
    client,
    resource: pods,
    namespace,
    clock: systemClock,
    log: silentLog,
    signal: stopping.signal,
  })
  await informer.whenSynced()
  const problems: string[] = []
  const unsubscribe = informer.subscribe(() => {
    const there = informer.store.list().filter(({ metadata }) => !metadata.deletionTimestamp)
    const available = there.filter(isReady)
    if (available.length < REPLICAS) problems.push(`only ${available.length} pods were available`)
    if (there.length > REPLICAS + 1) problems.push(`${there.length} pods were there at once`)
  })
  return {
    problems,
    stop() {
      unsubscribe()
      stopping.abort(new Error('the run is over'))
    },
  }
}

function isReady({ status }: Pod): boolean {
  return status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') === true
}
