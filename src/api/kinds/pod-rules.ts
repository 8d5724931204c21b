/** Rules for a pod specification as a whole, for pods and for the templates of workloads: `ValidatePodSpec` and its kin. */
import { ipAddress } from '../addresses.ts'
import type { Errors } from '../field-errors.ts'
import { duplicate, forbidden, invalid, notFound, required } from '../field-errors.ts'
import { between, dnsLabel, dnsSubdomain, qualifiedName, underscoredSubdomain } from '../names.ts'
import type { Container, EphemeralContainer, Pod, PodSpec, PodTemplateSpec, Volume } from '../types.ts'
import { checkContainer, checkHandler, checkProbe, type PodFacts } from './container-rules.ts'
import { checkPodResources } from './pod-resource-rules.ts'
import { checkResources } from './resource-rules.ts'
import { checkLabels, checkTemplateMetadata, obey, oneOf } from './rules.ts'
import { checkAffinity, checkGates, checkSpread, checkTolerations } from './scheduling-rules.ts'
import { checkPodSecurityContext } from './security-rules.ts'
import { checkVolumes } from './volume-rules.ts'
import { checkSystem } from './windows-rules.ts'

const RESTART_POLICIES = ['Always', 'OnFailure', 'Never']
const DNS_POLICIES = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None']
const PREEMPTION_POLICIES = ['PreemptLowerPriority', 'Never']
/** What a kubelet puts on the image of a pod that lies in a file beside it. */
export const MIRROR_ANNOTATION = 'kubernetes.io/config.mirror'
const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost'
const MAX_NAMESERVERS = 3
const MAX_SEARCHES = 32
const MAX_SEARCH_LENGTH = 2048
const NO_NAMES: ReadonlySet<string> = new Set()

/** A pod about to be created. */
export function checkNewPod(pod: Pod, errors: Errors): void {
  checkPod(pod, errors)
  if (pod.spec?.ephemeralContainers?.length) errors.push(forbidden('spec.ephemeralContainers', 'cannot be set on create'))
  if (pod.spec?.nodeName && pod.spec.schedulingGates?.length) {
    errors.push(forbidden('spec.nodeName', 'cannot be set until all schedulingGates have been cleared'))
  }
}

export function checkPod(pod: Pod, errors: Errors): void {
  const spec = pod.spec ?? { containers: [] }
  checkAnnotations(pod.metadata.annotations, spec, 'metadata.annotations', errors)
  checkPodSpec(spec, 'spec', errors, true)
}

function checkAnnotations(annotations: Record<string, string> | undefined, spec: PodSpec, path: string, errors: Errors): void {
  const mirrored = annotations?.[MIRROR_ANNOTATION]
  if (mirrored !== undefined && !spec.nodeName) {
    const detail = 'must set spec.nodeName if mirror pod annotation is set'
    errors.push(invalid(`${path}[${MIRROR_ANNOTATION}]`, mirrored, detail))
  }
  const cost = annotations?.[DELETION_COST]
  if (cost !== undefined && !isDeletionCost(cost)) {
    errors.push(invalid(`${path}[${DELETION_COST}]`, cost, 'must be a 32bit integer'))
  }
}

/** No plus sign and no leading zeroes: the text must be the number's only one. */
function isDeletionCost(text: string): boolean {
  return /^(0|-?[1-9]\d{0,9})$/.test(text) && Number(text) >= -(2 ** 31) && Number(text) < 2 ** 31
}

/** The template of a workload at `path`. */
export function checkTemplate(template: PodTemplateSpec | undefined, path: string, errors: Errors): void {
  checkTemplateMetadata(template?.metadata, path, errors)
  const spec = template?.spec ?? { containers: [] }
  checkAnnotations(template?.metadata?.annotations, spec, `${path}.annotations`, errors)
  checkPodSpec(spec, `${path}.spec`, errors, false)
  if (spec.ephemeralContainers?.length) {
    errors.push(forbidden(`${path}.spec.ephemeralContainers`, 'ephemeral containers not allowed in pod template'))
  }
}

