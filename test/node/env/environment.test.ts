import { describe, expect, it } from 'vitest'
import { expand } from '../../../src/api/downward/expand.ts'
import { fieldValue } from '../../../src/api/downward/field-reference.ts'
import { resourceValue } from '../../../src/api/downward/resource-reference.ts'
import type { ConfigMap, Container, Pod, Secret, Service } from '../../../src/api/types.ts'
import { type EnvironmentContext, environmentOf } from '../../../src/node/env/environment.ts'
import { serviceVariables, visibleServices } from '../../../src/node/env/service-variables.ts'

describe('$(NAME)', () => {
  const values: Record<string, string> = { A: 'a', B: '$(A)', EMPTY: '' }
  for (const [text, expected] of [
    ['$(A)', 'a'],
    ['x$(A)y$(A)', 'xaya'],
    ['$(B)', '$(A)'],
    ['$(EMPTY)|', '|'],
    ['$(NONE)', '$(NONE)'],
    ['$$(A)', '$(A)'],
    ['$$$(A)', '$a'],
    ['$$$$(A)', '$$(A)'],
    ['$A', '$A'],
    ['$', '$'],
    ['a$', 'a$'],
    ['$(A', '$(A'],
    ['$($(A))', '$($(A))'],
    ['$(A)$', 'a$'],
    ['$()', '$()'],
  ]) {
    it(`${text} is ${expected}`, () => expect(expand(text ?? '', (name) => values[name])).toBe(expected))
  }
})

const pod: Pod = {
  metadata: {
    name: 'p',
    namespace: 'ns',
    uid: 'u',
    labels: { app: 'web', tier: 'a"b' },
    annotations: { 'example.com/note': 'line\nbreak' },
  },
  spec: { nodeName: 'n1', serviceAccountName: 'sa', containers: [] },
}
const fields = { podIps: ['10.0.0.1', 'fd00::1'], hostIps: ['192.0.2.1'] }

describe('fieldRef', () => {
  for (const [path, expected] of Object.entries({
    'metadata.name': 'p',
    'metadata.namespace': 'ns',
    'metadata.uid': 'u',
    "metadata.labels['app']": 'web',
    "metadata.annotations['example.com/note']": 'line\nbreak',
    "metadata.labels['none']": '',
    'metadata.labels': 'app="web"\ntier="a\\"b"',
    'metadata.annotations': 'example.com/note="line\\nbreak"',
    'spec.nodeName': 'n1',
    'spec.serviceAccountName': 'sa',
    'status.hostIP': '192.0.2.1',
    'status.podIP': '10.0.0.1',
    'status.podIPs': '10.0.0.1,fd00::1',
  })) {
    it(path, () => expect(fieldValue(pod, path, fields)).toBe(expected))
  }
  it('refuses others by name', () => expect(() => fieldValue(pod, 'spec.x', fields)).toThrow('unsupported fieldPath: spec.x'))
})

describe('resourceFieldRef', () => {
  const container: Container = {
    name: 'c',
    resources: { requests: { cpu: '250m', memory: '64Mi' }, limits: { cpu: '1500m', memory: '128Mi' } },
  }
  const allocatable = { cpu: '4', memory: '8Gi' }
  for (const [resource, divisor, expected] of [
    ['requests.cpu', '', '1'],
    ['requests.cpu', '1m', '250'],
    ['limits.cpu', '1', '2'],
    ['limits.memory', '1Mi', '128'],
    ['limits.memory', '0', '134217728'],
    ['requests.ephemeral-storage', '', '0'],
  ] as const) {
    it(`${resource} by ${divisor || 'default'}`, () => {
      expect(resourceValue(container, { resource, divisor }, allocatable)).toBe(expected)
    })
  }
  it('reads an absent limit as what the node has', () => {
    expect(resourceValue({ name: 'c' }, { resource: 'limits.cpu' }, allocatable)).toBe('4')
  })
})

const service = (name: string, clusterIP: string, ports: object[], namespace = 'ns'): Service =>
  ({ metadata: { name, namespace }, spec: { clusterIP, ports } }) as Service
const kubernetes = service('kubernetes', '10.96.0.1', [{ name: 'https', port: 443 }], 'default')

