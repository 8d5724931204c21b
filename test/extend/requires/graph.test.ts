/** A graph of 200 objects in 100 orders of chance: every pod runs, and none was placed before what it requires was there. */
import { setMaxListeners } from 'node:events'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { KubeObject } from '../../../src/api/object.ts'
import type { EndpointSlice, Pod } from '../../../src/api/types.ts'
import type { Client, ResourceRef } from '../../../src/client/client.ts'
import {
  configMaps,
  endpointSlices,
  namespaces,
  pods,
  secrets,
  serviceAccounts,
  services,
} from '../../../src/client/resources.ts'
import type { Cluster } from '../../../src/cluster.ts'
import { startTestCluster } from '../../../src/testing.ts'
import { until } from '../../controllers/until.ts'
import { chanceOf, type GraphNode, graphOf, objectOf, shuffled } from './graph.ts'

const SIZE = 200
const ORDERS = 100
/** Orders under way at once. */
const PARALLEL = 10
/** A node takes 110 pods. */
const NODES = 75
/** For other orders than usual. */
const SEED = Number(process.env.GRAPH_SEED ?? 1)
const PATIENCE_MS = 540_000

const RESOURCES = { Pod: pods, ConfigMap: configMaps, Secret: secrets, Service: services } as unknown as Record<
  GraphNode['kind'],
  ResourceRef<KubeObject>
>

let cluster: Cluster
let client: Client
let history: History
const done = new AbortController()

beforeAll(async () => {
  cluster = await startTestCluster({ nodes: NODES })
  client = cluster.client
  setMaxListeners(0, done.signal)
  history = new History()
  await history.follow(client)
})
afterAll(async () => {
  done.abort()
  await cluster?.stop()
})

describe(`a graph of ${SIZE} objects`, () => {
  it(`comes up right in ${ORDERS} orders, and nothing before what it needs`, { timeout: PATIENCE_MS + 60_000 }, async () => {
    const graph = graphOf(SIZE, chanceOf(SEED))
    let next = 0
    const play = async () => {
      while (next < ORDERS) {
        const seed = SEED * 1_000 + next++
        await playOrder(graph, `order-${seed}`, shuffled(SIZE, chanceOf(seed)))
      }
    }
    await Promise.all(Array.from({ length: PARALLEL }, play))
  })
})

async function playOrder(graph: readonly GraphNode[], namespace: string, order: readonly number[]): Promise<void> {
  const names = graph.filter(({ kind }) => kind === 'Pod').map(({ name }) => `${namespace}/${name}`)
  await client.create(namespaces, { metadata: { name: namespace } } as never)
  // Without it pods are refused, on any Kubernetes.
  await until(() => client.get(serviceAccounts, 'default', { namespace }))
  for (const index of order) await client.create(RESOURCES[graph[index]!.kind], objectOf(graph, index, namespace))
  const waiting = await history.whenRunning(names)
  expect(waiting, `GRAPH_SEED=${SEED}, namespace ${namespace}: pods that do not run`).toEqual([])
  const tooEarly = graph.flatMap(({ name, needs }) =>
    needs
      .map((need) => `${graph[need]!.kind} ${namespace}/${graph[need]!.name}`)
      .filter((need) => !(history.heldAt(need) < history.placedAt(`${namespace}/${name}`)))
      .map((need) => `${name} was placed before ${need} was there`),
  )
  expect(tooEarly, `GRAPH_SEED=${SEED}, namespace ${namespace}`).toEqual([])
}

/** At which revision what happened; revisions are in order over all kinds. */
class History {
  readonly #held = new Map<string, number>()
  readonly #placed = new Map<string, number>()
  readonly #running = new Set<string>()
  readonly #waiters = new Set<() => void>()

  async follow(from: Client): Promise<void> {
    const { metadata } = await from.list(namespaces)
    const { resourceVersion } = metadata
    const watch = <T extends KubeObject>(resource: ResourceRef<T>, see: (object: T, revision: number) => void) =>
      void (async () => {
        for await (const batch of from.watch(resource, { resourceVersion, signal: done.signal }))
          for (const { type, object } of batch)
            if (type === 'ADDED' || type === 'MODIFIED') see(object, Number(object.metadata.resourceVersion))
      })().catch((error: unknown) => {
        if (!done.signal.aborted) throw error
      })
    watch(pods as ResourceRef<Pod & KubeObject>, (pod, revision) => this.#seePod(pod, revision))
    const seeObject = (kind: string) => (object: KubeObject, revision: number) =>
      note(this.#held, `${kind} ${keyOf(object)}`, revision)
    watch(configMaps as unknown as ResourceRef<KubeObject>, seeObject('ConfigMap'))
    watch(secrets as unknown as ResourceRef<KubeObject>, seeObject('Secret'))
    watch(endpointSlices as ResourceRef<EndpointSlice & KubeObject>, ({ metadata: slice, endpoints }, revision) => {
      const service = slice.labels?.['kubernetes.io/service-name']
      if (endpoints?.some(({ conditions }) => conditions?.ready))
        note(this.#held, `Service ${slice.namespace}/${service}`, revision)
    })
  }

  #seePod(pod: Pod, revision: number): void {
    const key = keyOf(pod)
    if (pod.spec?.nodeName) note(this.#placed, key, revision)
    if (pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True'))
      note(this.#held, `Pod ${key}`, revision)
    if (pod.status?.phase !== 'Running' || this.#running.has(key)) return
    this.#running.add(key)
    for (const wake of this.#waiters) wake()
  }

  heldAt(what: string): number {
    return this.#held.get(what) ?? Number.NaN
  }

  placedAt(pod: string): number {
    return this.#placed.get(pod) ?? Number.NaN
  }

  /** Answers those that do not run after a long time. */
  whenRunning(names: readonly string[]): Promise<string[]> {
    const left = new Set(names)
    return new Promise((resolve) => {
      const look = () => {
        for (const name of left) {
          if (!this.#running.has(name)) return
          left.delete(name)
        }
        end()
      }
      const end = () => {
        clearTimeout(timer)
        this.#waiters.delete(look)
        resolve([...left].filter((name) => !this.#running.has(name)))
      }
      const timer = setTimeout(end, PATIENCE_MS)
      this.#waiters.add(look)
      look()
    })
  }
}

function note(times: Map<string, number>, what: string, revision: number): void {
  if (!times.has(what)) times.set(what, revision)
}

function keyOf({ metadata }: Pick<KubeObject, 'metadata'>): string {
  return `${metadata.namespace}/${metadata.name}`
}
