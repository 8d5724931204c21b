/** Rules for one container, whichever list of the pod it is in: `validateContainerCommon` and its kin. */
import type { Errors } from '../field-errors.ts'
import { duplicate, forbidden, invalid, notFound, notSupported, required } from '../field-errors.ts'
import { between, dnsLabel, httpHeaderName, portName, portNumber, userId } from '../names.ts'
import type {
  Container,
  ContainerPort,
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
import { checkResources } from './resource-rules.ts'
import { checkPort, nonNegative, obey, oneOf, positive, requireName } from './rules.ts'
import { checkAppArmor, checkSeccomp } from './security-rules.ts'

/** What rules about a container have to know of its pod. */
export interface PodFacts {
  readonly volumes: ReadonlyMap<string, Volume>
  readonly claims: ReadonlySet<string>
  readonly gracePeriodSeconds: number
  readonly hostNetwork: boolean
}

const PULL_POLICIES = ['Always', 'IfNotPresent', 'Never']
const MESSAGE_POLICIES = ['File', 'FallbackToLogsOnError']
const PROTOCOLS = ['SCTP', 'TCP', 'UDP']

export function checkContainer(container: Container | EphemeralContainer, pod: PodFacts, path: string, errors: Errors): void {
  requireName(container.name, dnsLabel, `${path}.name`, errors)
  checkImage(container.image, `${path}.image`, errors)
  oneOf(container.terminationMessagePolicy, MESSAGE_POLICIES, `${path}.terminationMessagePolicy`, errors, true)
  oneOf(container.imagePullPolicy, PULL_POLICIES, `${path}.imagePullPolicy`, errors, true)
  if (container.ports) checkPorts(container.ports, pod.hostNetwork, `${path}.ports`, errors)
  checkEnv(container.env, `${path}.env`, errors)
  checkEnvFrom(container.envFrom, `${path}.envFrom`, errors)
  if (container.volumeMounts) checkMounts(container, pod, path, errors)
  if (container.volumeDevices) checkDevices(container.volumeDevices, pod, `${path}.volumeDevices`, errors)
  checkResources(container.resources, `${path}.resources`, errors, pod.claims)
  container.resizePolicy?.forEach((policy, index) => {
    const at = `${path}.resizePolicy[${index}]`
    oneOf(policy.resourceName, ['cpu', 'memory'], `${at}.resourceName`, errors, true)
    oneOf(policy.restartPolicy, ['NotRequired', 'RestartContainer'], `${at}.restartPolicy`, errors, true)
  })
  if (container.securityContext) checkSecurityContext(container.securityContext, `${path}.securityContext`, errors)
}

export function checkImage(image: string | undefined, path: string, errors: Errors): void {
  if (!image) errors.push(required(path))
  else if (image !== image.trim()) errors.push(invalid(path, image, 'must not have leading or trailing whitespace'))
}

function checkPorts(ports: ContainerPort[], hostNetwork: boolean, path: string, errors: Errors): void {
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
      if (hostNetwork && port.hostPort !== port.containerPort) {
        errors.push(invalid(`${at}.hostPort`, port.hostPort, 'must match `containerPort` when `hostNetwork` is true'))
      }
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
    if (mount.subPath) checkDescendingPath(mount.subPath, `${at}.subPath`, errors)
    if (mount.subPathExpr) {
      if (mount.subPath) {
        errors.push(invalid(`${at}.subPathExpr`, mount.subPathExpr, 'subPathExpr and subPath are mutually exclusive'))
      }
      checkDescendingPath(mount.subPathExpr, `${at}.subPathExpr`, errors)
    }
    checkPropagation(mount, container.securityContext?.privileged ?? false, at, errors)
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
  oneOf(recursive, ['Disabled', 'IfPossible', 'Enabled'], `${path}.recursiveReadOnly`, errors, true)
  if (recursive !== 'Disabled' && !mount.readOnly) {
    errors.push(forbidden(`${path}.recursiveReadOnly`, 'may only be specified when readOnly is true'))
  }
}

/** A path that stays below where it starts. */
export function checkDescendingPath(value: string, path: string, errors: Errors): void {
  if (value.startsWith('/')) errors.push(invalid(path, value, 'must be a relative path'))
  checkNoBacksteps(value, path, errors)
}

export function checkNoBacksteps(value: string, path: string, errors: Errors): void {
  if (value.split('/').includes('..')) errors.push(invalid(path, value, "must not contain '..'"))
}

function checkDevices(devices: VolumeDevice[], pod: PodFacts, path: string, errors: Errors): void {
  const seen = { name: new Set<string>(), devicePath: new Set<string>() }
  devices.forEach((device, index) => {
    const at = `${path}[${index}]`
    const volume = pod.volumes.get(device.name ?? '')
    if (!device.name) errors.push(required(`${at}.name`))
    else if (!volume) errors.push(notFound(`${at}.name`, device.name))
    else if (!volume.persistentVolumeClaim && !volume.ephemeral) {
      errors.push(notFound(`${at}.name`, device.name))
    }
    if (!device.devicePath) errors.push(required(`${at}.devicePath`))
    else checkNoBacksteps(device.devicePath, `${at}.devicePath`, errors)
    for (const key of ['name', 'devicePath'] as const) {
      if (seen[key].has(device[key])) errors.push(invalid(`${at}.${key}`, device[key], 'must be unique'))
      seen[key].add(device[key])
    }
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

function checkSecurityContext(context: SecurityContext, path: string, errors: Errors): void {
  if (context.runAsUser !== undefined) {
    for (const complaint of userId(context.runAsUser)) errors.push(invalid(`${path}.runAsUser`, context.runAsUser, complaint))
  }
  if (context.runAsGroup !== undefined) {
    for (const complaint of between(context.runAsGroup, 0, 2147483647)) {
      errors.push(invalid(`${path}.runAsGroup`, context.runAsGroup, complaint))
    }
  }
  if (context.procMount !== undefined) oneOf(context.procMount, ['Default', 'Unmasked'], `${path}.procMount`, errors)
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
