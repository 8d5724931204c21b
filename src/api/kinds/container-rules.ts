/** Rules for one container, whichever list of the pod it is in: `validateContainerCommon` and its kin. */
import type { Errors } from '../field-errors.ts'
import { duplicate, forbidden, invalid, notFound, notSupported, required } from '../field-errors.ts'
import { between, dnsLabel, httpHeaderName, portName, portNumber, userId } from '../names.ts'
import type {
  Container,
  ContainerPort,
  ContainerResizePolicy,
  EphemeralContainer,
  HTTPGetAction,
  LifecycleHandler,
  Probe,
  SecurityContext,
  Volume,
  VolumeDevice,
  VolumeMount,
} from '../types.ts'
import { checkEnv, checkEnvFrom } from './env-rules.ts'
import { checkDescendingPath } from './paths.ts'
import { checkResources } from './resource-rules.ts'
import { checkPort, nonNegative, obey, oneOf, positive, requireName } from './rules.ts'
import { checkAppArmor, checkSeccomp } from './security-rules.ts'
import { checkWindowsOptions } from './windows-rules.ts'

/** What rules about a container have to know of its pod. */
export interface PodFacts {
  readonly volumes: ReadonlyMap<string, Volume>
  readonly claims: ReadonlySet<string>
  readonly gracePeriodSeconds: number
  readonly hostNetwork: boolean
  /** A pod that is about to run, as opposed to the template of one. */
  readonly isPod: boolean
  readonly restartPolicy: string | undefined
  /** Whether the pod shares the host's users. */
  readonly hostUsers: boolean
}

const PULL_POLICIES = ['Always', 'IfNotPresent', 'Never']
const MESSAGE_POLICIES = ['File', 'FallbackToLogsOnError']
const PROTOCOLS = ['SCTP', 'TCP', 'UDP']

export function checkContainer(container: Container | EphemeralContainer, pod: PodFacts, path: string, errors: Errors): void {
  requireName(container.name, dnsLabel, `${path}.name`, errors)
  if (pod.isPod) checkImage(container.image, `${path}.image`, errors)
  else if (!container.image) errors.push(required(`${path}.image`))
  oneOf(container.terminationMessagePolicy, MESSAGE_POLICIES, `${path}.terminationMessagePolicy`, errors, true)
  oneOf(container.imagePullPolicy, PULL_POLICIES, `${path}.imagePullPolicy`, errors, true)
  if (container.ports) checkPorts(container.ports, `${path}.ports`, errors)
  checkEnv(container.env, `${path}.env`, errors)
  checkEnvFrom(container.envFrom, `${path}.envFrom`, errors)
  if (container.volumeMounts) checkMounts(container, pod, path, errors)
  if (container.volumeDevices)
    checkDevices(container.volumeDevices, container.volumeMounts ?? [], pod, `${path}.volumeDevices`, errors)
  checkResources(container.resources, `${path}.resources`, errors, pod.claims)
  if (container.resizePolicy) checkResizePolicy(container.resizePolicy, pod.restartPolicy, `${path}.resizePolicy`, errors)
  if (container.securityContext) checkSecurityContext(container.securityContext, pod, `${path}.securityContext`, errors)
}

function checkResizePolicy(policies: ContainerResizePolicy[], podPolicy: string | undefined, path: string, errors: Errors): void {
  const seen = new Set<string>()
  policies.forEach(({ resourceName, restartPolicy }, index) => {
    if (seen.has(resourceName)) errors.push(duplicate(`${path}[${index}]`, resourceName))
    seen.add(resourceName)
    oneOf(resourceName, ['cpu', 'memory'], path, errors, true)
    oneOf(restartPolicy, ['NotRequired', 'RestartContainer'], path, errors, true)
    if (podPolicy === 'Never' && restartPolicy !== 'NotRequired') {
      errors.push(invalid(path, restartPolicy ?? '', "must be 'NotRequired' when `restartPolicy` is 'Never'"))
    }
  })
}

export function checkImage(image: string | undefined, path: string, errors: Errors): void {
  if (!image) errors.push(required(path))
  else if (image !== image.trim()) errors.push(invalid(path, image, 'must not have leading or trailing whitespace'))
}

function checkPorts(ports: ContainerPort[], path: string, errors: Errors): void {
  const names = new Set<string>()
  for (let index = 0; index < ports.length; index++) {
    const port = ports[index] as ContainerPort
    const at = `${path}[${index}]`
    if (port.name) {
      if (portName(port.name).length > 0) obey(port.name, portName, `${at}.name`, errors)
      else if (names.has(port.name)) errors.push(duplicate(`${at}.name`, port.name))
      names.add(port.name)
    }
    if (!port.containerPort) errors.push(required(`${at}.containerPort`))
    else
      for (const complaint of portNumber(port.containerPort))
        errors.push(invalid(`${at}.containerPort`, port.containerPort, complaint))
    if (port.hostPort) {
      for (const complaint of portNumber(port.hostPort)) errors.push(invalid(`${at}.hostPort`, port.hostPort, complaint))
    }
    oneOf(port.protocol, PROTOCOLS, `${at}.protocol`, errors, true)
  }
}

