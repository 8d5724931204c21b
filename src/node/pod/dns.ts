/** A pod's resolver settings from its dnsPolicy and dnsConfig. Pure but for the host's own file, which comes as text. */
import type { Pod } from '../../api/types.ts'
import type { SandboxConfig } from '../runtime/runtime.ts'

export interface ClusterDns {
  servers: readonly string[]
  domain: string
}

type Dns = NonNullable<SandboxConfig['dns']>

/** Kubernetes' own limits; more would be cut off by resolvers. */
const MAX_NAMESERVERS = 3
const MAX_SEARCHES = 32
const CLUSTER_OPTIONS = ['ndots:5']

/** `undefined`: the host's file as it is. `hostFile` is the host's /etc/resolv.conf. */
export function podDns(pod: Pod, cluster: ClusterDns, hostFile: string): SandboxConfig['dns'] {
  const spec = pod.spec
  const policy = spec?.dnsPolicy ?? 'ClusterFirst'
  const host = parseResolvConf(hostFile)
  let dns: Dns | undefined
  if (policy === 'None') dns = { nameservers: [], searches: [], options: [] }
  else if (wantsCluster(policy, spec?.hostNetwork === true) && cluster.servers.length > 0) {
    const { domain } = cluster
    const own = [`${pod.metadata.namespace}.svc.${domain}`, `svc.${domain}`, domain]
    dns = { nameservers: [...cluster.servers], searches: unique([...own, ...host.searches]), options: [...CLUSTER_OPTIONS] }
  }
  const config = spec?.dnsConfig
  if (!config) return dns && limited(dns)
  dns ??= host
  const options = new Map(dns.options.map((option) => [option.split(':')[0], option]))
  for (const { name = '', value } of config.options ?? []) options.set(name, value ? `${name}:${value}` : name)
  return limited({
    nameservers: unique([...dns.nameservers, ...(config.nameservers ?? [])]),
    searches: unique([...dns.searches, ...(config.searches ?? [])]),
    options: [...options.values()],
  })
}

/** Whether the pod asks for cluster DNS; it gets the host's where there is none. */
export function wantsCluster(policy: string, hostNetwork: boolean): boolean {
  return policy === 'ClusterFirstWithHostNet' || (policy === 'ClusterFirst' && !hostNetwork)
}

export function parseResolvConf(text: string): Dns {
  const dns: Dns = { nameservers: [], searches: [], options: [] }
  for (const line of text.split('\n')) {
    const [word, ...rest] = line
      .replace(/[#;].*$/, '')
      .trim()
      .split(/\s+/)
    if (word === 'nameserver' && rest[0]) dns.nameservers.push(rest[0])
    else if (word === 'search' || word === 'domain') dns.searches = rest
    else if (word === 'options') dns.options.push(...rest)
  }
  return dns
}

function limited(dns: Dns): Dns {
  return { ...dns, nameservers: dns.nameservers.slice(0, MAX_NAMESERVERS), searches: dns.searches.slice(0, MAX_SEARCHES) }
}

const unique = (values: readonly string[]): string[] => [...new Set(values)]
