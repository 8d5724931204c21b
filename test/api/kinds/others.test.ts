import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { issueCertificate } from '../../../src/server/auth/certificates.ts'
import { create, definitionOf, NOW, selector, update, updateStatus } from './write.ts'

describe('networking', () => {
  test('ingresses', () => {
    expect(
      create('ingresses', { spec: { rules: [{ host: 'BAD HOST' }, { host: '1.2.3.4' }], tls: [{ hosts: ['*.*.x'] }] } }).causes,
    ).toEqual([
      expect.stringMatching(/^Invalid \| spec\.rules\[0\]\.host \| Invalid value: "BAD HOST": a lowercase RFC 1123 subdomain/),
      'Invalid | spec.rules[1].host | Invalid value: "1.2.3.4": must be a DNS name, not an IP address',
      expect.stringMatching(
        /^Invalid \| spec\.tls\[0\]\.hosts\[0\] \| Invalid value: "\*\.\*\.x": a wildcard DNS-1123 subdomain/,
      ),
    ])
    const path = (fields: object) => create('ingresses', { spec: { rules: [{ http: { paths: [fields] } }] } }).causes
    const backend = { service: { name: 's', port: { number: 80 } } }
    expect(path({ path: '/', pathType: 'Prefix', backend })).toEqual([])
    expect(path({ path: 'a', pathType: 'Exact', backend: { service: { name: 's', port: {} } } })).toEqual([
      'Invalid | spec.rules[0].http.paths[0].path | Invalid value: "a": must be an absolute path',
      'Required | spec.rules[0].http.paths[0].backend | Required value: port name or number is required',
    ])
    expect(path({ path: '/', pathType: 'Regex', backend: {} })).toEqual([
      'Invalid | spec.rules[0].http.paths[0].backend | Invalid value: "": resource or service backend is required',
      'NotSupported | spec.rules[0].http.paths[0].pathType | Unsupported value: "Regex": supported values: "Exact", "ImplementationSpecific", "Prefix"',
    ])
  })
  test('ingress classes', () => {
    expect(
      create('ingressclasses', { spec: { controller: 'x.example/y', parameters: { kind: 'K', name: 'n' } } }).object.spec
        .parameters.scope,
    ).toBe('Cluster')
    expect(create('ingressclasses', { spec: { controller: 'x' } }).causes).toEqual([
      'Invalid | spec.controller | Invalid value: "x": must be a domain-prefixed path (such as "acme.io/foo")',
    ])
  })
  test('network policies', () => {
    const { object, causes } = create('networkpolicies', { spec: { podSelector: {}, egress: [{ ports: [{ port: 80 }] }] } })
    expect(causes).toEqual([])
    expect(object.spec).toMatchObject({ policyTypes: ['Ingress', 'Egress'], egress: [{ ports: [{ protocol: 'TCP' }] }] })
    expect(
      create('networkpolicies', {
        spec: {
          podSelector: {},
          policyTypes: ['Sideways'],
          ingress: [
            {
              from: [{ ipBlock: { cidr: '10.0.0.0/8', except: ['11.0.0.0/16'] } }, {}],
              ports: [{ port: 'x y' }, { port: 5, endPort: 4 }],
            },
          ],
        },
      }).causes,
    ).toEqual([
      'Invalid | spec.ingress[0].from[0].ipBlock.except[0] | Invalid value: "11.0.0.0/16": must be a strict subset of `cidr`',
      'Invalid | spec.ingress[0].ports[0].port | Invalid value: "x y": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)',
      'Invalid | spec.ingress[0].ports[1].endPort | Invalid value: 4: must be greater than or equal to `port`',
      'NotSupported | spec.policyTypes[0] | Unsupported value: "Sideways": supported values: "Ingress", "Egress"',
      'Required | spec.ingress[0].from[1] | Required value: must specify a peer',
    ])
  })
  test('endpoint slices', () => {
    expect(
      create('endpointslices', { addressType: 'IPv4', endpoints: [{ addresses: ['10.0.0.1'] }], ports: [{ port: 80 }] }).object
        .ports,
    ).toEqual([{ name: '', protocol: 'TCP', port: 80 }])
    expect(
      create('endpointslices', { addressType: 'IPv6', endpoints: [{ addresses: ['10.0.0.1'] }, { addresses: [] }] }).causes,
    ).toEqual([
      'Invalid | endpoints[0].addresses[0] | Invalid value: "10.0.0.1": must be an IPv6 address',
      'Required | endpoints[1].addresses | Required value: must contain at least 1 address',
    ])
  })
  test('addresses are named by themselves', () => {
    const parentRef = { resource: 'services', name: 's', namespace: 'd' }
    expect(create('ipaddresses', { metadata: { name: '10.96.0.1' }, spec: { parentRef } }).causes).toEqual([])
    expect(create('ipaddresses', { metadata: { name: '10.096.0.1' }, spec: { parentRef } }).causes).toEqual([
      'Invalid | metadata.name | Invalid value: "10.096.0.1": must not have leading 0s',
    ])
  })
})