function checkPodSpec(spec: PodSpec, path: string, errors: Errors, isPod: boolean): void {
  const facts = factsOf(spec, checkVolumes(spec.volumes, `${path}.volumes`, errors), isPod)
  const names = new Set<string>()
  checkContainers(spec, facts, names, path, errors)
  if (spec.initContainers) checkInitContainers(spec.initContainers, facts, names, path, errors)
  if (spec.ephemeralContainers?.length) checkEphemeral(spec.ephemeralContainers, facts, names, path, errors)
  oneOf(spec.restartPolicy, RESTART_POLICIES, `${path}.restartPolicy`, errors, true)
  if (spec.nodeSelector) checkLabels(spec.nodeSelector, `${path}.nodeSelector`, errors)
  checkDns(spec, path, errors)
  checkPodSecurityContext(spec.securityContext, spec, `${path}.securityContext`, errors)
  checkAffinity(spec.affinity, `${path}.affinity`, errors)
  checkSpread(spec.topologySpreadConstraints, `${path}.topologySpreadConstraints`, errors)
  checkTolerations(spec.tolerations, `${path}.tolerations`, errors)
  checkGates(spec.schedulingGates, `${path}.schedulingGates`, errors)
  if (spec.resources) checkPodResources(spec, `${path}.resources`, errors)
  if (spec.hostNetwork) checkHostNetworkPorts(spec.containers ?? [], isPod, `${path}.containers`, errors)
  if (spec.hostUsers === false) checkOwnUsers(spec, path, errors)
  checkNames(spec, path, errors)
  checkRare(spec, path, errors)
}

/** A pod with users of its own shares nothing else of the host either. */
function checkOwnUsers(spec: PodSpec, path: string, errors: Errors): void {
  const detail = 'when `pod.Spec.HostUsers` is false'
  if (spec.hostNetwork) errors.push(forbidden(`${path}.hostNetwork`, detail))
  if (spec.hostPID) errors.push(forbidden(`${path}.HostPID`, detail))
  if (spec.hostIPC) errors.push(forbidden(`${path}.HostIPC`, detail))
}

/** On the host's network there is one port. Templates may leave the host's open, as it is filled in for the pod. */
function checkHostNetworkPorts(containers: readonly Container[], isPod: boolean, path: string, errors: Errors): void {
  containers.forEach((container, index) => {
    container.ports?.forEach((port, i) => {
      const hostPort = port.hostPort ?? 0
      if ((!isPod && hostPort === 0) || hostPort === port.containerPort) return
      const detail = 'must match `containerPort` when `hostNetwork` is true'
      errors.push(invalid(`${path}[${index}].ports[${i}].hostPort`, hostPort, detail))
    })
  })
}

function factsOf(spec: PodSpec, volumes: Map<string, Volume>, isPod: boolean): PodFacts {
  return {
    volumes,
    isPod,
    restartPolicy: spec.restartPolicy,
    hostUsers: spec.hostUsers !== false,
    claims: spec.resourceClaims ? new Set(spec.resourceClaims.map((claim) => claim.name)) : NO_NAMES,
    gracePeriodSeconds: spec.terminationGracePeriodSeconds ?? 30,
    hostNetwork: spec.hostNetwork ?? false,
  }
}

function checkContainers(spec: PodSpec, facts: PodFacts, names: Set<string>, path: string, errors: Errors): void {
  const { containers } = spec
  if (!containers?.length) return void errors.push(required(`${path}.containers`))
  for (let index = 0; index < containers.length; index++) {
    const container = containers[index] as Container
    const at = `${path}.containers[${index}]`
    checkContainer(container, facts, at, errors)
    // Among these, two without a name are told to be the same.
    checkUnique(container.name ?? '', names, at, errors, true)
    checkLifecycle(container, facts, at, errors)
    checkRestartPolicy(container, at, errors)
  }
  checkHostPorts(containers, `${path}.containers`, errors)
}

function checkUnique(name: string, names: Set<string>, path: string, errors: Errors, evenEmpty: boolean): void {
  if (names.has(name)) errors.push(duplicate(`${path}.name`, name))
  else if (name !== '' || evenEmpty) names.add(name)
}

function checkLifecycle(container: Container, facts: PodFacts, path: string, errors: Errors): void {
  const { lifecycle, livenessProbe, readinessProbe, startupProbe } = container
  const grace = facts.gracePeriodSeconds
  if (lifecycle?.postStart) checkHandler(lifecycle.postStart, grace, `${path}.lifecycle.postStart`, errors)
  if (lifecycle?.preStop) checkHandler(lifecycle.preStop, grace, `${path}.lifecycle.preStop`, errors)
  checkProbe(livenessProbe, grace, `${path}.livenessProbe`, errors)
  checkProbe(readinessProbe, grace, `${path}.readinessProbe`, errors)
  checkProbe(startupProbe, grace, `${path}.startupProbe`, errors)
  for (const [name, probe] of [['livenessProbe', livenessProbe] as const, ['startupProbe', startupProbe] as const]) {
    if (probe && probe.successThreshold !== 1)
      errors.push(invalid(`${path}.${name}.successThreshold`, probe.successThreshold ?? 0, 'must be 1'))
  }
  if (readinessProbe?.terminationGracePeriodSeconds !== undefined) {
    const field = `${path}.readinessProbe.terminationGracePeriodSeconds`
    errors.push(invalid(field, readinessProbe.terminationGracePeriodSeconds, 'must not be set for readinessProbes'))
  }
}

