/** What may be changed of a pod that exists: by an update, through its status, as ephemeral containers, or by a resize. */

import { ipAddress, ipFamily } from '../addresses.ts'
import { equal, listChanges } from '../equal.ts'
import type { Errors } from '../field-errors.ts'
import { duplicate, forbidden, invalid } from '../field-errors.ts'
import { dnsSubdomain, qualifiedName } from '../names.ts'
import type { Container, NodeSelectorTerm, Pod, PodSpec, Toleration } from '../types.ts'
import { checkImage } from './container-rules.ts'
import { qosClass } from './pod-qos.ts'
import { checkPod, MIRROR_ANNOTATION } from './pod-rules.ts'
import { checkImmutable, obey } from './rules.ts'

const ALLOWED =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,' +
  '`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),' +
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)'
const LISTS = ['containers', 'initContainers'] as const

export function checkPodUpdate(pod: Pod, old: Pod, errors: Errors): void {
  const spec = pod.spec as PodSpec
  const before = old.spec as PodSpec
  checkAnnotationsKept(pod, old, errors)
  if (spec === before || equal(spec, before)) return
  checkPod(pod, errors)
  if (changesCount(spec, before, errors)) return
  for (const list of ['containers', 'initContainers'] as const) {
    spec[list]?.forEach((container, index) => {
      if (container.image !== before[list]?.[index]?.image) checkImage(container.image, `spec.${list}[${index}].image`, errors)
    })
  }
  checkDeadline(spec, before, errors)
  checkAddedTolerations(spec.tolerations ?? [], before.tolerations ?? [], errors)
  const gated = (before.schedulingGates?.length ?? 0) > 0
  checkGatesOnly(spec, before, errors)
  if (gated) checkNarrowed(spec, before, errors)
  const allowed = withAllowedChanges(spec, before, gated)
  if (!equal(allowed, before)) errors.push(forbidden('spec', `${ALLOWED}\n${listChanges('spec', before, allowed)}`))
}

/** What a node says about a pod of its own is there to stay. */
function checkAnnotationsKept(pod: Pod, old: Pod, errors: Errors): void {
  const [now, then] = [pod, old].map(({ metadata }) => metadata.annotations?.[MIRROR_ANNOTATION])
  if (now === then) return
  const path = `metadata.annotations[${MIRROR_ANNOTATION}]`
  errors.push(forbidden(path, `may not ${then === undefined ? 'add' : 'remove or update'} mirror pod annotation`))
}

function changesCount(spec: PodSpec, before: PodSpec, errors: Errors): boolean {
  const count = errors.length
  for (const list of LISTS) {
    if ((spec[list]?.length ?? 0) === (before[list]?.length ?? 0)) continue
    errors.push(forbidden(`spec.${list}`, 'pod updates may not add or remove containers'))
  }
  return errors.length > count
}

function checkDeadline(spec: PodSpec, before: PodSpec, errors: Errors): void {
  const path = 'spec.activeDeadlineSeconds'
  const { activeDeadlineSeconds: now } = spec
  const { activeDeadlineSeconds: then } = before
  if (now === undefined) {
    if (then !== undefined) errors.push(invalid(path, now, 'must not update from a positive integer to nil value'))
  } else if (then !== undefined && now > then) errors.push(invalid(path, now, 'must be less than or equal to previous value'))
}

function checkAddedTolerations(tolerations: Toleration[], before: Toleration[], errors: Errors): void {
  const same = (a: Toleration, b: Toleration) =>
    equal({ ...a, tolerationSeconds: undefined }, { ...b, tolerationSeconds: undefined })
  if (before.every((old) => tolerations.some((toleration) => same(toleration, old)))) return
  errors.push(forbidden('spec.tolerations', 'existing toleration can not be modified except its tolerationSeconds'))
}

