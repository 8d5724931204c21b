/** Asks the metrics APIs of the cluster: what pods use, and what somebody else's servers measure of pods, objects and the world outside. */
import { parseGoDuration } from '../../api/duration.ts'
import type { KubeObject } from '../../api/object.ts'
import { parseQuantity, quantityMilliValue } from '../../api/quantity.ts'
import { formatLabelSelector } from '../../api/selectors.ts'
import { StatusError } from '../../api/status.ts'
import type {
  APIGroup,
  CrossVersionObjectReference,
  MetricIdentifier,
  PodMetricsList,
  PodMetrics as WirePodMetrics,
} from '../../api/types.ts'
import type { Client, ResourceRef } from '../../client/client.ts'
import { messageOf } from '../parts/failures.ts'
import { MetricError } from './proposal.ts'
import type { PodMetric, PodMetrics } from './readiness.ts'

const CUSTOM = 'custom.metrics.k8s.io'
const EXTERNAL = 'external.metrics.k8s.io'
/** Of values that do not say which time they are the mean of. */
const DEFAULT_WINDOW_MS = 60_000
const NO_RESOURCE_METRICS = 'no metrics returned from resource metrics API'

/** A value of custom.metrics.k8s.io or external.metrics.k8s.io, as far as it is read here. */
interface MeasuredValue {
  describedObject?: { name?: string }
  timestamp?: string
  windowSeconds?: number
  value: string
}

export class MetricsSource {
  readonly #client: Client
  readonly #signal: AbortSignal
  readonly #resourceOf: (reference: CrossVersionObjectReference) => Promise<ResourceRef | undefined>

  /** `resourceOf` knows the resource of a kind. */
  constructor(client: Client, signal: AbortSignal, resourceOf: MetricsSource['resourceOf']) {
    this.#client = client
    this.#signal = signal
    this.#resourceOf = resourceOf
  }

  get resourceOf(): (reference: CrossVersionObjectReference) => Promise<ResourceRef | undefined> {
    return this.#resourceOf
  }

