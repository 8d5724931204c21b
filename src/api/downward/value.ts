/**
 * What a field path says now: finds its object, follows its steps, writes the result as text. Objects come through the given
 * lookup; nothing is read here.
 */
import { evaluateSteps } from '../json-path.ts'
import type { KubeObject, OwnerReference } from '../object.ts'
import { parseQuantity, quantityValue } from '../quantity.ts'
import { type FieldSource, type HostFact, isPlural } from './source.ts'

/** Of one value; a pod's annotations hold 256 KiB in all. */
export const MAX_VALUE_BYTES = 16 * 1024
/** How far up the chain of owners a path looks. */
const MAX_OWNERS = 5

/** Each answers undefined for what does not exist. */
export interface Related {
  node(name: string): Promise<KubeObject | undefined>
  namespace(name: string): Promise<KubeObject | undefined>
  service(namespace: string, name: string): Promise<KubeObject | undefined>
  /** The owner itself: one of another uid is none. */
  owner(reference: OwnerReference, namespace: string): Promise<KubeObject | undefined>
}

/** `missing` says why there is no value, and no default either. */
export type FieldValue = { value: string; missing?: undefined } | { value?: undefined; missing: string }

export async function fieldValueOf(source: FieldSource, pod: KubeObject, related: Related): Promise<FieldValue> {
  const found = await originOf(source, pod, related)
  if (found.missing !== undefined) return source.fallback === undefined ? found : { value: source.fallback }
  const text = source.origin.from === 'host' ? hostFact(source.origin.fact, found.object) : textOf(source, found.object)
  if (text === undefined) {
    return source.fallback === undefined ? { missing: `${source.text} has no value` } : { value: source.fallback }
  }
  const bytes = Buffer.byteLength(text)
  if (bytes > MAX_VALUE_BYTES)
    return { missing: `${source.text} has a value of ${bytes} bytes, and ${MAX_VALUE_BYTES} are possible` }
  return { value: text }
}

/** The text of what the path leads to; undefined when that is nothing. */
function textOf({ steps, json }: FieldSource, object: KubeObject): string | undefined {
  const values = evaluateSteps(steps, object).filter((value) => value !== null)
  if (isPlural(steps) && json) return JSON.stringify(values)
  if (values.length === 0) return undefined
  return json ? JSON.stringify(values[0]) : values.map(plain).join(',')
}

function plain(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

type Found = { object: KubeObject; missing?: undefined } | { object?: undefined; missing: string }

async function originOf({ origin, text }: FieldSource, pod: KubeObject, related: Related): Promise<Found> {
  const namespace = pod.metadata.namespace ?? ''
  const found = (object: KubeObject | undefined, what: string): Found =>
    object ? { object } : { missing: `${text} has no value: ${what} does not exist` }
  switch (origin.from) {
    case 'pod':
      return { object: withoutTraces(pod) }
    case 'namespace':
      return found(await related.namespace(namespace), `the namespace ${namespace}`)
    case 'service':
      return found(await related.service(namespace, origin.name), `the Service ${origin.name}`)
    case 'node':
    case 'host': {
      const name = pod.spec?.nodeName as string | undefined
      if (!name) return { missing: `${text} has no value: the pod has no node yet` }
      return found(await related.node(name), `the node ${name}`)
    }
    case 'owner':
      return found(await ownerOf(pod, origin.kind, related), origin.kind ? `an owner of kind ${origin.kind}` : 'an owner')
  }
}

/** What skiff and the server note on the pod as they write a value: a path that led there would change with its own value. */
const TRACES = /^skiff\.dev\/(?:field|restart\.|signal\.)/

function withoutTraces(pod: KubeObject): KubeObject {
  const { managedFields: _, resourceVersion: __, annotations, ...metadata } = pod.metadata
  const kept = Object.entries(annotations ?? {}).filter(([name]) => !TRACES.test(name))
  return { ...pod, metadata: { ...metadata, ...(kept.length > 0 && { annotations: Object.fromEntries(kept) }) } }
}

/** The controller, or the nearest of a kind above it. A Secret is nobody's controller here. */
async function ownerOf(pod: KubeObject, kind: string | undefined, related: Related): Promise<KubeObject | undefined> {
  let at: KubeObject | undefined = pod
  for (let steps = 0; steps < MAX_OWNERS; steps++) {
    const reference: OwnerReference | undefined = controllerOf(at)
    if (!reference || reference.kind === 'Secret') return undefined
    at = await related.owner(reference, pod.metadata.namespace ?? '')
    if (!at || kind === undefined || reference.kind.toLowerCase() === kind.toLowerCase()) return at
  }
  return undefined
}

export function controllerOf(object: KubeObject | undefined): OwnerReference | undefined {
  return object?.metadata.ownerReferences?.find((reference) => reference.controller === true)
}

/** What every process on the host can see by itself, from the node's object. */
function hostFact(fact: HostFact, { status }: KubeObject): string | undefined {
  switch (fact) {
    case 'cpus':
      return status?.capacity?.cpu
    case 'memory':
      return status?.capacity?.memory && bytesOf(status.capacity.memory)
    case 'arch':
      return status?.nodeInfo?.architecture
    case 'os':
      return status?.nodeInfo?.operatingSystem
    case 'ip':
      return status?.addresses?.find((one: { type: string }) => one.type === 'InternalIP')?.address
  }
}

function bytesOf(quantity: string): string {
  return String(quantityValue(parseQuantity(quantity)))
}