function checkGatesOnly(spec: PodSpec, before: PodSpec, errors: Errors): void {
  const known = new Set((before.schedulingGates ?? []).map((gate) => gate.name))
  spec.schedulingGates?.forEach((gate, index) => {
    if (known.has(gate.name)) return
    const detail = `only deletion is allowed, but found new scheduling gate '${gate.name}'`
    errors.push(forbidden(`spec.schedulingGates[${index}].name`, detail))
  })
}

/** The new specification with everything that may change put back to what it was: what is left of a difference is forbidden. */
function withAllowedChanges(spec: PodSpec, before: PodSpec, gated: boolean): PodSpec {
  const images = (containers: Container[] | undefined, old: Container[] | undefined) =>
    containers?.map((container, index) => ({ ...container, image: old?.[index]?.image }))
  const graceFixed = (before.terminationGracePeriodSeconds ?? 0) < 0 && spec.terminationGracePeriodSeconds === 1
  const result: PodSpec = {
    ...spec,
    containers: images(spec.containers, before.containers) ?? [],
    initContainers: images(spec.initContainers, before.initContainers),
    activeDeadlineSeconds: before.activeDeadlineSeconds,
    tolerations: before.tolerations,
    schedulingGates: before.schedulingGates,
  }
  if (graceFixed) result.terminationGracePeriodSeconds = before.terminationGracePeriodSeconds
  if (gated) narrowGated(result, before)
  return result
}

const ADDITIONS_ONLY = 'only additions are allowed (no mutations or deletions)'

const nodeAffinityOf = (spec: PodSpec) => spec.affinity?.nodeAffinity
const termsOf = (spec: PodSpec): NodeSelectorTerm[] =>
  nodeAffinityOf(spec)?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []

/** A gated pod's node selector may gain entries, and its required node affinity may be set or narrowed. */
function checkNarrowed(spec: PodSpec, before: PodSpec, errors: Errors): void {
  const kept = Object.entries(before.nodeSelector ?? {}).every(([key, value]) => spec.nodeSelector?.[key] === value)
  if (!kept) {
    const detail = 'only additions to spec.nodeSelector are allowed (no mutations or deletions)'
    errors.push(invalid('spec.nodeSelector', spec.nodeSelector ?? null, detail))
  }
  const [now, then] = [termsOf(spec), termsOf(before)]
  const path = 'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms'
  if (then.length === 0) return
  if (now.length !== then.length) {
    errors.push(invalid(path, now, 'no additions/deletions to non-empty NodeSelectorTerms list are allowed'))
    return
  }
  then.forEach((term, index) => {
    if (!narrows(now[index] ?? {}, term)) errors.push(invalid(`${path}[${index}]`, now[index], ADDITIONS_ONLY))
  })
}

/** Requirements come behind those that were there; an empty term matched nothing, and stays so. */
function narrows(now: NodeSelectorTerm, then: NodeSelectorTerm): boolean {
  const lists = ['matchExpressions', 'matchFields'] as const
  if (lists.every((list) => !then[list]?.length)) return lists.every((list) => !now[list]?.length)
  return lists.every((list) => (then[list] ?? []).every((requirement, index) => equal(now[list]?.[index], requirement)))
}

/** What a gated pod may change is put back, as far as `checkNarrowed` has looked at it. */
function narrowGated(result: PodSpec, before: PodSpec): void {
  result.nodeSelector = before.nodeSelector
  const old = nodeAffinityOf(before)
  if (equal(nodeAffinityOf(result), old)) return
  const { nodeAffinity: _, ...others } = result.affinity ?? {}
  result.affinity = { ...others, ...(old && { nodeAffinity: old }) }
}

