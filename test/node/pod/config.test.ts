import { describe, expect, it } from 'vitest'
import type { Container, Pod, PodSpec, Secret } from '../../../src/api/types.ts'
import { parseResolvConf, podDns } from '../../../src/node/pod/dns.ts'
import { resourcesOf } from '../../../src/node/pod/resources.ts'
import { hostnameOf } from '../../../src/node/pod/sandbox-config.ts'
import { securityOf } from '../../../src/node/pod/security.ts'
import { podRequests } from '../../../src/node/self/admission.ts'
import { pullCredentials } from '../../../src/registry/pull-secrets.ts'

const podWith = (spec: Partial<PodSpec>, name = 'p'): Pod => ({
  metadata: { name, namespace: 'ns', uid: 'u' },
  spec: { containers: [], ...spec },
})

describe('dns', () => {
  const host = 'search example.org\nnameserver 1.1.1.1\noptions timeout:1 # comment\n'
  const cluster = { servers: ['10.96.0.10'], domain: 'cluster.local' }
  const searches = ['ns.svc.cluster.local', 'svc.cluster.local', 'cluster.local', 'example.org']
  it('is the cluster, then the host', () => {
    expect(podDns(podWith({}), cluster, host)).toEqual({ nameservers: ['10.96.0.10'], searches, options: ['ndots:5'] })
  })
  it('is the host for Default, for host network, and without a cluster DNS', () => {
    expect(podDns(podWith({ dnsPolicy: 'Default' }), cluster, host)).toBeUndefined()
    expect(podDns(podWith({ hostNetwork: true }), cluster, host)).toBeUndefined()
    expect(podDns(podWith({ hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' }), cluster, host)?.searches).toEqual(
      searches,
    )
    expect(podDns(podWith({}), { ...cluster, servers: [] }, host)).toBeUndefined()
  })
  it('takes the pod’s own settings in', () => {
    const dnsConfig = { nameservers: ['9.9.9.9'], searches: ['x.y'], options: [{ name: 'ndots', value: '2' }, { name: 'edns0' }] }
    expect(podDns(podWith({ dnsPolicy: 'None', dnsConfig }), cluster, host)).toEqual({
      nameservers: ['9.9.9.9'],
      searches: ['x.y'],
      options: ['ndots:2', 'edns0'],
    })
    expect(podDns(podWith({ dnsConfig }), cluster, host)).toMatchObject({
      nameservers: ['10.96.0.10', '9.9.9.9'],
      options: ['ndots:2', 'edns0'],
    })
    expect(podDns(podWith({ dnsPolicy: 'Default', dnsConfig }), cluster, host)?.nameservers).toEqual(['1.1.1.1', '9.9.9.9'])
    expect(parseResolvConf(host).options).toEqual(['timeout:1'])
  })
})

describe('hostname', () => {
  it('is the pod’s name or what it asks for', () => {
    expect(hostnameOf(podWith({}), 'cluster.local')).toEqual({ hostname: 'p', fqdn: undefined })
    expect(hostnameOf(podWith({}, `${'a'.repeat(62)}.b`), 'cluster.local').hostname).toBe('a'.repeat(62))
    const inside = { hostname: 'h', subdomain: 'db' }
    expect(hostnameOf(podWith(inside), 'cluster.local')).toEqual({ hostname: 'h', fqdn: 'h.db.ns.svc.cluster.local' })
    expect(hostnameOf(podWith({ ...inside, setHostnameAsFQDN: true }), 'cluster.local').hostname).toBe(
      'h.db.ns.svc.cluster.local',
    )
    const long = { subdomain: 'x'.repeat(60), setHostnameAsFQDN: true }
    expect(() => hostnameOf(podWith(long), 'cluster.local')).toThrow(
      'is too long (64 characters is the max, 83 characters requested)',
    )
  })
})

describe('security', () => {
  const security = (own: Container['securityContext'], shared: PodSpec['securityContext'] = {}, imageUser = '') =>
    securityOf(podWith({ securityContext: shared }), { name: 'c', ...(own && { securityContext: own }) }, imageUser)
  it('takes the container’s settings before the pod’s', () => {
    expect(security({ runAsUser: 5 }, { runAsUser: 1, runAsGroup: 2, fsGroup: 3, supplementalGroups: [4] })).toEqual({
      user: { uid: 5, gid: 2, supplementalGroups: [4, 3] },
    })
    expect(security(undefined, { fsGroup: 3 })).toEqual({ supplementalGroups: [3] })
    expect(
      security({
        privileged: true,
        readOnlyRootFilesystem: true,
        allowPrivilegeEscalation: false,
        capabilities: { add: ['NET_ADMIN'], drop: ['ALL'] },
      }),
    ).toEqual({
      privileged: true,
      readOnlyRootFilesystem: true,
      noNewPrivileges: true,
      capabilities: { add: ['NET_ADMIN'], drop: ['ALL'] },
    })
  })
  it('does not run as root what may not', () => {
    const nonRoot = { runAsNonRoot: true }
    expect(security(nonRoot, {}, '1000')).toEqual({ runAsNonRoot: true })
    expect(() => security(nonRoot)).toThrow(
      'container has runAsNonRoot and image will run as root (pod: "p_ns(u)", container: c)',
    )
    expect(() => security(nonRoot, {}, 'node')).toThrow('non-numeric user (node)')
    expect(() => security({ ...nonRoot, runAsUser: 0 })).toThrow("container's runAsUser breaks non-root policy")
  })
  it('refuses by name what it cannot give', () => {
    expect(() => security({ seccompProfile: { type: 'Localhost', localhostProfile: 'x' } })).toThrow(
      'seccompProfile.type Localhost',
    )
    expect(() => security({ procMount: 'Unmasked' })).toThrow('procMount Unmasked')
    expect(() => security({ runAsGroup: 1 })).toThrow('runAsGroup is specified without a runAsUser')
    expect(security({ seccompProfile: { type: 'RuntimeDefault' } })).toEqual({})
  })
})

describe('resources', () => {
  const of = (resources: NonNullable<Container['resources']>) => {
    const container = { name: 'c', resources }
    return resourcesOf(podWith({ containers: [container] }), container, 1000 * 2 ** 20)
  }
  it('are Kubernetes’ formulas', () => {
    expect(of({})).toEqual({ resources: { cpuShares: 2 }, oomScoreAdj: 1000 })
    expect(of({ requests: { cpu: '500m', memory: '100Mi' }, limits: { cpu: '1', memory: '200Mi' } })).toEqual({
      resources: {
        ...{ cpuShares: 512, cpuQuotaMs: { quota: 100, period: 100 }, memoryLimitBytes: 200 * 2 ** 20 },
        requested: { cpuMillis: 500, memoryBytes: 100 * 2 ** 20 },
      },
      oomScoreAdj: 900,
    })
    expect(of({ limits: { cpu: '5m', memory: '1Gi' } }).resources).toMatchObject({ cpuShares: 5, cpuQuotaMs: { quota: 1 } })
    expect(of({ limits: { cpu: '1', memory: '1Gi' } }).oomScoreAdj).toBe(-997)
  })
  it('of a pod are what it needs at the most', () => {
    const cpu = (amount: string, more: object = {}) => ({ name: 'c', resources: { requests: { cpu: amount } }, ...more })
    const sidecar = { restartPolicy: 'Always' }
    const requests = podRequests(
      podWith({ initContainers: [cpu('1', sidecar), cpu('3')], containers: [cpu('500m'), cpu('500m')] }),
    )
    expect(Object.fromEntries(requests)).toEqual({ pods: 1, cpu: 4000 })
  })
})

describe('pull secrets', () => {
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  const secret = (key: string, value: object): Secret => ({
    metadata: { name: 's' },
    data: { [key]: base64(JSON.stringify(value)) },
  })
  it('are read in both of their forms', () => {
    const auths = {
      'https://index.docker.io/v1/': { auth: base64('me:pw:x') },
      'reg.example:5000/team': { username: 'u', password: 'p' },
    }
    const { credentials, complaints } = pullCredentials([
      secret('.dockerconfigjson', { auths }),
      secret('.dockercfg', { 'old.example': { username: 'a', password: 'b' } }),
      { metadata: { name: 'odd' } },
    ])
    expect(credentials).toEqual([
      { registry: 'index.docker.io', username: 'me', password: 'pw:x' },
      { registry: 'reg.example:5000/team', username: 'u', password: 'p' },
      { registry: 'old.example', username: 'a', password: 'b' },
    ])
    expect(complaints).toEqual(['secret odd: has neither .dockerconfigjson nor .dockercfg'])
  })
})