describe('access', () => {
  const roleRef = { kind: 'Role', name: 'r', apiGroup: 'rbac.authorization.k8s.io' }
  test('rules', () => {
    expect(
      create('roles', {
        rules: [
          { verbs: [], apiGroups: [''], resources: ['pods'] },
          { verbs: ['get'], nonResourceURLs: ['/x'] },
          { verbs: ['get'] },
        ],
      }).causes,
    ).toEqual([
      'Invalid | rules[1].nonResourceURLs | Invalid value: ["/x"]: namespaced rules cannot apply to non-resource URLs',
      'Required | rules[0].verbs | Required value: verbs must contain at least one value',
      'Required | rules[2].apiGroups | Required value: resource rules must supply at least one api group',
      'Required | rules[2].resources | Required value: resource rules must supply at least one resource',
    ])
    expect(create('clusterroles', { rules: [{ verbs: ['get'], nonResourceURLs: ['/x'] }] }).causes).toEqual([])
  })
  test('bindings', () => {
    const { object, causes } = create('rolebindings', {
      roleRef: { kind: 'Role', name: 'r' },
      subjects: [
        { kind: 'User', name: 'u' },
        { kind: 'ServiceAccount', name: 's' },
      ],
    })
    expect(causes).toEqual([])
    expect(object).toMatchObject({ roleRef, subjects: [{ apiGroup: 'rbac.authorization.k8s.io' }, { kind: 'ServiceAccount' }] })
    expect(create('clusterrolebindings', { roleRef, subjects: [{ kind: 'Robot', name: '' }] }).causes).toEqual([
      'NotSupported | roleRef.kind | Unsupported value: "Role": supported values: "ClusterRole"',
      'NotSupported | subjects[0].kind | Unsupported value: "Robot": supported values: "Group", "ServiceAccount", "User"',
      'Required | subjects[0].name | Required value',
    ])
    expect(update('rolebindings', { roleRef }, (o) => Object.assign(o.roleRef, { name: 'other' })).causes).toEqual([
      'Invalid | roleRef | Invalid value: {"APIGroup":"rbac.authorization.k8s.io","Kind":"Role","Name":"other"}: cannot change roleRef',
    ])
  })
})