export function checkPodStatusUpdate(pod: Pod, old: Pod, errors: Errors): void {
  const { status } = pod
  if (pod.spec?.nodeName !== old.spec?.nodeName) {
    errors.push(forbidden('status.nodeName', 'may not be changed directly'))
  }
  checkAnnotationsKept(pod, old, errors)
  status?.conditions?.forEach(({ type }, index) => {
    if (!SYSTEM_CONDITIONS.has(type)) obey(type ?? '', qualifiedName, `metadata.conditions[${index}].Type`, errors)
  })
  checkImmutable(status?.qosClass, old.status?.qosClass, 'status.qosClass', errors)
  checkTransitions(pod, old, errors)
  const nominated = status?.nominatedNodeName
  if (nominated && nominated !== old.status?.nominatedNodeName) obey(nominated, dnsSubdomain, 'status.nominatedNodeName', errors)
  checkIps(
    (status?.podIPs ?? []).map(({ ip }) => ip ?? ''),
    'status.podIPs',
    'IP',
    errors,
  )
  const hostIps = (status?.hostIPs ?? []).map(({ ip }) => ip ?? '')
  if (hostIps.length > 0 && hostIps[0] !== (status?.hostIP ?? ''))
    errors.push(invalid('status.hostIPs[0].ip', hostIps[0], 'must be equal to `hostIP`'))
  checkIps(hostIps, 'status.hostIPs', 'IP', errors)
  checkClaimStatuses(pod, errors)
}

const SYSTEM_CONDITIONS = new Set(['PodScheduled', 'Ready', 'Initialized'])

/** One address of each family. */
function checkIps(ips: readonly string[], path: string, key: string, errors: Errors): void {
  ips.forEach((ip, index) => {
    obey(ip, ipAddress, `${path}[${index}]`, errors)
  })
  if (ips.length < 2) return
  if (ips.length > 2 || new Set(ips.map(ipFamily)).size < 2) {
    const shown = ips.map((ip) => ({ [key]: ip }))
    errors.push(invalid(path, shown, 'may specify no more than one IP for each IP family'))
  }
  ips.forEach((ip, index) => {
    if (ips.indexOf(ip) < index) errors.push(duplicate(`${path}[${index}]`, { [key]: ip }))
  })
}

const STATUS_LISTS = ['containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses'] as const

/** A container that has ended and is not to be restarted stays ended. */
function checkTransitions(pod: Pod, old: Pod, errors: Errors): void {
  const sidecars = new Set((old.spec?.initContainers ?? []).filter((c) => c.restartPolicy === 'Always').map((c) => c.name))
  for (const list of STATUS_LISTS) {
    const policy = list === 'ephemeralContainerStatuses' ? 'Never' : old.spec?.restartPolicy
    if (policy === 'Always') continue
    old.status?.[list]?.forEach((before, index) => {
      const ended = before.state?.terminated
      if (!ended || (ended.exitCode !== 0 && policy === 'OnFailure')) return
      if (list === 'initContainerStatuses' && sidecars.has(before.name)) return
      const now = pod.status?.[list]?.find((status) => status.name === before.name)
      if (now && !now.state?.terminated)
        errors.push(forbidden(`status.${list}[${index}].state`, 'may not be transitioned to non-terminated state'))
    })
  }
}

function checkClaimStatuses({ spec, status }: Pod, errors: Errors): void {
  const known = new Set((spec?.resourceClaims ?? []).map((claim) => claim.name))
  const seen = new Set<string>()
  status?.resourceClaimStatuses?.forEach(({ name, resourceClaimName }, index) => {
    const path = `status.resourceClaimStatuses[${index}].name`
    if (!known.has(name)) errors.push(invalid(path, name ?? '', 'must match the name of an entry in `spec.resourceClaims`'))
    if (seen.has(name)) errors.push(duplicate(path, name))
    seen.add(name)
    if (resourceClaimName !== undefined) obey(resourceClaimName, dnsSubdomain, path, errors)
  })
}