function checkMounts(container: Container | EphemeralContainer, pod: PodFacts, path: string, errors: Errors): void {
  const places = new Set<string>()
  const devices = new Map((container.volumeDevices ?? []).map((device) => [device.name, device.devicePath]))
  for (let index = 0; index < (container.volumeMounts?.length ?? 0); index++) {
    const mount = container.volumeMounts?.[index] as VolumeMount
    const at = `${path}.volumeMounts[${index}]`
    if (!mount.name) errors.push(required(`${at}.name`))
    if (!pod.volumes.has(mount.name ?? '')) errors.push(notFound(`${at}.name`, mount.name ?? ''))
    if (!mount.mountPath) errors.push(required(`${at}.mountPath`))
    if (places.has(mount.mountPath ?? '')) errors.push(invalid(`${at}.mountPath`, mount.mountPath ?? '', 'must be unique'))
    places.add(mount.mountPath ?? '')
    if (devices.has(mount.name)) errors.push(invalid(`${at}.name`, mount.name, 'must not already exist in volumeDevices'))
    if ([...devices.values()].includes(mount.mountPath)) {
      errors.push(invalid(`${at}.mountPath`, mount.mountPath, 'must not already exist as a path in volumeDevices'))
    }
    checkSubPath(mount, pod.volumes.get(mount.name ?? '')?.image !== undefined, `${path}.volumeMounts`, at, errors)
    checkPropagation(mount, container.securityContext?.privileged ?? false, `${path}.volumeMounts`, errors)
  }
}

/** What is wrong with a path itself is told of the list, as Kubernetes does, without the mount's index. */
function checkSubPath(mount: VolumeMount, ofImage: boolean, list: string, at: string, errors: Errors): void {
  for (const field of ['subPath', 'subPathExpr'] as const) {
    const value = mount[field]
    if (!value) continue
    if (ofImage) errors.push(invalid(`${at}.${field}`, value, 'not allowed in image volume sources'))
    if (field === 'subPathExpr' && mount.subPath) {
      errors.push(invalid(`${at}.subPathExpr`, value, 'subPathExpr and subPath are mutually exclusive'))
    }
    checkDescendingPath(value, `${list}.${field}`, errors)
  }
}

function checkPropagation(mount: VolumeMount, privileged: boolean, path: string, errors: Errors): void {
  const at = `${path}.mountPropagation`
  oneOf(mount.mountPropagation, ['Bidirectional', 'HostToContainer', 'None'], at, errors)
  if (mount.mountPropagation === 'Bidirectional' && !privileged) {
    errors.push(forbidden(at, 'Bidirectional mount propagation is available only to privileged containers'))
  }
  const recursive = mount.recursiveReadOnly
  if (recursive === undefined) return
  const field = `${path}.recursiveReadOnly`
  if (recursive === 'Disabled') return
  if (recursive !== 'Enabled' && recursive !== 'IfPossible') {
    errors.push(notSupported(field, recursive, ['Disabled', 'Enabled', 'IfPossible']))
    return
  }
  if (!mount.readOnly) errors.push(forbidden(field, 'may only be specified when readOnly is true'))
  if (mount.mountPropagation !== undefined && mount.mountPropagation !== 'None') {
    errors.push(forbidden(field, 'may only be specified when mountPropagation is None or not specified'))
  }
}

function checkDevices(devices: VolumeDevice[], mounts: VolumeMount[], pod: PodFacts, path: string, errors: Errors): void {
  const seen = { name: new Set<string>(), devicePath: new Set<string>() }
  devices.forEach((device, index) => {
    const at = `${path}[${index}]`
    const volume = pod.volumes.get(device.name ?? '')
    if (!device.name) errors.push(required(`${at}.name`))
    if (!volume) errors.push(notFound(`${at}.name`, device.name ?? ''))
    else if (!volume.persistentVolumeClaim && !volume.ephemeral) {
      const detail = 'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode'
      errors.push(invalid(`${at}.name`, device.name, detail))
    }
    if (!device.devicePath) errors.push(required(`${at}.devicePath`))
    else if (device.devicePath.split('/').includes('..')) {
      errors.push(invalid(`${at}.devicePath`, device.devicePath, "can not contain backsteps ('..')"))
    }
    for (const key of ['name', 'devicePath'] as const) {
      if (seen[key].has(device[key])) errors.push(invalid(`${at}.${key}`, device[key], 'must be unique'))
      seen[key].add(device[key])
    }
    if (mounts.some((mount) => mount.name === device.name))
      errors.push(invalid(`${at}.name`, device.name, 'must not already exist in volumeMounts'))
    if (mounts.some((mount) => mount.mountPath === device.devicePath))
      errors.push(invalid(`${at}.devicePath`, device.devicePath, 'must not already exist as a path in volumeMounts'))
  })
}