describe('service variables', () => {
  it('are those of docker links and of Kubernetes', () => {
    const web = service('my-web', '10.96.0.9', [
      { name: 'http', port: 80, protocol: 'TCP' },
      { name: 'dns-udp', port: 53, protocol: 'UDP' },
    ])
    expect(Object.fromEntries(serviceVariables([web]).map(({ name, value }) => [name, value]))).toEqual({
      MY_WEB_SERVICE_HOST: '10.96.0.9',
      MY_WEB_SERVICE_PORT: '80',
      MY_WEB_SERVICE_PORT_HTTP: '80',
      MY_WEB_SERVICE_PORT_DNS_UDP: '53',
      MY_WEB_PORT: 'tcp://10.96.0.9:80',
      MY_WEB_PORT_80_TCP: 'tcp://10.96.0.9:80',
      MY_WEB_PORT_80_TCP_PROTO: 'tcp',
      MY_WEB_PORT_80_TCP_PORT: '80',
      MY_WEB_PORT_80_TCP_ADDR: '10.96.0.9',
      MY_WEB_PORT_53_UDP: 'udp://10.96.0.9:53',
      MY_WEB_PORT_53_UDP_PROTO: 'udp',
      MY_WEB_PORT_53_UDP_PORT: '53',
      MY_WEB_PORT_53_UDP_ADDR: '10.96.0.9',
    })
    expect(serviceVariables([service('headless', 'None', [{ port: 80 }])])).toEqual([])
  })

  it('are of the namespace, and always of the API server', () => {
    const all = [service('a', '10.96.0.2', []), service('b', '10.96.0.3', [], 'other'), kubernetes]
    expect(visibleServices(all, 'ns', true).map((s) => s.metadata.name)).toEqual(['kubernetes', 'a'])
    expect(visibleServices(all, 'ns', false).map((s) => s.metadata.name)).toEqual(['kubernetes'])
  })
})

describe('environment', () => {
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  const configMaps: Record<string, ConfigMap> = {
    settings: { metadata: { name: 'settings' }, data: { A: '1', B: '2', 'bad key': 'x' } },
  }
  const secrets: Record<string, Secret> = { key: { metadata: { name: 'key' }, data: { TOKEN: base64('s3cret') } } }
  const context: EnvironmentContext = {
    ...fields,
    configMap: (_, name) => configMaps[name],
    secret: (_, name) => secrets[name],
    services: [kubernetes],
    allocatable: {},
  }
  const environment = (container: Omit<Container, 'name'>) => {
    const { variables, skipped } = environmentOf(pod, { name: 'c', ...container }, context)
    return { values: Object.fromEntries(variables.map(({ name, value }) => [name, value])), skipped }
  }

  it('is put together in order, later values winning', () => {
    const { values, skipped } = environment({
      envFrom: [{ configMapRef: { name: 'settings' } }, { prefix: 'S_', secretRef: { name: 'key' } }],
      env: [
        { name: 'B', value: 'own' },
        { name: 'C', value: '$(A)-$(B)-$(S_TOKEN)-$(D)' },
        { name: 'D', value: 'late' },
        { name: 'HOST', value: '$(KUBERNETES_SERVICE_HOST)' },
        { name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
        { name: 'PICK', valueFrom: { secretKeyRef: { name: 'key', key: 'TOKEN' } } },
        { name: 'MAYBE', valueFrom: { configMapKeyRef: { name: 'none', key: 'x', optional: true } } },
      ],
    })
    expect(values).toMatchObject({ A: '1', B: 'own', C: '1-own-s3cret-$(D)', HOST: '10.96.0.1', NODE: 'n1', PICK: 's3cret' })
    expect(values).not.toHaveProperty('MAYBE')
    expect(skipped).toEqual([{ source: 'ConfigMap ns/settings', keys: ['bad key'] }])
  })

  for (const [what, env, message] of [
    ['a missing ConfigMap', { configMapKeyRef: { name: 'x', key: 'k' } }, 'configmap "x" not found'],
    ['a missing key', { configMapKeyRef: { name: 'settings', key: 'k' } }, "couldn't find key k in ConfigMap ns/settings"],
    ['a missing Secret', { secretKeyRef: { name: 'x', key: 'k' } }, 'secret "x" not found'],
    ['a missing Secret key', { secretKeyRef: { name: 'key', key: 'k' } }, "couldn't find key k in Secret ns/key"],
  ] as const) {
    it(`names ${what}`, () => expect(() => environment({ env: [{ name: 'E', valueFrom: env }] })).toThrow(message))
  }
  it('names a missing source', () => {
    expect(() => environment({ envFrom: [{ secretRef: { name: 'x' } }] })).toThrow('secret "x" not found')
    expect(environment({ envFrom: [{ secretRef: { name: 'x', optional: true } }] }).values).toHaveProperty(
      'KUBERNETES_SERVICE_HOST',
    )
  })
})
