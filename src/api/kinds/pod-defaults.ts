/**
 * What a pod specification leaves open is filled in here, for pods and for the templates of workloads: Kubernetes'
 * `SetDefaults_PodSpec` and its kin. Schema-driven defaults have been applied before; applying these twice changes nothing.
 */
import { formatQuantity, quantityMilliValue, tryParseQuantity } from '../quantity.ts'
import type {
  Container,
  EphemeralContainer,
  LifecycleHandler,
  Pod,
  PodSpec,
  PodTemplateSpec,
  Probe,
  ResourceRequirements,
} from '../types.ts'
import { pullsAlways } from './image-name.ts'
import { isPodLevel, totalRequests } from './pod-totals.ts'
import { defaultVolume } from './volume-defaults.ts'

/** A pod itself: what templates get, and what only running pods have. */
export function defaultPod(pod: Pod): void {
  pod.spec ??= { containers: [] }
  const { spec } = pod
  defaultPodSpec(spec)
  spec.enableServiceLinks ??= true
  for (const container of spec.initContainers ?? []) defaultRequests(container.resources)
  for (const container of spec.containers ?? []) defaultRequests(container.resources)
  defaultPodRequests(spec)
  if (spec.hostNetwork) defaultHostPorts(spec)
}

/** The template of a workload. */
export function defaultTemplate(template: PodTemplateSpec): void {
  template.metadata ??= {}
  template.spec ??= { containers: [] }
  defaultPodSpec(template.spec)
}

function defaultPodSpec(spec: PodSpec): void {
  spec.dnsPolicy ||= 'ClusterFirst'
  spec.restartPolicy ||= 'Always'
  spec.securityContext ??= {}
  spec.terminationGracePeriodSeconds ??= 30
  spec.schedulerName ||= 'default-scheduler'
  // Two spellings of one field, of which the older one gives way.
  if (spec.serviceAccountName || spec.serviceAccount) {
    spec.serviceAccountName ||= spec.serviceAccount
    spec.serviceAccount = spec.serviceAccountName
  }
  if (spec.volumes) for (const volume of spec.volumes) defaultVolume(volume)
  if (spec.initContainers) for (const container of spec.initContainers) defaultContainer(container)
  if (spec.containers) for (const container of spec.containers) defaultContainer(container)
  if (spec.ephemeralContainers) for (const container of spec.ephemeralContainers) defaultContainer(container)
  if (spec.resources) roundResources(spec.resources)
}

function defaultContainer(container: Container | EphemeralContainer): void {
  container.resources ??= {}
  container.imagePullPolicy ||= pullsAlways(container.image ?? '') ? 'Always' : 'IfNotPresent'
  container.terminationMessagePath ||= '/dev/termination-log'
  container.terminationMessagePolicy ||= 'File'
  if (container.ports) for (const port of container.ports) port.protocol ||= 'TCP'
  if (container.env) for (const { valueFrom } of container.env) if (valueFrom?.fieldRef) valueFrom.fieldRef.apiVersion ||= 'v1'
  roundResources(container.resources)
  if (container.livenessProbe) defaultProbe(container.livenessProbe)
  if (container.readinessProbe) defaultProbe(container.readinessProbe)
  if (container.startupProbe) defaultProbe(container.startupProbe)
  defaultHandler(container.lifecycle?.postStart)
  defaultHandler(container.lifecycle?.preStop)
}

function defaultProbe(probe: Probe): void {
  probe.timeoutSeconds ||= 1
  probe.periodSeconds ||= 10
  probe.successThreshold ||= 1
  probe.failureThreshold ||= 3
  if (probe.grpc) probe.grpc.service ??= ''
  defaultHandler(probe)
}

function defaultHandler(handler: LifecycleHandler | Probe | undefined): void {
  if (!handler?.httpGet) return
  handler.httpGet.path ||= '/'
  handler.httpGet.scheme ||= 'HTTP'
}

function defaultHostPorts(spec: PodSpec): void {
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? [])]) {
    for (const port of container.ports ?? []) port.hostPort ||= port.containerPort
  }
}

/** Amounts finer than a thousandth are rounded up to it. */
function roundResources(resources: ResourceRequirements): void {
  for (const amounts of [resources.limits, resources.requests]) {
    for (const name in amounts) {
      const text = amounts[name] ?? ''
      if (/^[1-9][0-9]*(?:m|[kMGTPE]i?)?$/.test(text)) continue
      const quantity = tryParseQuantity(text)
      if (!quantity || quantity.nano % 1_000_000n === 0n) continue
      amounts[name] = formatQuantity({ nano: BigInt(quantityMilliValue(quantity)) * 1_000_000n, format: quantity.format })
    }
  }
}

/** A limit without a request asks for as much. */
function defaultRequests(resources: ResourceRequirements | undefined): void {
  if (!resources?.limits) return
  for (const name in resources.limits) {
    if (resources.requests?.[name] !== undefined) continue
    resources.requests ??= {}
    resources.requests[name] = resources.limits[name] ?? '0'
  }
}

/** Requests of the pod as a whole: the sum of its containers' where they have any, else its limits. */
function defaultPodRequests(spec: PodSpec): void {
  const limits = spec.resources?.limits
  if (!spec.resources || !limits || Object.keys(limits).length === 0) return
  const requests = spec.resources.requests ?? {}
  spec.resources.requests = requests
  for (const [name, total] of totalRequests(spec)) if (isPodLevel(name)) requests[name] ??= formatQuantity(total)
  for (const [name, limit] of Object.entries(limits)) if (isPodLevel(name)) requests[name] ??= limit
}