/** Through `ephemeralcontainers`: containers may be added, and nothing else may change. */
export function checkEphemeralContainersUpdate(pod: Pod, old: Pod, errors: Errors): void {
  const containers = pod.spec?.ephemeralContainers ?? []
  checkPod(pod, errors)
  if (old.metadata.annotations?.[MIRROR_ANNOTATION] !== undefined) {
    errors.splice(0, errors.length, forbidden('[]', 'static pods do not support ephemeral containers'))
    return
  }
  const path = 'spec.ephemeralContainers'
  old.spec?.ephemeralContainers?.forEach((before) => {
    const now = containers.find((container) => container.name === before.name)
    if (!now) errors.push(forbidden(path, `existing ephemeral containers ${JSON.stringify(before.name)} may not be removed\n`))
    else if (!equal(now, before))
      errors.push(forbidden(path, `existing ephemeral containers ${JSON.stringify(before.name)} may not be changed\n`))
  })
}

const RESIZABLE = ['cpu', 'memory']

/** Through `resize`: cpu and memory of containers may change, as long as the quality of service stays. */
export function checkResize(pod: Pod, old: Pod, errors: Errors): void {
  checkPod(pod, errors)
  const refusal = neverResized(old)
  if (refusal) return void errors.splice(0, errors.length, forbidden('[]', refusal))
  if (qosClass(pod.spec as PodSpec) !== (old.status?.qosClass ?? qosClass(old.spec as PodSpec))) {
    errors.push(invalid('spec', old.status?.qosClass ?? '', 'Pod QOS Class may not change as a result of resizing'))
  }
  const running = old.status?.containerStatuses?.find((status) => status.state?.running)
  if (running && !running.resources) errors.push(forbidden('spec', 'Pod running on node without support for resize'))
  for (const list of LISTS) {
    old.spec?.[list]?.forEach((before, index) => {
      const now = pod.spec?.[list]?.[index]
      if (now) checkResized(now, before, list, `spec.${list}[${index}].resources`, errors)
    })
  }
}

function neverResized({ metadata, spec }: Pod): string | undefined {
  if (metadata.annotations?.[MIRROR_ANNOTATION] !== undefined) return 'static pods cannot be resized'
  return spec?.os?.name === 'windows' ? 'windows pods cannot be resized' : undefined
}

function checkResized(now: Container, before: Container, list: (typeof LISTS)[number], path: string, errors: Errors): void {
  const sidecar = before.restartPolicy === 'Always'
  if (list === 'initContainers' && !sidecar) {
    if (!equal(now, before)) errors.push(forbidden('spec', 'resources for non-sidecar init containers are immutable'))
    return
  }
  for (const kind of ['requests', 'limits'] as const) {
    const gone = Object.keys(before.resources?.[kind] ?? {}).some((name) => now.resources?.[kind]?.[name] === undefined)
    if (gone) errors.push(forbidden(`${path}.${kind}`, `resource ${kind} cannot be removed`))
  }
  const others = ({ resources, ...container }: Container) => ({
    ...container,
    limits: withoutResizable(resources?.limits),
    requests: withoutResizable(resources?.requests),
  })
  if (equal(others(now), others(before))) return
  const of = list === 'initContainers' ? ' for sidecar containers' : ''
  errors.push(forbidden('spec', `only cpu and memory resources${of} are mutable`))
}

function withoutResizable(amounts: Record<string, string> | undefined): Record<string, string> {
  return Object.fromEntries(Object.entries(amounts ?? {}).filter(([name]) => !RESIZABLE.includes(name)))
}

/** The old specification with the new one's resources: nothing else comes through `resize`. */
export function withResources(spec: PodSpec, before: PodSpec): PodSpec {
  const resized = (containers: Container[] | undefined, given: Container[] | undefined) =>
    containers?.map((container) => {
      const wanted = given?.find((other) => other.name === container.name)
      return wanted ? { ...container, resources: wanted.resources, resizePolicy: wanted.resizePolicy } : container
    })
  return {
    ...before,
    resources: spec.resources,
    containers: resized(before.containers, spec.containers) ?? [],
    initContainers: resized(before.initContainers, spec.initContainers),
  }
}