/** The handlers by which something is done to a container; exactly one is given. */
export function checkHandler(handler: LifecycleHandler | Probe, gracePeriodSeconds: number, path: string, errors: Errors): void {
  let count = 0
  const isFirst = (name: string) => {
    count += 1
    if (count > 1) errors.push(forbidden(`${path}.${name}`, 'may not specify more than 1 handler type'))
    return count === 1
  }
  if (handler.exec && isFirst('exec') && !handler.exec.command?.length) errors.push(required(`${path}.exec.command`))
  if (handler.httpGet && isFirst('httpGet')) checkHttpGet(handler.httpGet, `${path}.httpGet`, errors)
  if (handler.tcpSocket && isFirst('tcpSocket')) checkPort(handler.tcpSocket.port, `${path}.tcpSocket.port`, errors)
  if ('grpc' in handler && handler.grpc && isFirst('grpc')) checkPort(handler.grpc.port, `${path}.grpc.port`, errors)
  if ('sleep' in handler && handler.sleep && isFirst('sleep')) {
    const { seconds } = handler.sleep
    if (seconds < 0 || seconds > gracePeriodSeconds) {
      const detail = `must be non-negative and less than terminationGracePeriodSeconds (${gracePeriodSeconds})`
      errors.push(invalid(`${path}.sleep`, seconds, detail))
    }
  }
  if (count === 0) errors.push(required(path, 'must specify a handler type'))
}

function checkHttpGet(get: HTTPGetAction, path: string, errors: Errors): void {
  if (!get.path) errors.push(required(`${path}.path`))
  checkPort(get.port, `${path}.port`, errors)
  if (get.scheme !== 'HTTP' && get.scheme !== 'HTTPS')
    errors.push(notSupported(`${path}.scheme`, get.scheme ?? '', ['HTTP', 'HTTPS']))
  for (const header of get.httpHeaders ?? []) obey(header.name ?? '', httpHeaderName, `${path}.httpHeaders`, errors)
}

export function checkProbe(probe: Probe | undefined, gracePeriodSeconds: number, path: string, errors: Errors): void {
  if (!probe) return
  checkHandler(probe, gracePeriodSeconds, path, errors)
  nonNegative(probe.initialDelaySeconds, `${path}.initialDelaySeconds`, errors)
  nonNegative(probe.timeoutSeconds, `${path}.timeoutSeconds`, errors)
  nonNegative(probe.periodSeconds, `${path}.periodSeconds`, errors)
  nonNegative(probe.successThreshold, `${path}.successThreshold`, errors)
  nonNegative(probe.failureThreshold, `${path}.failureThreshold`, errors)
  positive(probe.terminationGracePeriodSeconds, `${path}.terminationGracePeriodSeconds`, errors)
}

function checkSecurityContext(context: SecurityContext, pod: PodFacts, path: string, errors: Errors): void {
  if (context.runAsUser !== undefined) {
    for (const complaint of userId(context.runAsUser)) errors.push(invalid(`${path}.runAsUser`, context.runAsUser, complaint))
  }
  if (context.runAsGroup !== undefined) {
    for (const complaint of between(context.runAsGroup, 0, 2147483647)) {
      errors.push(invalid(`${path}.runAsGroup`, context.runAsGroup, complaint))
    }
  }
  if (context.procMount !== undefined) oneOf(context.procMount, ['Default', 'Unmasked'], `${path}.procMount`, errors)
  if (context.procMount === 'Unmasked' && pod.hostUsers) {
    errors.push(invalid(`${path}.procMount`, context.procMount, '`hostUsers` must be false to use `Unmasked`'))
  }
  checkWindowsOptions(context.windowsOptions, `${path}.windowsOptions`, errors)
  checkSeccomp(context.seccompProfile, `${path}.seccompProfile`, errors)
  checkAppArmor(context.appArmorProfile, `${path}.appArmorProfile`, errors)
  if (context.allowPrivilegeEscalation !== false) return
  if (context.privileged) {
    const detail = 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true'
    errors.push(invalid(path, context, detail))
  }
  if (context.capabilities?.add?.includes('CAP_SYS_ADMIN')) {
    const detail = 'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN'
    errors.push(invalid(path, context, detail))
  }
}
