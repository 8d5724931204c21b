/** A pod's sandbox as the runtime is asked for it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Pod, PodSpec } from '../../api/types.ts'
import { METADATA_ADDRESS } from '../metadata/metadata-service.ts'
import type { SandboxConfig } from '../runtime/runtime.ts'
import type { NodeContext } from './context.ts'
import { podDns } from './dns.ts'

const MAX_HOSTNAME_LENGTH = 63
const MAX_FQDN_LENGTH = 64

/** Throws an Error for what cannot be had. */
export function sandboxConfig(pod: Pod, attempt: number, context: NodeContext): SandboxConfig {
  const { name = '', namespace = '', uid = '', labels = {}, annotations = {} } = pod.metadata
  const spec = pod.spec ?? { containers: [] }
  refuse(spec)
  const { hostname, fqdn } = hostnameOf(pod, context.clusterDomain)
  const dns = podDns(pod, { servers: context.clusterDns, domain: context.clusterDomain }, hostResolvConf())
  const aliases = spec.hostAliases?.map(({ ip, hostnames = [] }) => ({ ip, hostnames }))
  const sysctls = spec.securityContext?.sysctls
  return {
    uid,
    attempt,
    name,
    namespace,
    hostname,
    labels,
    annotations,
    ...(fqdn && { fqdn }),
    hostNetwork: spec.hostNetwork === true,
    ...(context.metadata && { loopbackAddresses: [METADATA_ADDRESS] }),
    ...(spec.hostPID && { hostPid: true }),
    ...(spec.hostIPC && { hostIpc: true }),
    ...(dns && { dns }),
    ...(aliases && { hostAliases: aliases }),
    ...(sysctls && { sysctls: Object.fromEntries(sysctls.map((s) => [s.name, s.value])) }),
    ...(spec.shareProcessNamespace && { shareProcessNamespace: true }),
    logDirectory: logDirectory(context.podsDirectory, uid),
  }
}

/** What would make another pod of it than was asked for is not left out silently. */
function refuse(spec: PodSpec): void {
  const field =
    (spec.runtimeClassName && `runtimeClassName ${spec.runtimeClassName}`) ||
    (spec.hostUsers === false && 'hostUsers: false') ||
    (spec.resourceClaims?.length && 'resourceClaims')
  if (field) throw new Error(`${field} is not supported by this node`)
}

export function logDirectory(podsDirectory: string, uid: string): string {
  return join(podsDirectory, uid, 'logs')
}

export function hostnameOf(pod: Pod, clusterDomain: string): { hostname: string; fqdn: string | undefined } {
  const spec = pod.spec
  const { name = '', namespace = '' } = pod.metadata
  if (spec?.hostnameOverride) return { hostname: spec.hostnameOverride, fqdn: undefined }
  const hostname = spec?.hostname || name.slice(0, MAX_HOSTNAME_LENGTH).replace(/[-.]+$/, '')
  const fqdn = spec?.subdomain ? `${hostname}.${spec.subdomain}.${namespace}.svc.${clusterDomain}` : undefined
  if (!spec?.setHostnameAsFQDN || !fqdn) return { hostname, fqdn }
  if (fqdn.length > MAX_FQDN_LENGTH) {
    throw new Error(
      `failed to construct FQDN from pod hostname and cluster domain, FQDN ${fqdn} is too long (${MAX_FQDN_LENGTH} characters is the max, ${fqdn.length} characters requested)`,
    )
  }
  return { hostname: fqdn, fqdn }
}

function hostResolvConf(): string {
  try {
    return readFileSync('/etc/resolv.conf', 'utf8')
  } catch {
    // A host without one resolves nothing by itself; its pods do as well.
    return ''
  }
}
