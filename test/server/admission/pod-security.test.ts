import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createCluster, PODS, podOf, type TestCluster } from './cluster.ts'

let cluster: TestCluster
beforeEach(async () => {
  cluster = await createCluster()
})
afterEach(() => cluster.close())

const label = (labels: Record<string, string>) =>
  cluster.call('PATCH', '/api/v1/namespaces/ns', {
    metadata: { labels: Object.fromEntries(Object.entries(labels).map(([k, v]) => [`pod-security.kubernetes.io/${k}`, v])) },
  })
const BASIC =
  'allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false), ' +
  'unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]), ' +
  'runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true), ' +
  'seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")'
const good = { securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } } }
const goodPod = { securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } } }

describe('the restricted level', () => {
  it('refuses with every reason, and admits what keeps to it', async () => {
    await label({ enforce: 'restricted', warn: 'restricted' })
    const plain = await cluster.post(PODS, podOf('p'))
    expect(plain.object.message).toBe(`pods "p" is forbidden: violates PodSecurity "restricted:latest": ${BASIC}`)
    const worse = await cluster.post(PODS, podOf('priv', { hostNetwork: true }, { securityContext: { privileged: true } }))
    expect(worse.object.message).toBe(
      `pods "priv" is forbidden: violates PodSecurity "restricted:latest": host namespaces (hostNetwork=true), privileged (container "c" must not set securityContext.privileged=true), ${BASIC}`,
    )
    expect((await cluster.post(PODS, podOf('ok', goodPod, good))).status).toBe(201)
    const capabilities = { drop: ['ALL'], add: ['SYS_ADMIN'] }
    const securityContext = { allowPrivilegeEscalation: false, capabilities, runAsUser: 0 }
    const spec = { ...goodPod, volumes: [{ name: 'h', hostPath: { path: '/' } }] }
    const volume = await cluster.post(PODS, podOf('vol', spec, { securityContext }))
    expect(volume.object.message).toBe(
      'pods "vol" is forbidden: violates PodSecurity "restricted:latest": unrestricted capabilities (container "c" must not include "SYS_ADMIN" in securityContext.capabilities.add), restricted volume types (volume "h" uses restricted volume type "hostPath"), runAsUser=0 (container "c" must not set runAsUser=0)',
    )
  })

  it('only warns about templates', async () => {
    await label({ enforce: 'restricted', warn: 'restricted' })
    const { status, warnings } = await cluster.post('/apis/apps/v1/namespaces/ns/deployments', {
      metadata: { name: 'd' },
      spec: {
        selector: { matchLabels: { app: 'a' } },
        template: { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'c', image: 'x' }] } },
      },
    })
    expect(status).toBe(201)
    expect(warnings).toEqual([`would violate PodSecurity "restricted:latest": ${BASIC}`])
  })
})

describe('the baseline level', () => {
  it('names each way out of a container', async () => {
    await label({ enforce: 'baseline', 'enforce-version': 'v1.30' })
    expect((await cluster.post(PODS, podOf('plain'))).status).toBe(201)
    const container = {
      ports: [{ containerPort: 80, hostPort: 80 }],
      securityContext: { capabilities: { add: ['NET_ADMIN'] }, seccompProfile: { type: 'Unconfined' } },
    }
    const spec = {
      hostPID: true,
      volumes: [{ name: 'h', hostPath: { path: '/' } }],
      securityContext: { sysctls: [{ name: 'kernel.msgmax', value: '1' }] },
    }
    const { object } = await cluster.post(PODS, podOf('bad', spec, container))
    expect(object.message).toBe(
      'pods "bad" is forbidden: violates PodSecurity "baseline:v1.30": non-default capabilities (container "c" must not include "NET_ADMIN" in securityContext.capabilities.add), host namespaces (hostPID=true), hostPath volumes (volume "h"), hostPort (container "c" uses hostPort 80), seccompProfile (container "c" must not set securityContext.seccompProfile.type to "Unconfined"), forbidden sysctls (kernel.msgmax)',
    )
  })
})

describe('a namespace', () => {
  it('takes only known levels, and hears what a stricter one would have refused', async () => {
    expect((await label({ enforce: 'bogus' })).object).toMatchObject({
      code: 422,
      message:
        'Namespace "ns" is invalid: metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "bogus": must be one of privileged, baseline, restricted',
    })
    expect((await label({ 'warn-version': '1' })).object.message).toContain('must be "latest" or "v1.x"')
    await cluster.post(PODS, podOf('a'))
    await cluster.post(PODS, podOf('b'))
    const { status, warnings } = await label({ enforce: 'restricted' })
    expect(status).toBe(200)
    expect(warnings).toEqual([
      'existing pods in namespace "ns" violate the new PodSecurity enforce level "restricted:latest"',
      'a (and 1 other pod): allowPrivilegeEscalation != false, unrestricted capabilities, runAsNonRoot != true, seccompProfile',
    ])
  })
})