describe('scaling and disruption', () => {
  const scaleTargetRef = { kind: 'Deployment', name: 'd', apiVersion: 'apps/v1' }
  test('autoscalers look at the CPU unless told otherwise', () => {
    const { object, causes } = create('horizontalpodautoscalers', {
      spec: { scaleTargetRef, maxReplicas: 5, behavior: { scaleDown: { stabilizationWindowSeconds: 5 } } },
    })
    expect(causes).toEqual([])
    expect(object.spec).toMatchObject({
      minReplicas: 1,
      metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } }],
      behavior: {
        scaleUp: {
          stabilizationWindowSeconds: 0,
          selectPolicy: 'Max',
          policies: [
            { type: 'Pods', value: 4 },
            { type: 'Percent', value: 100 },
          ],
        },
        scaleDown: {
          stabilizationWindowSeconds: 5,
          selectPolicy: 'Max',
          policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
        },
      },
    })
    expect(create('horizontalpodautoscalers', { spec: { minReplicas: 3, maxReplicas: 2 } }).causes).toEqual([
      'Invalid | spec.maxReplicas | Invalid value: 2: must be greater than or equal to `minReplicas`',
      'Invalid | spec.scaleTargetRef.apiVersion | Invalid value: "": apiVersion must specify API group',
      'Required | spec.scaleTargetRef.kind | Required value',
      'Required | spec.scaleTargetRef.name | Required value',
    ])
  })
  test('autoscaling/v1 shows the CPU, and loses nothing else', () => {
    const v1 = definitionOf('horizontalpodautoscalers', 'v1')
    const { object } = create('horizontalpodautoscalers', {
      spec: { scaleTargetRef, maxReplicas: 5, behavior: { scaleDown: {} } },
    })
    object.spec.metrics.push({
      type: 'Resource',
      resource: { name: 'memory', target: { type: 'AverageValue', averageValue: '1Gi' } },
    })
    const shown = v1.fromStorage!(structuredClone(object))
    expect(shown.spec).toEqual({ scaleTargetRef, minReplicas: 1, maxReplicas: 5, targetCPUUtilizationPercentage: 80 })
    expect(v1.toStorage!(shown)).toMatchObject({ ...object, apiVersion: 'autoscaling/v2' })
  })
  test('budgets', () => {
    expect(create('poddisruptionbudgets', { spec: { minAvailable: -1 } }).causes).toEqual([
      'Invalid | spec.minAvailable | Invalid value: -1: must be greater than or equal to 0',
    ])
    expect(create('poddisruptionbudgets', { spec: { minAvailable: 1, maxUnavailable: '101%', selector } }).causes).toEqual([
      expect.stringMatching(/^Invalid \| spec \| .*: minAvailable and maxUnavailable cannot be both set$/),
      'Invalid | spec.maxUnavailable | Invalid value: "101%": must not be greater than 100%',
    ])
    expect(definitionOf('poddisruptionbudgets').strategy.allowUnconditionalUpdate).toBe(false)
  })
})

