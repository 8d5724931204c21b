/** The checks of the Pod Security level `baseline`: no known way out of a container. Texts are Kubernetes' own. */
import type { Pod, PodSpec, SELinuxOptions } from '../../../api/types.ts'
import { type AnyContainer, allContainers, type Finding, named, plural, quoted } from './containers.ts'

export type Check = (spec: PodSpec, metadata: Pod['metadata'] | undefined) => Finding | undefined

const DEFAULT_CAPABILITIES = new Set([
  ...['AUDIT_WRITE', 'CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'MKNOD', 'NET_BIND_SERVICE'],
  ...['SETFCAP', 'SETGID', 'SETPCAP', 'SETUID', 'SYS_CHROOT'],
])
const SAFE_SYSCTLS = new Set([
  ...['kernel.shm_rmid_forced', 'net.ipv4.ip_local_port_range', 'net.ipv4.tcp_syncookies', 'net.ipv4.ping_group_range'],
  ...['net.ipv4.ip_unprivileged_port_start', 'net.ipv4.ip_local_reserved_ports', 'net.ipv4.tcp_keepalive_time'],
  ...[
    'net.ipv4.tcp_fin_timeout',
    'net.ipv4.tcp_keepalive_intvl',
    'net.ipv4.tcp_keepalive_probes',
    'net.ipv4.tcp_rmem',
    'net.ipv4.tcp_wmem',
  ],
])
const SELINUX_TYPES = new Set(['', 'container_t', 'container_init_t', 'container_kvm_t', 'container_engine_t'])
const APPARMOR_PREFIX = 'container.apparmor.security.beta.kubernetes.io/'

const containersWhere = (spec: PodSpec, test: (container: AnyContainer) => unknown) => allContainers(spec).filter(test)

const appArmor: Check = (spec, metadata) => {
  const isBad = (type: string | undefined) => type === 'Unconfined'
  const details: string[] = []
  const bad = containersWhere(spec, (c) => isBad(c.securityContext?.appArmorProfile?.type))
  if (isBad(spec.securityContext?.appArmorProfile?.type)) details.push('pod must not set AppArmor profile type to "Unconfined"')
  if (bad.length > 0) details.push(`${named(bad)} must not set AppArmor profile type to "Unconfined"`)
  const annotations = Object.entries(metadata?.annotations ?? {})
    .filter(
      ([key, value]) =>
        key.startsWith(APPARMOR_PREFIX) && value !== '' && value !== 'runtime/default' && !value.startsWith('localhost/'),
    )
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .sort()
  if (annotations.length > 0) details.push(`${plural(annotations.length, 'annotation', 'annotations')} ${annotations.join(', ')}`)
  if (details.length === 0) return undefined
  return { reason: `forbidden AppArmor ${plural(details.length, 'profile', 'profiles')}`, detail: details.join(', ') }
}

const capabilities: Check = (spec) => {
  const added = new Set<string>()
  const bad = containersWhere(spec, (container) => {
    const forbidden = (container.securityContext?.capabilities?.add ?? []).filter((name) => !DEFAULT_CAPABILITIES.has(name))
    for (const name of forbidden) added.add(name)
    return forbidden.length > 0
  })
  if (bad.length === 0) return undefined
  return {
    reason: 'non-default capabilities',
    detail: `${named(bad)} must not include ${quoted([...added].sort())} in securityContext.capabilities.add`,
  }
}

const hostNamespaces: Check = (spec) => {
  const used = (['hostNetwork', 'hostPID', 'hostIPC'] as const).filter((field) => spec[field]).map((field) => `${field}=true`)
  return used.length > 0 ? { reason: 'host namespaces', detail: used.join(', ') } : undefined
}

const hostPathVolumes: Check = (spec) => {
  const bad = (spec.volumes ?? []).filter((volume) => volume.hostPath).map((volume) => volume.name)
  return bad.length > 0
    ? { reason: 'hostPath volumes', detail: `${plural(bad.length, 'volume', 'volumes')} ${quoted(bad)}` }
    : undefined
}

const hostPorts: Check = (spec) => {
  const ports = new Set<number>()
  const bad = containersWhere(spec, (container) => {
    const used = (container.ports ?? []).flatMap((port) => (port.hostPort ? [port.hostPort] : []))
    for (const port of used) ports.add(port)
    return used.length > 0
  })
  if (bad.length === 0) return undefined
  const list = [...ports].sort((a, b) => a - b).join(', ')
  const what = `${plural(bad.length, 'uses', 'use')} ${plural(ports.size, 'hostPort', 'hostPorts')} ${list}`
  return { reason: 'hostPort', detail: `${named(bad)} ${what}` }
}

const hostProbes: Check = (spec) => {
  const hosts = new Set<string>()
  const bad = containersWhere(spec, (container) => {
    const { livenessProbe, readinessProbe, startupProbe, lifecycle } = container
    const handlers = [livenessProbe, readinessProbe, startupProbe, lifecycle?.postStart, lifecycle?.preStop]
    const used = handlers.flatMap((handler) =>
      [handler?.httpGet?.host, handler?.tcpSocket?.host].filter((host) => host !== undefined && host !== ''),
    )
    for (const host of used) if (host) hosts.add(host)
    return used.length > 0
  })
  if (bad.length === 0) return undefined
  const what = `${plural(bad.length, 'uses', 'use')} probe or lifecycle ${plural(hosts.size, 'host', 'hosts')} ${quoted([...hosts].sort())}`
  return { reason: 'probe or lifecycle host', detail: `${named(bad)} ${what}` }
}

const privileged: Check = (spec) => {
  const bad = containersWhere(spec, (container) => container.securityContext?.privileged)
  return bad.length > 0
    ? { reason: 'privileged', detail: `${named(bad)} must not set securityContext.privileged=true` }
    : undefined
}

const procMount: Check = (spec) => {
  const types = new Set<string>()
  const bad = containersWhere(spec, ({ securityContext }) => {
    const type = securityContext?.procMount
    if (!type || type === 'Default') return false
    types.add(type)
    return true
  })
  if (bad.length === 0) return undefined
  return { reason: 'procMount', detail: `${named(bad)} must not set securityContext.procMount to ${quoted([...types].sort())}` }
}

const seLinuxOptions: Check = (spec) => {
  const types = new Set<string>()
  let user = false
  let role = false
  const isBad = (options: SELinuxOptions | undefined): boolean => {
    if (!options) return false
    const badType = !SELINUX_TYPES.has(options.type ?? '')
    if (badType) types.add(options.type ?? '')
    user ||= Boolean(options.user)
    role ||= Boolean(options.role)
    return badType || Boolean(options.user) || Boolean(options.role)
  }
  const setters: string[] = isBad(spec.securityContext?.seLinuxOptions) ? ['pod'] : []
  const bad = containersWhere(spec, (container) => isBad(container.securityContext?.seLinuxOptions))
  if (bad.length > 0) setters.push(named(bad))
  if (setters.length === 0) return undefined
  const what: string[] = []
  if (types.size > 0) what.push(`${plural(types.size, 'type', 'types')} ${quoted([...types].sort())}`)
  if (user) what.push('user may not be set')
  if (role) what.push('role may not be set')
  return {
    reason: 'seLinuxOptions',
    detail: `${setters.join(' and ')} set forbidden securityContext.seLinuxOptions: ${what.join('; ')}`,
  }
}

const seccompProfile: Check = (spec) => {
  const setters: string[] = spec.securityContext?.seccompProfile?.type === 'Unconfined' ? ['pod'] : []
  const bad = containersWhere(spec, (container) => container.securityContext?.seccompProfile?.type === 'Unconfined')
  if (bad.length > 0) setters.push(named(bad))
  if (setters.length === 0) return undefined
  return {
    reason: 'seccompProfile',
    detail: `${setters.join(' and ')} must not set securityContext.seccompProfile.type to "Unconfined"`,
  }
}

const sysctls: Check = (spec) => {
  const bad = (spec.securityContext?.sysctls ?? []).map(({ name }) => name).filter((name) => !SAFE_SYSCTLS.has(name))
  return bad.length > 0 ? { reason: 'forbidden sysctls', detail: bad.join(', ') } : undefined
}

const windowsHostProcess: Check = (spec) => {
  const setters: string[] = spec.securityContext?.windowsOptions?.hostProcess ? ['pod'] : []
  const bad = containersWhere(spec, (container) => container.securityContext?.windowsOptions?.hostProcess)
  if (bad.length > 0) setters.push(named(bad))
  if (setters.length === 0) return undefined
  return {
    reason: 'hostProcess',
    detail: `${setters.join(' and ')} must not set securityContext.windowsOptions.hostProcess=true`,
  }
}

/** In the order Kubernetes reports them. Those of `replaced` have a stricter form in the level above. */
export const baselineChecks: readonly { check: Check; replaced?: true }[] = [
  { check: appArmor },
  { check: capabilities, replaced: true },
  { check: hostNamespaces },
  { check: hostPathVolumes, replaced: true },
  { check: hostPorts },
  { check: hostProbes },
  { check: privileged },
  { check: procMount },
  { check: seLinuxOptions },
  { check: seccompProfile, replaced: true },
  { check: sysctls },
  { check: windowsHostProcess },
]
