/**
 * Makes a store a cluster: creates what every cluster has and this one lacks, and completes roles and bindings that an older
 * version made. One pass over levels, written straight to the store; nothing here runs on.
 */
import { groupVersion } from '../../api/definition.ts'
import { METRICS_GROUP } from '../../api/kinds/metrics.ts'
import type { KubeObject } from '../../api/object.ts'
import { type Clock, timestamp } from '../../base/clock.ts'
import type { Store } from '../../store/store.ts'
import { builtInService, localCondition } from '../aggregation/local-service.ts'
import { firstAddress } from '../auth/auth.ts'
import { uncovered } from '../auth/policy-rules.ts'
import { decoded, encoderOf } from '../objects/codec.ts'
import { copyJson, equalJson } from '../objects/json.ts'
import { keyOf } from '../objects/keys.ts'
import { newUid } from '../objects/names.ts'
import type { Registry } from '../registry.ts'
import { apiEndpoints, type ClusterOptions, clusterObjects } from './cluster-objects.ts'
import { controllerRoles } from './controller-roles.ts'
import { flowControlObjects } from './flow-control.ts'
import { systemRoles } from './system-roles.ts'
import { metricsReader, userRoles } from './user-roles.ts'

export interface BootstrapOptions {
  store: Store
  registry: Registry
  clock: Clock
  random: (bytes: number) => Buffer
  /** PEM. */
  caCertificate: string
  /** Default 10.96.0.0/16. */
  serviceCidr?: string
}

const DEFAULT_SERVICE_CIDR = '10.96.0.0/16'
const AUTOUPDATE = 'rbac.authorization.kubernetes.io/autoupdate'

/** Everything, without uid and creation time; namespaces come first. */
export function bootstrapObjects(options: ClusterOptions): KubeObject[] {
  return [...clusterObjects(options), ...userRoles(), ...systemRoles(), ...controllerRoles(), ...flowControlObjects(options.now)]
}

/** Resolves when all of it is durable. Kinds that the registry does not serve are left out. */
export async function ensureBootstrap(options: BootstrapOptions): Promise<void> {
  const now = timestamp(options.clock)
  const serviceCidr = options.serviceCidr ?? DEFAULT_SERVICE_CIDR
  const cluster = { now, serviceCidr, serviceAddress: firstAddress(serviceCidr), caCertificate: options.caCertificate }
  const optional = options.registry.servesGroup(METRICS_GROUP) ? [metricsReader()] : []
  await ensure(options, [...bootstrapObjects(cluster), ...optional, ...apiServices(options.registry, now)], complete)
}

/** Of all that is built in; those of custom resources come with them. */
function apiServices(registry: Registry, now: string): KubeObject[] {
  const places = new Map<string, { group: string; version: string }>()
  for (const { definition, itemsCarryKind } of registry.resources())
    if (!itemsCarryKind) places.set(groupVersion(definition), definition)
  return [...places.values()].flatMap((place) => {
    const service = builtInService(place)
    return service ? [{ ...service, status: { conditions: [localCondition(now)] } }] : []
  })
}

/** Points the `kubernetes` Service at this server: called once the port is known, and after every restart. */
export async function publishEndpoint(
  options: Pick<BootstrapOptions, 'store' | 'registry' | 'clock' | 'random'>,
  endpoint: { address: string; port: number },
): Promise<void> {
  await ensure(options, apiEndpoints(endpoint.address, endpoint.port), replace)
  const service = { kind: 'Service', apiVersion: 'v1', metadata: { name: 'kubernetes', namespace: 'default' } }
  await ensure(options, [service], (existing) => withTargetPort(existing, endpoint.port))
}

/** What shall be stored instead of `existing`, or undefined to leave it. */
type Merge = (existing: KubeObject, wanted: KubeObject) => KubeObject | undefined

async function ensure(
  { store, registry, clock, random }: Pick<BootstrapOptions, 'store' | 'registry' | 'clock' | 'random'>,
  objects: readonly KubeObject[],
  merge: Merge,
): Promise<void> {
  const creationTimestamp = timestamp(clock)
  const writes: Promise<unknown>[] = []
  for (const object of objects) {
    const resource = registry.lookupKind(object.apiVersion ?? '', object.kind ?? '')
    if (!resource) continue
    const { name = '', namespace = '' } = object.metadata
    const key = keyOf(resource, namespace, name)
    const entry = store.get(key)
    if (!entry) {
      const { name: _, namespace: __, ...rest } = object.metadata
      object.metadata = { name, ...(namespace && { namespace }), uid: newUid(random), creationTimestamp, ...rest }
      writes.push(store.create(key, encoderOf(object)))
      continue
    }
    const merged = merge(decoded(entry), object)
    if (merged) writes.push(store.update(key, entry.revision, encoderOf(merged)))
  }
  await Promise.all(writes)
}

/** Roles and bindings that say so get what they lack; what was added to them stays. Of the rest, only our own CA is kept true. */
function complete(existing: KubeObject, wanted: KubeObject): KubeObject | undefined {
  if (wanted.kind === 'ConfigMap')
    return equalJson(existing.data, wanted.data) ? undefined : { ...copyJson(existing), data: wanted.data }
  // What an older version registered is brought to this one's order, unless it was made somebody else's.
  if (wanted.kind === 'APIService' && equalJson(existing.metadata.labels, wanted.metadata.labels))
    return equalJson(existing.spec, wanted.spec) ? undefined : { ...copyJson(existing), spec: wanted.spec }
  if (existing.metadata.annotations?.[AUTOUPDATE] !== 'true') return undefined
  if (wanted.rules) {
    if (equalJson(existing.rules, wanted.rules)) return undefined
    const missing = uncovered(existing.rules ?? [], wanted.rules)
    return missing.length > 0 ? { ...copyJson(existing), rules: [...(existing.rules ?? []), ...missing] } : undefined
  }
  if (!wanted.subjects) return undefined
  const held: object[] = existing.subjects ?? []
  const missing = (wanted.subjects as object[]).filter((subject) => !held.some((other) => equalJson(subject, other)))
  return missing.length > 0 ? { ...copyJson(existing), subjects: [...held, ...missing] } : undefined
}

function replace(existing: KubeObject, wanted: KubeObject): KubeObject | undefined {
  const { metadata, ...rest } = existing
  const { metadata: _, ...content } = wanted
  if (equalJson(rest, content)) return undefined
  const generation = metadata.generation === undefined ? {} : { generation: metadata.generation + 1 }
  return { ...content, metadata: { ...copyJson(metadata), ...generation } }
}

function withTargetPort(service: KubeObject, port: number): KubeObject | undefined {
  if (service.spec?.ports?.[0]?.targetPort === port) return undefined
  const copy = copyJson(service)
  for (const each of copy.spec?.ports ?? []) each.targetPort = port
  return copy
}