function checkRestartPolicy(container: Container, path: string, errors: Errors): void {
  oneOf(container.restartPolicy, ['Always', 'Never', 'OnFailure'], `${path}.restartPolicy`, errors)
  const rules = container.restartPolicyRules
  if (!rules?.length) return
  if (!container.restartPolicy)
    errors.push(required(`${path}.restartPolicy`, 'must specify restartPolicy when restart rules are used'))
  rules.forEach((rule, index) => {
    const at = `${path}.restartPolicyRules[${index}]`
    oneOf(rule.action, ['Restart', 'RestartAllContainers'], `${at}.action`, errors, true)
    if (!rule.exitCodes) errors.push(required(`${at}.exitCodes`, 'must be specified'))
    else oneOf(rule.exitCodes.operator, ['In', 'NotIn'], `${at}.exitCodes.operator`, errors, true)
  })
}

/** One host port can be had once. */
function checkHostPorts(containers: readonly Container[], path: string, errors: Errors): void {
  let taken: Set<string> | undefined
  containers.forEach((container, index) => {
    container.ports?.forEach((port, i) => {
      if (!port.hostPort) return
      taken ??= new Set()
      const place = `${port.protocol ?? ''}/${port.hostIP ?? ''}/${port.hostPort}`
      if (taken.has(place)) errors.push(duplicate(`${path}[${index}].ports[${i}].hostPort`, place))
      taken.add(place)
    })
  })
}

function checkInitContainers(containers: Container[], facts: PodFacts, names: Set<string>, path: string, errors: Errors): void {
  containers.forEach((container, index) => {
    const at = `${path}.initContainers[${index}]`
    checkContainer(container, facts, at, errors)
    checkUnique(container.name ?? '', names, at, errors, false)
    if (container.restartPolicy === 'Always') checkLifecycle(container, facts, at, errors)
    else {
      for (const field of ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const) {
        if (!container[field]) continue
        errors.push(forbidden(`${at}.${field}`, 'may not be set for init containers without restartPolicy=Always'))
      }
    }
    checkRestartPolicy(container, at, errors)
    // They run one after the other, and Kubernetes blames the first in any case.
    checkHostPorts([container], `${path}.initContainers`, errors)
  })
}

const NOT_FOR_EPHEMERAL = [
  'ports',
  'livenessProbe',
  'readinessProbe',
  'startupProbe',
  'lifecycle',
  'resizePolicy',
  'restartPolicy',
] as const

function checkEphemeral(
  containers: EphemeralContainer[],
  facts: PodFacts,
  names: Set<string>,
  path: string,
  errors: Errors,
): void {
  containers.forEach((container, index) => {
    const at = `${path}.ephemeralContainers[${index}]`
    checkContainer(container, facts, at, errors)
    checkUnique(container.name ?? '', names, at, errors, true)
    for (const field of NOT_FOR_EPHEMERAL) {
      const value = container[field]
      if (Array.isArray(value) ? value.length > 0 : value) {
        errors.push(forbidden(`${at}.${field}`, 'cannot be set for an Ephemeral Container'))
      }
    }
    const { limits, requests } = container.resources ?? {}
    if (Object.keys(limits ?? {}).length > 0 || Object.keys(requests ?? {}).length > 0) {
      errors.push(forbidden(`${at}.resources`, 'cannot be set for an Ephemeral Container'))
    }
    container.volumeMounts?.forEach((mount, i) => {
      for (const field of ['subPath', 'subPathExpr'] as const) {
        if (mount[field]) errors.push(forbidden(`${at}.volumeMounts[${i}].${field}`, 'cannot be set for an Ephemeral Container'))
      }
    })
    const target = container.targetContainerName
    if (target && !names.has(target)) errors.push(notFound(`${at}.targetContainerName`, target))
  })
}