  /** What pods use of a resource: all their containers, or the named one. Throws MetricError. */
  async resource(namespace: string, selector: string, resource: string, container: string | undefined): Promise<PodMetrics> {
    const items = await this.#ask('resource', 'pods.metrics.k8s.io', async () => {
      const path = `/apis/metrics.k8s.io/v1beta1/namespaces/${namespace}/pods`
      return (await this.#get<PodMetricsList>(path, selector)).items
    })
    if (items.length === 0) throw new MetricError(NO_RESOURCE_METRICS)
    const found = new Map<string, PodMetric>()
    for (const item of items) {
      const value = usageOf(item, resource, container)
      const windowMs = Number(parseGoDuration(item.window) ?? 0n) / 1_000_000
      if (value !== undefined) found.set(item.metadata.name ?? '', { value, timestampMs: Date.parse(item.timestamp), windowMs })
    }
    return found
  }

  /** One value of each pod. Throws MetricError. */
  async pods(namespace: string, selector: string, metric: MetricIdentifier): Promise<PodMetrics> {
    const items = await this.#custom(`namespaces/${namespace}/pods/*`, metric, selector)
    if (items.length === 0) throw new MetricError('no metrics returned from custom metrics API')
    return new Map(
      items.map(({ describedObject, value, timestamp = '', windowSeconds }) => [
        describedObject?.name ?? '',
        {
          value: milli(value),
          timestampMs: Date.parse(timestamp) || 0,
          windowMs: windowSeconds === undefined ? DEFAULT_WINDOW_MS : windowSeconds * 1000,
        },
      ]),
    )
  }

  /** The value of one object, in thousandths. Throws MetricError. */
  async object(namespace: string, reference: CrossVersionObjectReference, metric: MetricIdentifier): Promise<number> {
    const resource = await this.#resourceOf(reference)
    if (!resource) throw new MetricError(`no matches for kind ${JSON.stringify(reference.kind)}`)
    const plural = resource.group ? `${resource.plural}.${resource.group}` : resource.plural
    const place = reference.kind === 'Namespace' ? `namespaces/${reference.name}/metrics` : `${plural}/${reference.name}`
    const path = resource.namespaced ? `namespaces/${namespace}/${place}` : place
    const [item] = await this.#custom(path, metric, undefined)
    if (!item) throw new MetricError('no metrics returned from custom metrics API')
    return milli(item.value)
  }

  /** The sum of all values of a metric that has nothing to do with the cluster, in thousandths. Throws MetricError. */
  async external(namespace: string, metric: MetricIdentifier): Promise<number> {
    const items = await this.#ask('external', `${metric.name}.${EXTERNAL}`, async () => {
      const path = `/apis/${EXTERNAL}/v1beta1/namespaces/${namespace}/${metric.name}`
      return (await this.#get<{ items: MeasuredValue[] }>(path, selectorOf(metric))).items
    })
    if (items.length === 0) throw new MetricError('no metrics returned from external metrics API')
    return items.reduce((total, { value }) => total + milli(value), 0)
  }

  async #custom(place: string, metric: MetricIdentifier, selector: string | undefined): Promise<MeasuredValue[]> {
    return this.#ask('custom', `${metric.name}.${CUSTOM}`, async () => {
      const version = await this.#customVersion()
      const path = `/apis/${CUSTOM}/${version}/${place}/${metric.name}`
      return (await this.#get<{ items: MeasuredValue[] }>(path, selector, selectorOf(metric))).items
    })
  }

  async #customVersion(): Promise<string> {
    try {
      const { preferredVersion, versions } = await this.#get<APIGroup>(`/apis/${CUSTOM}`)
      return preferredVersion?.version ?? versions[0]?.version ?? 'v1beta2'
    } catch (error) {
      if (!isMissing(error)) throw error
      throw new Error(`no custom metrics API (${CUSTOM}) registered`, { cause: error })
    }
  }

  async #get<T>(path: string, labelSelector?: string, metricLabelSelector?: string): Promise<T> {
    const query = { ...(labelSelector && { labelSelector }), ...(metricLabelSelector && { metricLabelSelector }) }
    const { object } = await this.#client.transport.request({ method: 'GET', path, query, signal: this.#signal })
    return object as KubeObject as T
  }

  /** `asked` is named when no server has the API at all. */
  async #ask<T>(api: 'resource' | 'custom' | 'external', asked: string, question: () => Promise<T>): Promise<T> {
    try {
      return await question()
    } catch (error) {
      this.#signal.throwIfAborted()
      const why = isMissing(error) ? `the server could not find the requested resource (get ${asked})` : messageOf(error)
      throw new MetricError(`unable to fetch metrics from ${api} metrics API: ${why}`, { cause: error })
    }
  }
}

/** Nobody serves such a path; who serves it and lacks the metric says more. */
function isMissing(error: unknown): boolean {
  return error instanceof StatusError && error.code === 404 && error.message.startsWith('404 page not found')
}

/** In thousandths; undefined when a container was not measured. Throws MetricError when there is no such container. */
function usageOf({ metadata, containers }: WirePodMetrics, resource: string, container: string | undefined): number | undefined {
  const chosen = containers.filter(({ name }) => container === undefined || name === container)
  if (chosen.length === 0) {
    if (container === undefined) return undefined
    throw new MetricError(`container ${container} not present in metrics for pod ${metadata.namespace}/${metadata.name}`)
  }
  let total = 0
  for (const { usage } of chosen) {
    const amount = usage[resource]
    if (amount === undefined) return undefined
    total += milli(amount)
  }
  return total
}

function selectorOf({ selector }: MetricIdentifier): string | undefined {
  return selector ? formatLabelSelector(selector) : undefined
}

const milli = (text: string): number => quantityMilliValue(parseQuantity(text))
