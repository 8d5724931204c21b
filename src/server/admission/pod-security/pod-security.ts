/** PodSecurity: what a namespace's labels demand of its pods; templates of workloads are only warned about. */
import type { KubeObject } from '../../../api/object.ts'
import { invalid } from '../../../api/status.ts'
import type { Pod, PodSpec } from '../../../api/types.ts'
import type { AdmissionPlugin, AdmissionRequest, ObjectReader } from '../contract.ts'
import { isAbout, refused } from '../refusal.ts'
import { checkLabels, hasPolicy, type Level, policyFor, violatedReasons, violation } from './levels.ts'

/** Where the kinds with a pod template keep it. */
const TEMPLATES: Readonly<Record<string, (object: KubeObject) => KubeObject | undefined>> = {
  '/replicationcontrollers': (object) => object.spec?.template,
  '/podtemplates': (object) => object.template,
  'apps/deployments': (object) => object.spec?.template,
  'apps/replicasets': (object) => object.spec?.template,
  'apps/statefulsets': (object) => object.spec?.template,
  'apps/daemonsets': (object) => object.spec?.template,
  'batch/jobs': (object) => object.spec?.template,
  'batch/cronjobs': (object) => object.spec?.jobTemplate?.spec?.template,
}
/** Of a tightened namespace, so many pods are looked at and so many kinds of findings told. */
const MAX_PODS = 3000
const MAX_TOLD = 10

export function podSecurity(reader: ObjectReader): AdmissionPlugin {
  const labelsOf = (namespace: string) => reader.get('', 'namespaces', '', namespace)?.metadata.labels
  return {
    name: 'PodSecurity',
    handles(request) {
      if (request.operation !== 'CREATE' && request.operation !== 'UPDATE') return false
      if (isAbout(request, '', 'namespaces')) return true
      return (isPod(request) || templateOf(request) !== undefined) && hasPolicy(labelsOf(request.namespace))
    },
    validate(request) {
      if (request.definition.plural === 'namespaces') checkNamespace(request, reader)
      else if (request.definition.plural === 'pods') checkPod(request, labelsOf(request.namespace))
      else warnAbout(request, templateOf(request), labelsOf(request.namespace))
    },
  }
}

/** An ordinary update cannot change what these checks look at. */
function isPod({ definition, operation, subresource }: AdmissionRequest): boolean {
  if (definition.plural !== 'pods' || definition.group !== '') return false
  return operation === 'CREATE' ? subresource === '' : subresource === 'ephemeralcontainers'
}

function templateOf({ definition, subresource, object }: AdmissionRequest): KubeObject | undefined {
  if (subresource !== '' || !object) return undefined
  return TEMPLATES[`${definition.group}/${definition.plural}`]?.(object)
}

type Labels = Readonly<Record<string, string>> | undefined

function checkPod(request: AdmissionRequest, labels: Labels): void {
  const pod = request.object as Pod | undefined
  if (!pod?.spec) return
  const policy = policyFor(labels, 'enforce')
  const found = policy && violation(policy.level, pod.spec, pod.metadata)
  if (policy && found) throw refused(request, `violates PodSecurity "${policy.level}:${policy.version}": ${found}`)
  warnAbout(request, pod as KubeObject, labels)
}

function warnAbout(request: AdmissionRequest, template: KubeObject | undefined, labels: Labels): void {
  const policy = policyFor(labels, 'warn')
  const spec: PodSpec | undefined = template?.spec
  const found = policy && spec && violation(policy.level, spec, template?.metadata)
  if (policy && found) request.warn(`would violate PodSecurity "${policy.level}:${policy.version}": ${found}`)
}

function checkNamespace(request: AdmissionRequest, reader: ObjectReader): void {
  const [before, after] = [request.old?.metadata.labels, request.object?.metadata.labels]
  const errors = checkLabels(after)
  if (errors.length > 0 && checkLabels(before).length === 0)
    throw invalid({ group: '', kind: 'Namespace' }, request.object?.metadata.name ?? '', errors)
  const [was, is] = [policyFor(before, 'enforce'), policyFor(after, 'enforce')]
  if (request.subresource !== '' || !request.old || !is || (was?.level === is.level && was.version === is.version)) return
  for (const text of existingViolations(reader, request.name, is.level, `${is.level}:${is.version}`)) request.warn(text)
}

/** What a stricter label would have refused, told to whoever sets it: one line for each kind of finding. */
function existingViolations(reader: ObjectReader, namespace: string, level: Level, policy: string): string[] {
  const byReasons = new Map<string, string[]>()
  for (const pod of (reader.list('', 'pods', namespace) as Pod[]).slice(0, MAX_PODS)) {
    const reasons = pod.spec ? violatedReasons(level, pod.spec, pod.metadata).join(', ') : ''
    if (reasons) byReasons.set(reasons, [...(byReasons.get(reasons) ?? []), pod.metadata.name ?? ''])
  }
  if (byReasons.size === 0) return []
  const lines = [...byReasons].map(([reasons, names]) => {
    const others = names.length - 1
    const more = others === 0 ? '' : ` (and ${others} other ${others === 1 ? 'pod' : 'pods'})`
    return `${names[0]}${more}: ${reasons}`
  })
  return [
    `existing pods in namespace ${JSON.stringify(namespace)} violate the new PodSecurity enforce level ${JSON.stringify(policy)}`,
    ...lines.sort().slice(0, MAX_TOLD),
  ]
}
