/** What may be changed of a pod that exists: by an update, through its status, as ephemeral containers, or by a resize. */

import { ipAddress } from '../addresses.ts'
import { equal, listChanges } from '../equal.ts'
import type { Errors } from '../field-errors.ts'
import { forbidden, invalid } from '../field-errors.ts'
import { dnsSubdomain } from '../names.ts'
import type { Container, Pod, PodSpec, Toleration } from '../types.ts'
import { checkImage } from './container-rules.ts'
import { qosClass } from './pod-qos.ts'
import { checkPod } from './pod-rules.ts'
import { obey } from './rules.ts'

const ALLOWED =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,' +
  '`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),' +
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)'
const LISTS = ['containers', 'initContainers'] as const

export function checkPodUpdate(pod: Pod, old: Pod, errors: Errors): void {
  const spec = pod.spec as PodSpec
  const before = old.spec as PodSpec
  if (spec === before || equal(spec, before)) return
  if (changesCount(spec, before, errors)) return
  checkPod(pod, errors)
  for (const list of ['containers', 'initContainers'] as const) {
    spec[list]?.forEach((container, index) => {
      if (container.image !== before[list]?.[index]?.image) checkImage(container.image, `spec.${list}[${index}].image`, errors)
    })
  }
  checkDeadline(spec, before, errors)
  checkAddedTolerations(spec.tolerations ?? [], before.tolerations ?? [], errors)
  const gated = (before.schedulingGates?.length ?? 0) > 0
  checkGatesOnly(spec, before, errors)
  const allowed = withAllowedChanges(spec, before, gated)
  if (!equal(allowed, before)) errors.push(forbidden('spec', `${ALLOWED}\n${listChanges('spec', before, allowed)}`))
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
    errors.push(forbidden(`spec.schedulingGates[${index}]`, detail))
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
  if (gated) narrowGated(result, spec, before)
  return result
}

/** A gated pod's node selector may gain entries, and its required node affinity may be set or narrowed. */
function narrowGated(result: PodSpec, spec: PodSpec, before: PodSpec): void {
  const kept = Object.entries(before.nodeSelector ?? {}).every(([key, value]) => spec.nodeSelector?.[key] === value)
  if (kept) result.nodeSelector = before.nodeSelector
  const terms = (of: PodSpec) => of.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms
  const now = terms(spec)
  const then = terms(before)
  const narrowed =
    !then ||
    (now?.length === then.length &&
      then.every((term, index) =>
        (['matchExpressions', 'matchFields'] as const).every((list) =>
          (term[list] ?? []).every((requirement) => now[index]?.[list]?.some((given) => equal(given, requirement))),
        ),
      ))
  if (!narrowed) return
  const rest = (of: PodSpec) => ({
    ...of.affinity,
    nodeAffinity: { ...of.affinity?.nodeAffinity, requiredDuringSchedulingIgnoredDuringExecution: undefined },
  })
  if (equal(rest(spec), rest(before))) result.affinity = before.affinity
}

export function checkPodStatusUpdate(pod: Pod, old: Pod, errors: Errors): void {
  const { status } = pod
  if (pod.spec?.nodeName !== old.spec?.nodeName) {
    errors.push(forbidden('status.nodeName', 'may not be changed directly'))
  }
  const nominated = status?.nominatedNodeName
  if (nominated && nominated !== old.status?.nominatedNodeName) obey(nominated, dnsSubdomain, 'status.nominatedNodeName', errors)
  status?.podIPs?.forEach(({ ip }, index) => {
    if (ip) obey(ip, ipAddress, `status.podIPs[${index}]`, errors)
  })
}

/** Through `ephemeralcontainers`: containers may be added, and nothing else may change. */
export function checkEphemeralContainersUpdate(pod: Pod, old: Pod, errors: Errors): void {
  const containers = pod.spec?.ephemeralContainers ?? []
  checkPod(pod, errors)
  const path = 'spec.ephemeralContainers'
  old.spec?.ephemeralContainers?.forEach((before) => {
    const now = containers.find((container) => container.name === before.name)
    if (!now) errors.push(forbidden(path, `existing ephemeral containers ${JSON.stringify(before.name)} may not be removed\n`))
    else if (!equal(now, before))
      errors.push(forbidden(path, `existing ephemeral containers ${JSON.stringify(before.name)} may not be changed\n`))
  })
}

/** Through `resize`: cpu and memory of containers may change, as long as the quality of service stays. */
export function checkResize(pod: Pod, old: Pod, errors: Errors): void {
  checkPod(pod, errors)
  if (qosClass(pod.spec as PodSpec) !== (old.status?.qosClass ?? qosClass(old.spec as PodSpec))) {
    errors.push(invalid('spec', old.status?.qosClass ?? '', 'Pod QOS Class may not change as a result of resizing'))
  }
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