describe('classes', () => {
  test('storage classes', () => {
    const before = { provisioner: 'x.example/y' }
    expect(create('storageclasses', before).object).toMatchObject({ reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate' })
    expect(create('storageclasses', {}).causes).toEqual(['Required | provisioner | Required value'])
    expect(update('storageclasses', before, (o) => Object.assign(o, { provisioner: 'z' })).causes).toEqual([
      'Invalid | provisioner | Invalid value: "z": field is immutable',
    ])
    expect(update('storageclasses', before, (o) => Object.assign(o, { allowVolumeExpansion: true })).causes).toEqual([])
  })
  test('priority classes', () => {
    const before = { metadata: { name: 'p' }, value: 1000 }
    expect(create('priorityclasses', before).object.preemptionPolicy).toBe('PreemptLowerPriority')
    expect(update('priorityclasses', before, (o) => Object.assign(o, { value: 5 })).causes).toEqual([
      'Forbidden | value | Forbidden: may not be changed in an update.',
    ])
    expect(create('priorityclasses', { value: 1_000_000_001 }).causes).toEqual([
      'Forbidden | value | Forbidden: maximum allowed value of a user defined priority is 1000000000',
    ])
    expect(create('priorityclasses', { metadata: { name: 'system-x' }, value: 1 }).causes[0]).toMatch(
      /^Forbidden \| metadata\.name \| Forbidden: priority class names with 'system-' prefix/,
    )
    expect(create('priorityclasses', { metadata: { name: 'system-node-critical' }, value: 2_000_001_000 }).causes).toEqual([])
  })
  test('runtime classes', () => {
    expect(create('runtimeclasses', { handler: 'Run C' }).causes[0]).toMatch(
      /^Invalid \| handler \| Invalid value: "Run C": a lowercase RFC 1123 label/,
    )
    expect(create('runtimeclasses', { handler: 'a', overhead: { podFixed: { cpu: '-1' } } }).causes).toEqual([
      'Invalid | overhead.limits[cpu] | Invalid value: "-1": must be greater than or equal to 0',
    ])
    expect(update('runtimeclasses', { handler: 'a' }, (o) => Object.assign(o, { handler: 'b' })).causes).toEqual([
      'Invalid | handler | Invalid value: "b": field is immutable',
    ])
  })
  test('leases', () => {
    expect(create('leases', { spec: { leaseDurationSeconds: -1 } }).causes).toEqual([
      'Invalid | spec.leaseDurationSeconds | Invalid value: -1: must be greater than 0',
    ])
  })
})

describe('certificate requests', () => {
  const pem = (kind: string) => Buffer.from(`-----BEGIN ${kind}-----\nx\n-----END ${kind}-----\n`).toString('base64')
  const request = { spec: { request: pem('CERTIFICATE REQUEST'), signerName: 'x.example/y', usages: ['client auth'] } }
  const approval = definitionOf('certificatesigningrequests').subresources.find((s) => s.name === 'approval')!.strategy!

  test('ask for something', () => {
    expect(create('certificatesigningrequests', request).causes).toEqual([])
    expect(create('certificatesigningrequests', { spec: { request: 'bm9wZQ==', signerName: 'nosig' } }).causes).toEqual([
      'Invalid | spec.request | Invalid value: "bm9wZQ==": PEM block type must be CERTIFICATE REQUEST',
      'Invalid | spec.signerName | Invalid value: "nosig": must be a fully qualified domain and path of the form \'example.com/signer-name\'',
      'Required | spec.usages | Required value',
    ])
  })
  test('are decided once, through `approval`', () => {
    const old = create('certificatesigningrequests', request).object
    const approved = structuredClone(old)
    approved.spec.usages = ['any']
    approved.status = { conditions: [{ type: 'Approved', status: 'True' }] }
    approval.prepareForUpdate!(approved, old, { now: NOW })
    expect(approval.validateUpdate!(approved, old)).toEqual([])
    expect(approved.spec.usages).toEqual(['client auth'])
    expect(approved.status.conditions).toEqual([
      { type: 'Approved', status: 'True', lastUpdateTime: NOW, lastTransitionTime: NOW },
    ])
    expect(approval.validateUpdate!(old, approved)).toMatchObject([
      { message: 'Forbidden: updates may not remove a condition of type "Approved"' },
    ])
  })
  test('get certificates and nothing else', () => {
    expect(
      updateStatus('certificatesigningrequests', request, (o) => Object.assign(o, { status: { certificate: 'bm90IHBlbQ==' } }))
        .causes,
    ).toEqual([
      'Invalid | status.certificate | Invalid value: "<certificate data>": must contain at least one CERTIFICATE PEM block',
    ])
    const [notBefore, notAfter] = [new Date(NOW), new Date('2036-01-02T03:04:05Z')]
    const real = issueCertificate({ commonName: 'x', usage: 'client', notBefore, notAfter, random: randomBytes })
    const certificate = Buffer.from(real.certificate).toString('base64')
    const given = (text: string) =>
      updateStatus('certificatesigningrequests', request, (o) => Object.assign(o, { status: { certificate: text } })).causes
    expect(given(certificate)).toEqual([])
    expect(given(pem('CERTIFICATE'))).toEqual([
      'Invalid | status.certificate | Invalid value: "<certificate data>": x509: malformed certificate',
    ])
  })
})

describe('custom resource definitions', () => {
  const spec = (schema: object | undefined, more: object = {}) => ({
    metadata: { name: 'bads.x.example' },
    spec: {
      group: 'x.example',
      scope: 'Namespaced',
      names: { plural: 'bads', kind: 'Bad' },
      versions: [{ name: 'v1', served: true, storage: true, ...(schema && { schema: { openAPIV3Schema: schema } }), ...more }],
    },
  })
  const anything = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
  const causesOf = (given: object) => create('customresourcedefinitions', given).causes

  test('names and stored versions follow', () => {
    const { object, causes } = create('customresourcedefinitions', spec(anything))
    expect(causes).toEqual([])
    expect(object.spec).toMatchObject({ names: { singular: 'bad', listKind: 'BadList' }, conversion: { strategy: 'None' } })
    expect(object.status.storedVersions).toEqual(['v1'])
  })
  const AT = 'spec.validation.openAPIV3Schema'
  test.each<[string, object, (string | RegExp)[]]>([
    ['no schema', spec(undefined), ['Required | spec.versions[0].schema.openAPIV3Schema | Required value']],
    ['no type', spec({ properties: {} }), [`Required | ${AT}.type | Required value: must not be empty at the root`]],
    [
      'a field without type',
      spec({ type: 'object', properties: { a: {} } }),
      [`Required | ${AT}.properties[a].type | Required value: must not be empty for specified object fields`],
    ],
    [
      'a list of nothing',
      spec({ type: 'object', properties: { a: { type: 'array' } } }),
      [`Required | ${AT}.properties[a].items | Required value: must be specified`],
    ],
    [
      'a map without keys',
      spec({ type: 'object', properties: { l: { type: 'array', items: { type: 'object' }, 'x-kubernetes-list-type': 'map' } } }),
      [
        `Required | ${AT}.properties[l].x-kubernetes-list-map-keys | Required value: must not be empty if x-kubernetes-list-type is map`,
      ],
    ],
    [
      'columns',
      spec(anything, { additionalPrinterColumns: [{ name: 'X', type: 'blob', jsonPath: 'bad' }] }),
      [
        'Invalid | spec.additionalPrinterColumns[0].JSONPath | Invalid value: "bad": must be a simple json path starting with .',
        'Invalid | spec.additionalPrinterColumns[0].type | Invalid value: "blob": must be one of boolean,date,integer,number,string',
      ],
    ],
    [
      'a version that is stored nowhere',
      spec(anything, { storage: false }),
      [
        /^Invalid \| spec\.versions \| .*: must have exactly one version marked as storage version$/,
        'Invalid | status.storedVersions | Invalid value: null: must have at least one stored version',
      ],
    ],
    [
      'another name',
      { ...spec(anything), metadata: { name: 'wrong.name' } },
      ['Invalid | metadata.name | Invalid value: "wrong.name": must be spec.names.plural+"."+spec.group'],
    ],
  ])('%s', (_, given, causes) => {
    expect(causesOf(given)).toEqual(causes.map((c) => (typeof c === 'string' ? c : expect.stringMatching(c))))
  })
})

describe('admission', () => {
  const rules = [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }]
  const webhook = {
    name: 'a.b.example',
    clientConfig: { url: 'https://x.example/' },
    sideEffects: 'None',
    admissionReviewVersions: ['v1'],
    rules,
  }
  test('webhooks', () => {
    const { object, causes } = create('mutatingwebhookconfigurations', { webhooks: [webhook] })
    expect(causes).toEqual([])
    expect(object.webhooks[0]).toMatchObject({
      failurePolicy: 'Fail',
      matchPolicy: 'Equivalent',
      timeoutSeconds: 10,
      reinvocationPolicy: 'Never',
      namespaceSelector: {},
      objectSelector: {},
      rules: [{ scope: '*' }],
    })
    expect(
      create('validatingwebhookconfigurations', {
        webhooks: [
          { ...webhook, name: 'a', sideEffects: 'Some', clientConfig: {}, timeoutSeconds: 31, admissionReviewVersions: [] },
        ],
      }).causes,
    ).toEqual([
      'Invalid | webhooks[0].name | Invalid value: "a": should be a domain with at least three segments separated by dots',
      'Invalid | webhooks[0].timeoutSeconds | Invalid value: 31: the timeout value must be between 1 and 30 seconds',
      'NotSupported | webhooks[0].sideEffects | Unsupported value: "Some": supported values: "None", "NoneOnDryRun"',
      'Required | webhooks[0].admissionReviewVersions | Required value: must specify one of v1, v1beta1',
      'Required | webhooks[0].clientConfig | Required value: exactly one of url or service is required',
    ])
  })
  test('policies', () => {
    const spec = { matchConstraints: { resourceRules: rules }, validations: [{ expression: 'true' }] }
    const { object, causes } = create('validatingadmissionpolicies', { spec })
    expect(causes).toEqual([])
    expect(object.spec).toMatchObject({
      failurePolicy: 'Fail',
      matchConstraints: { matchPolicy: 'Equivalent', resourceRules: [{ scope: '*' }] },
    })
    expect(create('validatingadmissionpolicies', { spec: {} }).causes).toEqual([
      'Required | spec.auditAnnotations | Required value: validations or auditAnnotations must contain at least one item',
      'Required | spec.matchConstraints | Required value',
      'Required | spec.validations | Required value: validations or auditAnnotations must contain at least one item',
    ])
    expect(
      create('validatingadmissionpolicybindings', { spec: { policyName: 'p', validationActions: ['Deny', 'Warn'] } }).causes[0],
    ).toMatch(/must not contain both Deny and Warn/)
  })
})

test('API services are named by version and group', () => {
  expect(
    create('apiservices', {
      metadata: { name: 'x' },
      spec: { group: 'g.example', version: 'v1', groupPriorityMinimum: 1, versionPriority: 1 },
    }).causes,
  ).toEqual(['Invalid | metadata.name | Invalid value: "x": must be `spec.version+"."+spec.group`: "v1.g.example"'])
})
