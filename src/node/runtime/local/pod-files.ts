/** Writes /etc/hosts, /etc/hostname and /etc/resolv.conf of one pod; its containers share them. */
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Mount, SandboxConfig } from '../runtime.ts'

export function writePodFiles(directory: string, config: SandboxConfig, address: string): Mount[] {
  mkdirSync(directory, { recursive: true })
  const hosts = join(directory, 'hosts')
  const hostname = join(directory, 'hostname')
  const resolv = join(directory, 'resolv.conf')
  if (config.hostNetwork && !config.hostAliases) copyFileSync('/etc/hosts', hosts)
  else writeFileSync(hosts, hostsText(config, address))
  writeFileSync(hostname, `${config.hostname}\n`)
  if (config.dns) writeFileSync(resolv, resolvText(config.dns))
  else if (existsSync('/etc/resolv.conf')) copyFileSync('/etc/resolv.conf', resolv)
  else writeFileSync(resolv, '')
  return [
    { hostPath: hosts, containerPath: '/etc/hosts', readOnly: false },
    { hostPath: hostname, containerPath: '/etc/hostname', readOnly: false },
    { hostPath: resolv, containerPath: '/etc/resolv.conf', readOnly: false },
  ]
}

function hostsText(config: SandboxConfig, address: string): string {
  const lines = ['127.0.0.1\tlocalhost', '::1\tlocalhost ip6-localhost ip6-loopback']
  if (address) lines.push([address, ...(config.fqdn ? [config.fqdn] : []), config.hostname].join('\t'))
  for (const { ip, hostnames } of config.hostAliases ?? []) lines.push([ip, ...hostnames].join('\t'))
  return `${lines.join('\n')}\n`
}

function resolvText({ nameservers, searches, options }: NonNullable<SandboxConfig['dns']>): string {
  const lines = nameservers.map((server) => `nameserver ${server}`)
  if (searches.length > 0) lines.push(`search ${searches.join(' ')}`)
  if (options.length > 0) lines.push(`options ${options.join(' ')}`)
  return `${lines.join('\n')}\n`
}
