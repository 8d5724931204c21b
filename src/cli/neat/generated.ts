/** What servers and controllers add that is no default: what of it can be told by its name or its looks. */

import { FIELD_PREFIX, SOURCES_ANNOTATION } from '../../api/downward/annotations.ts'
import type { KubeObject, Metadata } from '../../api/object.ts'
import { isControlled } from '../names/candidate.ts'
import { templateAt, templatePathsOf } from '../pod-template.ts'
import { LAST_APPLIED } from './owners.ts'

/** Of the metadata, what nobody can write or nobody should write elsewhere: owners are known by ids of this cluster. */
const SERVER_METADATA = [
  ...['uid', 'resourceVersion', 'generation', 'creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds'],
  ...['managedFields', 'selfLink', 'ownerReferences', 'generateName'],
] as const

const ANNOTATIONS = new Set([
  LAST_APPLIED,
  SOURCES_ANNOTATION,
  ...['revision', 'revision-history', 'desired-replicas', 'max-replicas'].map((name) => `deployment.kubernetes.io/${name}`),
  'deprecated.daemonset.template.generation',
  ...['bind-completed', 'bound-by-controller', 'provisioned-by'].map((name) => `pv.kubernetes.io/${name}`),
  ...['storage-provisioner', 'selected-node'].map((name) => `volume.kubernetes.io/${name}`),
  'volume.beta.kubernetes.io/storage-provisioner',
  'endpoints.kubernetes.io/last-change-trigger-time',
  'batch.kubernetes.io/job-tracking',
  ...[
    ...['partner', 'roll-id', 'roll', 'original-replicas', 'desired-replicas', 'written-replicas', 'phase', 'direction', 'role'],
    ...['base', 'next', 'by', 'command', 'note', 'image-change', 'rolled-at', 'rolled-back', 'last-good-template'],
    ...['bad-templates', 'requires-resolved', 'requires-from', 'partition-before-canary'],
  ].map((name) => `skiff.dev/${name}`),
])
const FINALIZERS = /^(kubernetes|orphan|foregroundDeletion|kubernetes\.io\/.*|skiff\.dev\/switch|batch\.kubernetes\.io\/.*)$/
/** By which controllers know what they made. */
const CONTROLLER_LABELS = new Set([
  ...['pod-template-hash', 'controller-revision-hash', 'pod-template-generation', 'controller-uid', 'job-name'],
  ...['batch.kubernetes.io/controller-uid', 'batch.kubernetes.io/job-name', 'batch.kubernetes.io/job-completion-index'],
  ...['statefulset.kubernetes.io/pod-name', 'apps.kubernetes.io/pod-index'],
])
const TOKEN_VOLUME = /^kube-api-access-[a-z0-9]{5}$/
const NODE_TAINTS = new Set(['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'])

/** Edits the object in place; `isMade` by a controller. */
export function takeGenerated(object: KubeObject, isMade: boolean): void {
  takeFromMetadata(object.metadata, isMade)
  delete object.status
  const selector = object.spec?.selector as { matchLabels?: Record<string, string> } | undefined
  if (isMade && selector?.matchLabels)
    object.spec.selector = { ...selector, matchLabels: keep(selector.matchLabels, (name) => !CONTROLLER_LABELS.has(name)) ?? {} }
  const group = object.apiVersion?.includes('/') ? object.apiVersion.split('/')[0]! : ''
  for (const path of templatePathsOf(object, group)) {
    const template = templateAt(object, path)
    if (!template) continue
    if (path.length > 0 && template.metadata) takeFromMetadata(template.metadata, isMade)
    if (template.metadata && Object.keys(template.metadata).length === 0) delete template.metadata
    takeFromPod(template.spec as Record<string, unknown> | undefined)
  }
}

export const isMadeByController = (object: KubeObject): boolean =>
  isControlled({ metadata: object.metadata } as Parameters<typeof isControlled>[0])

function takeFromMetadata(metadata: Metadata, isMade: boolean): void {
  for (const name of SERVER_METADATA) delete metadata[name]
  assign(
    metadata,
    'annotations',
    keep(metadata.annotations, (name) => !ANNOTATIONS.has(name) && !name.startsWith(FIELD_PREFIX)),
  )
  const isLabelKept = (name: string) => name !== 'kubernetes.io/metadata.name' && !(isMade && CONTROLLER_LABELS.has(name))
  assign(metadata, 'labels', keep(metadata.labels, isLabelKept))
  const finalizers = metadata.finalizers?.filter((name) => !FINALIZERS.test(name))
  assign(metadata, 'finalizers', finalizers?.length ? finalizers : undefined)
}

function keep(
  entries: Record<string, string> | undefined,
  isKept: (name: string) => boolean,
): Record<string, string> | undefined {
  const left = Object.entries(entries ?? {}).filter(([name]) => isKept(name))
  return left.length > 0 ? Object.fromEntries(left) : undefined
}

function assign<K extends keyof Metadata>(metadata: Metadata, name: K, value: Metadata[K] | undefined): void {
  if (value === undefined) delete metadata[name]
  else metadata[name] = value
}

interface Mounting {
  volumeMounts?: { name: string }[]
}

/** What every pod gets: the token of its service account, and patience with nodes that are away. */
function takeFromPod(spec: Record<string, unknown> | undefined): void {
  if (!spec) return
  const isToken = ({ name }: { name: string }) => TOKEN_VOLUME.test(name)
  const without = <T>(holder: object, name: string, isTaken: (one: T) => boolean) => {
    const fields = holder as Record<string, T[] | undefined>
    const left = fields[name]?.filter((one) => !isTaken(one))
    if (left?.length === 0) delete fields[name]
    else if (left) fields[name] = left
  }
  // The old name of the field, which servers fill in.
  if (spec.serviceAccount === spec.serviceAccountName) delete spec.serviceAccount
  without(spec, 'volumes', isToken)
  for (const name of ['initContainers', 'containers', 'ephemeralContainers'])
    for (const container of (spec[name] as Mounting[] | undefined) ?? []) without(container, 'volumeMounts', isToken)
  without(
    spec,
    'tolerations',
    (one: { key?: string; tolerationSeconds?: number }) => NODE_TAINTS.has(one.key ?? '') && one.tolerationSeconds === 300,
  )
}

/** Of an object that does not say who wrote what: the fields that are allocated, bound or decided for it. Edits it in place. */
export function takeAllocated(object: KubeObject): void {
  const { kind, spec } = object
  const take = (...names: string[]) => {
    for (const name of names) delete spec?.[name]
  }
  if (kind === 'Service') {
    if (spec?.clusterIP !== 'None') take('clusterIP', 'clusterIPs')
    take('ipFamilies', 'ipFamilyPolicy', 'healthCheckNodePort')
  } else if (kind === 'Pod') {
    take('nodeName', 'serviceAccount', 'priority', 'preemptionPolicy')
    if (spec?.serviceAccountName === 'default') take('serviceAccountName')
  } else if (kind === 'PersistentVolumeClaim') take('volumeName')
  else if (kind === 'PersistentVolume') take('claimRef')
  else if (kind === 'Namespace') take('finalizers')
  else if (kind === 'Job' && spec?.manualSelector !== true) take('selector')
}
