/**
 * The objects that require something, found by name or label: workloads by their templates, and pods nobody owns. Caches lag
 * a moment behind the writes, so what admission has just let through is remembered until they have it.
 */
import type { KubeObject } from '../../api/object.ts'
import { REQUIRES } from '../../api/requires/names.ts'
import type { Requirement } from '../../api/requires/requirement.ts'
import type { LabelSelector } from '../../api/selectors.ts'
import { isNotFound } from '../../api/status.ts'
import type { Service } from '../../api/types.ts'
import type { Clock } from '../../base/clock.ts'
import type { Client, ResourceRef } from '../../client/client.ts'
import * as resources from '../../client/resources.ts'
import type { Informers } from '../../watch/informers.ts'
import type { ExtensionContext } from '../extension.ts'
import { templateOf } from '../fields/templates.ts'
import type { RequiresReader } from './reader.ts'

const { deployments, statefulSets, daemonSets, jobs, replicaSets, replicationControllers, pods, services } = resources
const WORKLOADS = [
  deployments,
  statefulSets,
  daemonSets,
  jobs,
  replicaSets,
  replicationControllers,
  pods,
] as readonly ResourceRef<KubeObject>[]
const INDEX = 'requires/label'
/** A cache that has not heard of a write by then never will: the write failed after all. */
const REMEMBERED_MS = 2_000
const MAX_REMEMBERED = 1_000
const MAX_PARSED = 1_000

export interface Waiter {
  /** `deployment/web` */
  id: string
  labels: Readonly<Record<string, string>>
  requirements: readonly Requirement[]
}

interface Recent extends Waiter {
  namespace: string
  atMs: number
}

export class Waiters {
  readonly #client: Client
  readonly #informers: Informers
  readonly #clock: Clock
  readonly #parsed = new Map<string, readonly Requirement[]>()
  #reader: RequiresReader | undefined
  /** By key, and the same by namespace. */
  readonly #recent = new Map<string, Recent>()
  readonly #recentIn = new Map<string, Set<Recent>>()
  #synced: Promise<unknown> | undefined

  constructor({ client, informers, clock }: ExtensionContext) {
    this.#client = client
    this.#informers = informers
    this.#clock = clock
  }

  /** Resolves when the caches have listed once, and what they hold can be read: nothing else may be asked before. */
  async whenReady(reader: () => Promise<RequiresReader>): Promise<void> {
    this.#reader ??= await reader()
    await this.#whenSynced()
  }

  #whenSynced(): Promise<unknown> {
    this.#synced ??= Promise.all(
      WORKLOADS.map((resource) => {
        const informer = this.#informers.get(resource)
        informer.store.addIndex(INDEX, (object) => placesOf(object, resource.kind))
        return informer.whenSynced()
      }),
    )
    return this.#synced
  }

  remember(namespace: string, waiter: Waiter): void {
    const key = `${namespace} ${waiter.id}`
    this.#forget(key)
    if (this.#recent.size >= MAX_REMEMBERED) this.#forget(this.#recent.keys().next().value!)
    const recent = { ...waiter, namespace, atMs: this.#clock.monotonic() }
    this.#recent.set(key, recent)
    this.#recentIn.set(namespace, (this.#recentIn.get(namespace) ?? new Set()).add(recent))
  }

  byId(namespace: string, kind: string, name: string): Waiter | undefined {
    const resource = WORKLOADS.find((one) => one.kind === kind)
    const object = resource && this.#informers.get(resource).store.get(`${namespace}/${name}`)
    const known = object && this.#waiterOf(object, kind)
    if (known) return known
    this.#forgetOld()
    return this.#recent.get(`${namespace} ${kind.toLowerCase()}/${name}`)
  }

  /** Those whose pods the selector picks; of one kind, or of any. */
  picked(namespace: string, selector: LabelSelector, kind?: string): Waiter[] {
    const equal = selector.requirements.find(
      ({ operator, values }) => (operator === '=' || operator === '==') && values.length === 1,
    )
    const place = equal ? `${namespace} ${equal.key}=${equal.values[0]}` : namespace
    const cached = WORKLOADS.filter((resource) => kind === undefined || resource.kind === kind).flatMap((resource) =>
      this.#informers
        .get(resource)
        .store.byIndex(INDEX, place)
        .flatMap((object) => this.#waiterOf(object, resource.kind) ?? []),
    )
    const prefix = kind === undefined ? '' : `${kind.toLowerCase()}/`
    const recent = this.#remembered(namespace).filter(({ id }) => id.startsWith(prefix) && cached.every((one) => one.id !== id))
    return [...cached, ...recent].filter(({ labels }) => selector.matches(labels))
  }

  /** From the server itself: a Service and who is behind it often come in one breath. */
  async service(namespace: string, name: string): Promise<Service | undefined> {
    try {
      return await this.#client.get(services, name, { namespace })
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw error
    }
  }

  #waiterOf(object: KubeObject, kind: string): Waiter | undefined {
    const text = requiresOf(object, kind)
    return text === undefined
      ? undefined
      : { id: idOf(object, kind), labels: labelsOf(object, kind), requirements: this.#read(text) }
  }

  /** The requirements of an object that was admitted before: templates of many objects say the same. */
  #read(text: string): readonly Requirement[] {
    const known = this.#parsed.get(text)
    if (known) return known
    if (!this.#reader) throw new Error('requirements were asked for before whenReady')
    const { requirements } = this.#reader.parseRequires(text)
    if (this.#parsed.size >= MAX_PARSED) this.#parsed.clear()
    this.#parsed.set(text, requirements)
    return requirements
  }

  #remembered(namespace: string): Recent[] {
    this.#forgetOld()
    return [...(this.#recentIn.get(namespace) ?? [])]
  }

  #forgetOld(): void {
    const sinceMs = this.#clock.monotonic() - REMEMBERED_MS
    for (const [key, { atMs }] of this.#recent) {
      if (atMs >= sinceMs) break
      this.#forget(key)
    }
  }

  #forget(key: string): void {
    const recent = this.#recent.get(key)
    if (!recent) return
    this.#recent.delete(key)
    const others = this.#recentIn.get(recent.namespace)
    others?.delete(recent)
    if (others?.size === 0) this.#recentIn.delete(recent.namespace)
  }
}

export function idOf(object: KubeObject, kind: string): string {
  return `${kind.toLowerCase()}/${object.metadata.name ?? object.metadata.generateName ?? ''}`
}

/** What its pods are labelled with. */
export function labelsOf(object: KubeObject, kind: string): Readonly<Record<string, string>> {
  const template = templateOf(object) as { metadata?: { labels?: Record<string, string> } } | undefined
  return (kind === 'Pod' ? object.metadata.labels : template?.metadata?.labels) ?? {}
}

function requiresOf(object: KubeObject, kind: string): string | undefined {
  if (object.metadata.ownerReferences?.some(({ controller }) => controller)) return undefined
  return (kind === 'Pod' ? object : templateOf(object))?.metadata?.annotations?.[REQUIRES]
}

/** Where the index has it: under its namespace, and under each label of its pods there. */
function placesOf(object: KubeObject, kind: string): string[] {
  if (requiresOf(object, kind) === undefined) return []
  const namespace = object.metadata.namespace ?? ''
  return [namespace, ...Object.entries(labelsOf(object, kind)).map(([key, value]) => `${namespace} ${key}=${value}`)]
}