function checkDns(spec: PodSpec, path: string, errors: Errors): void {
  oneOf(spec.dnsPolicy, DNS_POLICIES, `${path}.dnsPolicy`, errors, true)
  const config = spec.dnsConfig
  const at = `${path}.dnsConfig`
  if (spec.dnsPolicy === 'None') {
    if (!config) return void errors.push(required(at, 'must provide `dnsConfig` when `dnsPolicy` is None'))
    if (!config.nameservers?.length) {
      errors.push(required(`${at}.nameservers`, 'must provide at least one DNS nameserver when `dnsPolicy` is None'))
      return
    }
  }
  if (!config) return
  const { nameservers = [], searches = [] } = config
  if (nameservers.length > MAX_NAMESERVERS) {
    errors.push(invalid(`${at}.nameservers`, nameservers, `must not have more than ${MAX_NAMESERVERS} nameservers`))
  }
  nameservers.forEach((address, index) => {
    obey(address, ipAddress, `${at}.nameservers[${index}]`, errors)
  })
  if (searches.length > MAX_SEARCHES) {
    errors.push(invalid(`${at}.searches`, searches, `must not have more than ${MAX_SEARCHES} search paths`))
  }
  if (searches.join(' ').length > MAX_SEARCH_LENGTH) {
    const detail = `must not have more than ${MAX_SEARCH_LENGTH} characters (including spaces) in the search list`
    errors.push(invalid(`${at}.searches`, searches, detail))
  }
  searches.forEach((search, index) => {
    if (search !== '.') obey(search.replace(/\.$/, ''), underscoredSubdomain, `${at}.searches[${index}]`, errors)
  })
  config.options?.forEach((option, index) => {
    if (!option.name) errors.push(required(`${at}.options[${index}]`, 'must not be empty'))
  })
}

function checkNames(spec: PodSpec, path: string, errors: Errors): void {
  if (spec.serviceAccountName) obey(spec.serviceAccountName, dnsSubdomain, `${path}.serviceAccountName`, errors)
  if (spec.nodeName) obey(spec.nodeName, dnsSubdomain, `${path}.nodeName`, errors)
  if (spec.hostname) obey(spec.hostname, dnsLabel, `${path}.hostname`, errors)
  if (spec.subdomain) obey(spec.subdomain, dnsLabel, `${path}.subdomain`, errors)
  if (spec.priorityClassName) obey(spec.priorityClassName, dnsSubdomain, `${path}.priorityClassName`, errors)
  if (spec.runtimeClassName !== undefined) obey(spec.runtimeClassName, dnsSubdomain, `${path}.runtimeClassName`, errors)
  if (spec.hostnameOverride !== undefined) obey(spec.hostnameOverride, dnsSubdomain, `${path}.hostnameOverride`, errors)
  const deadline = spec.activeDeadlineSeconds
  if (deadline !== undefined) {
    for (const complaint of between(deadline, 1, 2147483647))
      errors.push(invalid(`${path}.activeDeadlineSeconds`, deadline, complaint))
  }
  oneOf(spec.preemptionPolicy, PREEMPTION_POLICIES, `${path}.preemptionPolicy`, errors)
}

/** What few pods have. */
function checkRare(spec: PodSpec, path: string, errors: Errors): void {
  spec.readinessGates?.forEach((gate, index) => {
    obey(gate.conditionType ?? '', qualifiedName, `${path}.readinessGates[${index}].conditionType`, errors)
  })
  spec.hostAliases?.forEach((alias, index) => {
    obey(alias.ip ?? '', ipAddress, `${path}.hostAliases[${index}].ip`, errors)
    alias.hostnames?.forEach((name, i) => {
      obey(name, dnsSubdomain, `${path}.hostAliases[${index}].hostnames[${i}]`, errors)
    })
  })
  if (spec.overhead) checkResources({ limits: spec.overhead }, `${path}.overhead`, errors)
  checkSystem(spec, path, errors)
  const claims = new Set<string>()
  spec.resourceClaims?.forEach((claim, index) => {
    const at = `${path}.resourceClaims[${index}]`
    if (!claim.name) errors.push(required(`${at}.name`))
    else if (claims.has(claim.name)) errors.push(duplicate(`${at}.name`, claim.name))
    else obey(claim.name, dnsLabel, `${at}.name`, errors)
    claims.add(claim.name)
    const { name = '', resourceClaimName, resourceClaimTemplateName } = claim
    const asGo = {
      Name: name,
      ResourceClaimName: resourceClaimName ?? null,
      ResourceClaimTemplateName: resourceClaimTemplateName ?? null,
    }
    if (resourceClaimName === undefined && resourceClaimTemplateName === undefined) {
      errors.push(invalid(at, asGo, 'must specify one of: `resourceClaimName`, `resourceClaimTemplateName`'))
    } else if (resourceClaimName !== undefined && resourceClaimTemplateName !== undefined) {
      errors.push(invalid(at, asGo, 'at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified'))
    }
    if (resourceClaimName !== undefined) obey(resourceClaimName, dnsSubdomain, `${at}.resourceClaimName`, errors)
    if (resourceClaimTemplateName !== undefined)
      obey(resourceClaimTemplateName, dnsSubdomain, `${at}.resourceClaimTemplateName`, errors)
  })
}
