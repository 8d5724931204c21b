import { describe, expect, test } from 'vitest'
import type { PodSpec } from '../../../src/api/types.ts'
import { container, create, definitionOf, podSpec, update, updateStatus } from './write.ts'

const specOf = (spec: object) => create('pods', { spec: { ...podSpec, ...spec } }).object.spec as PodSpec
const causesOf = (spec: object) => create('pods', { spec: { ...podSpec, ...spec } }).causes
const inContainer = (fields: object) => causesOf({ containers: [{ ...container, ...fields }] })

describe('defaults', () => {
  test('a minimal pod', () => {
    const { object, causes } = create('pods', { spec: podSpec })
    expect(causes).toEqual([])
    expect(object.spec).toEqual({
      containers: [
        {
          name: 'c',
          image: 'img:1',
          resources: {},
          terminationMessagePath: '/dev/termination-log',
          terminationMessagePolicy: 'File',
          imagePullPolicy: 'IfNotPresent',
        },
      ],
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
      dnsPolicy: 'ClusterFirst',
      securityContext: {},
      schedulerName: 'default-scheduler',
      enableServiceLinks: true,
    })
    expect(object.status).toEqual({ phase: 'Pending', qosClass: 'BestEffort' })
  })

  test.each([
    ['img', 'Always'],
    ['img:latest', 'Always'],
    ['reg.example:5000/app', 'Always'],
    ['img:1', 'IfNotPresent'],
    ['reg.example:5000/app:2', 'IfNotPresent'],
    [`img@sha256:${'a'.repeat(64)}`, 'IfNotPresent'],
    [`img:latest@sha256:${'a'.repeat(64)}`, 'Always'],
    ['Not An Image', 'IfNotPresent'],
  ])('%s is pulled %s', (image, policy) => {
    expect(specOf({ containers: [{ name: 'c', image }] }).containers[0]!.imagePullPolicy).toBe(policy)
  })

  test('limits become requests, amounts are rounded to thousandths', () => {
    const resources = { limits: { cpu: '500m', memory: '64Mi' }, requests: { cpu: '0.0001' } }
    expect(specOf({ containers: [{ ...container, resources }] }).containers[0]!.resources).toEqual({
      limits: { cpu: '500m', memory: '64Mi' },
      requests: { cpu: '1m', memory: '64Mi' },
    })
  })

  test('probes, hooks and variables', () => {
    const full = {
      ...container,
      ports: [{ containerPort: 80 }],
      env: [{ name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }],
      livenessProbe: { httpGet: { port: 80 } },
      lifecycle: { postStart: { httpGet: { port: 80 } } },
    }
    expect(specOf({ containers: [full] }).containers[0]).toMatchObject({
      ports: [{ containerPort: 80, protocol: 'TCP' }],
      env: [{ valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'status.podIP' } } }],
      livenessProbe: {
        httpGet: { path: '/', port: 80, scheme: 'HTTP' },
        timeoutSeconds: 1,
        periodSeconds: 10,
        successThreshold: 1,
        failureThreshold: 3,
      },
      lifecycle: { postStart: { httpGet: { path: '/', port: 80, scheme: 'HTTP' } } },
    })
  })

  test('volumes', () => {
    const volumes = [
      { name: 'none' },
      { name: 'cm', configMap: { name: 'x' } },
      { name: 's', secret: { secretName: 'x' } },
      { name: 'h', hostPath: { path: '/tmp' } },
      { name: 'p', projected: { sources: [{ serviceAccountToken: { path: 't' } }] } },
      { name: 'd', downwardAPI: { items: [{ path: 'l', fieldRef: { fieldPath: 'metadata.labels' } }] } },
    ]
    expect(specOf({ volumes }).volumes).toEqual([
      { name: 'none', emptyDir: {} },
      { name: 'cm', configMap: { name: 'x', defaultMode: 420 } },
      { name: 's', secret: { secretName: 'x', defaultMode: 420 } },
      { name: 'h', hostPath: { path: '/tmp', type: '' } },
      { name: 'p', projected: { sources: [{ serviceAccountToken: { expirationSeconds: 3600, path: 't' } }], defaultMode: 420 } },
      {
        name: 'd',
        downwardAPI: { items: [{ path: 'l', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.labels' } }], defaultMode: 420 },
      },
    ])
  })

  test('on the host network every port is a host port; the old name of the service account follows the new one', () => {
    const spec = specOf({
      hostNetwork: true,
      serviceAccount: 'robot',
      containers: [{ ...container, ports: [{ containerPort: 80 }] }],
    })
    expect(spec.containers[0]!.ports).toEqual([{ containerPort: 80, hostPort: 80, protocol: 'TCP' }])
    expect(spec.serviceAccountName).toBe('robot')
  })

  test.each([
    [{}, 'BestEffort'],
    [{ requests: { cpu: '1' } }, 'Burstable'],
    [{ limits: { cpu: '1', memory: '1Gi' } }, 'Guaranteed'],
    [{ limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '1000m', memory: '1024Mi' } }, 'Guaranteed'],
    [{ limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '500m' } }, 'Burstable'],
    [{ limits: { cpu: '1' } }, 'Burstable'],
    [{ requests: { 'example.com/gpu': '1' }, limits: { 'example.com/gpu': '1' } }, 'BestEffort'],
  ])('%j makes it %s', (resources, qosClass) => {
    expect(create('pods', { spec: { containers: [{ ...container, resources }] } }).object.status.qosClass).toBe(qosClass)
  })

  test('a gated pod says that it is', () => {
    const { status } = create('pods', { spec: { ...podSpec, schedulingGates: [{ name: 'a.example/b' }] } }).object
    expect(status.conditions).toMatchObject([{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }])
  })
})

describe('rules', () => {
  test('several causes in one answer', () => {
    expect(
      causesOf({
        containers: [{ name: 'Bad_C' }, { name: 'a', image: ' x ' }, { name: 'a', image: 'x' }],
        restartPolicy: 'Sometimes',
      }),
    ).toEqual([
      'Duplicate | spec.containers[2].name | Duplicate value: "a"',
      expect.stringMatching(/^Invalid \| spec\.containers\[0\]\.name \| Invalid value: "Bad_C": a lowercase RFC 1123 label/),
      'Invalid | spec.containers[1].image | Invalid value: " x ": must not have leading or trailing whitespace',
      'NotSupported | spec.restartPolicy | Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"',
      'Required | spec.containers[0].image | Required value',
    ])
  })

  test.each<[string, object, string[]]>([
    ['no containers', { containers: [] }, ['Required | spec.containers | Required value']],
    [
      'deadline and DNS policy',
      { activeDeadlineSeconds: 0, dnsPolicy: 'Nope', terminationGracePeriodSeconds: -1 },
      [
        'Invalid | spec.activeDeadlineSeconds | Invalid value: 0: must be between 1 and 2147483647, inclusive',
        'NotSupported | spec.dnsPolicy | Unsupported value: "Nope": supported values: "ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"',
      ],
    ],
    [
      'no DNS of any kind',
      { dnsPolicy: 'None' },
      ['Required | spec.dnsConfig | Required value: must provide `dnsConfig` when `dnsPolicy` is None'],
    ],
    [
      'volumes of two kinds, of none, and twice',
      {
        volumes: [
          { name: 'a', emptyDir: {}, hostPath: { path: '/' } },
          { name: 'b', secret: {} },
          { name: 'c', emptyDir: {} },
          { name: 'c', emptyDir: {} },
        ],
      },
      [
        'Duplicate | spec.volumes[3].name | Duplicate value: "c"',
        'Forbidden | spec.volumes[0].hostPath | Forbidden: may not specify more than 1 volume type',
        'Required | spec.volumes[1].secret.secretName | Required value',
      ],
    ],
    [
      'tolerations',
      {
        tolerations: [
          { key: 'a', operator: 'Exists', value: 'v' },
          { operator: 'Equal' },
          { key: 'k', tolerationSeconds: 5 },
          { key: 'k', effect: 'Bogus' },
        ],
      },
      [
        'Invalid | spec.tolerations[0].operator | Invalid value: "v": value must be empty when `operator` is \'Exists\'',
        'Invalid | spec.tolerations[1].operator | Invalid value: "Equal": operator must be Exists when `key` is empty, which means "match all values and all keys"',
        'Invalid | spec.tolerations[2].effect | Invalid value: "": effect must be \'NoExecute\' when `tolerationSeconds` is set',
        'NotSupported | spec.tolerations[3].effect | Unsupported value: "Bogus": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
      ],
    ],
    [
      'spreading',
      { topologySpreadConstraints: [{ maxSkew: 0, topologyKey: '', whenUnsatisfiable: 'X' }] },
      [
        'Invalid | spec.topologySpreadConstraints[0].maxSkew | Invalid value: 0: must be greater than zero',
        'NotSupported | spec.topologySpreadConstraints[0].whenUnsatisfiable | Unsupported value: "X": supported values: "DoNotSchedule", "ScheduleAnyway"',
        'Required | spec.topologySpreadConstraints[0].topologyKey | Required value: can not be empty',
      ],
    ],
    [
      'an empty node affinity',
      { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [] } } } },
      [
        'Required | spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms | Required value: must have at least one node selector term',
      ],
    ],
    [
      'host ports on the host network',
      { hostNetwork: true, containers: [{ ...container, ports: [{ containerPort: 80, hostPort: 81 }] }] },
      [
        'Invalid | spec.containers[0].ports[0].hostPort | Invalid value: 81: must match `containerPort` when `hostNetwork` is true',
      ],
    ],
    [
      'one host port twice',
      {
        containers: [
          {
            ...container,
            ports: [
              { containerPort: 80, hostPort: 80 },
              { containerPort: 81, hostPort: 80 },
            ],
          },
        ],
      },
      ['Duplicate | spec.containers[0].ports[1].hostPort | Duplicate value: "TCP//80"'],
    ],
    [
      'identity',
      { securityContext: { runAsUser: -1, sysctls: [{ name: 'bad name', value: '' }] } },
      [
        'Invalid | spec.securityContext.runAsUser | Invalid value: -1: must be between 0 and 2147483647, inclusive',
        expect.stringMatching(
          /sysctls\[0\]\.name \| Invalid value: "bad name": must have at most 253 characters and match regex/,
        ),
      ],
    ],
    [
      'a plain init container has no probes',
      { initContainers: [{ name: 'i', image: 'x', readinessProbe: { tcpSocket: { port: 1 } } }] },
      [
        'Forbidden | spec.initContainers[0].readinessProbe | Forbidden: may not be set for init containers without restartPolicy=Always',
      ],
    ],
    [
      'a sidecar may',
      { initContainers: [{ name: 'i', image: 'x', restartPolicy: 'Always', readinessProbe: { tcpSocket: { port: 1 } } }] },
      [],
    ],
    [
      'ephemeral containers come later',
      { ephemeralContainers: [{ name: 'e', image: 'x' }] },
      ['Forbidden | spec.ephemeralContainers | Forbidden: cannot be set on create'],
    ],
  ])('%s', (_, spec, causes) => expect(causesOf(spec)).toEqual(causes))

  test.each<[string, object, (string | RegExp)[]]>([
    [
      'ports',
      {
        ports: [
          { containerPort: 0 },
          { containerPort: 65536 },
          { containerPort: 80, name: 'a' },
          { containerPort: 81, name: 'a', protocol: 'XXX' },
        ],
      },
      [
        'Duplicate | spec.containers[0].ports[3].name | Duplicate value: "a"',
        'Invalid | spec.containers[0].ports[1].containerPort | Invalid value: 65536: must be between 1 and 65535, inclusive',
        'NotSupported | spec.containers[0].ports[3].protocol | Unsupported value: "XXX": supported values: "SCTP", "TCP", "UDP"',
        'Required | spec.containers[0].ports[0].containerPort | Required value',
      ],
    ],
    [
      'variables',
      {
        env: [
          { name: '' },
          { name: 'a=b' },
          { name: 'X', value: 'v', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
          { name: 'Y', valueFrom: { fieldRef: { fieldPath: 'spec.bogus' } } },
          { name: 'Z', valueFrom: { fieldRef: { fieldPath: "metadata.annotations['a b']" } } },
          { name: 'W', valueFrom: { resourceFieldRef: { resource: 'limits.gold' } } },
        ],
      },
      [
        /env\[1\]\.name \| Invalid value: "a=b": a valid environment variable name/,
        'Invalid | spec.containers[0].env[2].valueFrom | Invalid value: "": may not be specified when `value` is not empty',
        'Invalid | spec.containers[0].env[3].valueFrom.fieldRef.fieldPath | Invalid value: "spec.bogus": error converting fieldPath: field label not supported: spec.bogus',
        /env\[4\]\.valueFrom\.fieldRef \| Invalid value: "a b": name part must consist of/,
        /env\[5\]\.valueFrom\.resourceFieldRef\.resource \| Unsupported value: "limits.gold": supported values: "limits.cpu"/,
        'Required | spec.containers[0].env[0].name | Required value',
      ],
    ],
    [
      'mounts',
      {
        volumeMounts: [
          { name: 'nope', mountPath: '/x' },
          { name: 'nope', mountPath: '/x', subPath: '../y' },
        ],
      },
      [
        'Invalid | spec.containers[0].volumeMounts.subPath | Invalid value: "../y": must not contain \'..\'',
        'Invalid | spec.containers[0].volumeMounts[1].mountPath | Invalid value: "/x": must be unique',
        'NotFound | spec.containers[0].volumeMounts[0].name | Not found: "nope"',
        'NotFound | spec.containers[0].volumeMounts[1].name | Not found: "nope"',
      ],
    ],
    [
      'amounts',
      { resources: { requests: { cpu: '2', foo: '1', 'example.com/gpu': '0.5' }, limits: { cpu: '1', 'example.com/gpu': '1' } } },
      [
        'Invalid | spec.containers[0].resources.requests | Invalid value: "2": must be less than or equal to cpu limit of 1',
        'Invalid | spec.containers[0].resources.requests | Invalid value: "500m": must be equal to example.com/gpu limit of 1',
        'Invalid | spec.containers[0].resources.requests[example.com/gpu] | Invalid value: "500m": must be an integer',
        'Invalid | spec.containers[0].resources.requests[foo] | Invalid value: "foo": must be a standard resource for containers',
        'Invalid | spec.containers[0].resources.requests[foo] | Invalid value: "foo": must be a standard resource type or fully qualified',
      ],
    ],
    [
      'probes',
      { livenessProbe: { periodSeconds: -1 }, readinessProbe: { httpGet: { port: 0 }, exec: { command: [] } } },
      [
        'Forbidden | spec.containers[0].readinessProbe.httpGet | Forbidden: may not specify more than 1 handler type',
        'Invalid | spec.containers[0].livenessProbe.periodSeconds | Invalid value: -1: must be greater than or equal to 0',
        'Required | spec.containers[0].livenessProbe | Required value: must specify a handler type',
        'Required | spec.containers[0].readinessProbe.exec.command | Required value',
      ],
    ],
    [
      'hooks',
      { lifecycle: { preStop: {} } },
      ['Required | spec.containers[0].lifecycle.preStop | Required value: must specify a handler type'],
    ],
    [
      'policies',
      { imagePullPolicy: 'Maybe', terminationMessagePolicy: 'X' },
      [
        'NotSupported | spec.containers[0].imagePullPolicy | Unsupported value: "Maybe": supported values: "Always", "IfNotPresent", "Never"',
        'NotSupported | spec.containers[0].terminationMessagePolicy | Unsupported value: "X": supported values: "File", "FallbackToLogsOnError"',
      ],
    ],
  ])('%s of a container', (_, fields, causes) => {
    expect(inContainer(fields)).toEqual(causes.map((cause) => (typeof cause === 'string' ? cause : expect.stringMatching(cause))))
  })
})

describe('updates', () => {
  const pod = { metadata: { labels: { a: 'b' } }, spec: { ...podSpec, nodeName: 'n' } }
  const FORBIDDEN =
    /^Forbidden \| spec \| Forbidden: pod updates may not change fields other than `spec\.containers\[\*\]\.image`/

  test('images, tolerations and labels may change', () => {
    const { causes, object } = update('pods', pod, (p) => {
      p.spec.containers[0].image = 'img:2'
      p.spec.tolerations = [{ key: 'k', operator: 'Exists' }]
      p.spec.activeDeadlineSeconds = 5
      p.metadata.labels = {}
      p.status = { phase: 'Failed' }
    })
    expect(causes).toEqual([])
    expect(object.status.phase).toBe('Pending')
  })
  test.each<[string, (p: { spec: Record<string, unknown> }) => void]>([
    ['node selector', (p) => Object.assign(p.spec, { nodeSelector: { a: 'b' } })],
    ['node', (p) => Object.assign(p.spec, { nodeName: 'other' })],
    ['grace', (p) => Object.assign(p.spec, { terminationGracePeriodSeconds: 1 })],
  ])('the %s may not, and the answer says what changed', (_, change) => {
    const { causes } = update('pods', pod, (p) => change(p as never))
    expect(causes).toEqual([expect.stringMatching(FORBIDDEN)])
    expect(causes[0]).toContain('\n@@ spec.')
  })
  test('containers stay as many as they are', () => {
    expect(update('pods', pod, (p) => p.spec.containers.push({ name: 'd', image: 'x' })).causes).toEqual([
      'Forbidden | spec.containers | Forbidden: pod updates may not add or remove containers',
    ])
  })
  test('gates may go but not come, and a gated pod may be narrowed', () => {
    const gated = { spec: { ...podSpec, schedulingGates: [{ name: 'a.example/b' }] } }
    const ungate = update('pods', gated, (p) => {
      delete p.spec.schedulingGates
      p.spec.nodeSelector = { a: 'b' }
    })
    expect(ungate.causes).toEqual([])
    expect(update('pods', pod, (p) => Object.assign(p.spec, { schedulingGates: [{ name: 'x.example/y' }] })).causes).toEqual([
      "Forbidden | spec.schedulingGates[0].name | Forbidden: only deletion is allowed, but found new scheduling gate 'x.example/y'",
    ])
  })
  test('a status update takes the status and leaves the rest', () => {
    const { object, causes } = updateStatus('pods', pod, (p) => {
      p.spec.nodeName = 'x'
      p.status = { phase: 'Running', podIP: '10.0.0.5' }
    })
    expect(causes).toEqual([])
    expect(object.spec.nodeName).toBe('n')
    expect(object.status).toMatchObject({
      phase: 'Running',
      podIP: '10.0.0.5',
      podIPs: [{ ip: '10.0.0.5' }],
      qosClass: 'BestEffort',
    })
  })
  test('a debug container is added through its own subresource, and stays', () => {
    const subresource = definitionOf('pods').subresources.find((s) => s.name === 'ephemeralcontainers')!.strategy!
    const old = create('pods', pod).object
    const next = structuredClone(old)
    next.spec.ephemeralContainers = [{ name: 'dbg', image: 'x:1', terminationMessagePolicy: 'File', imagePullPolicy: 'Always' }]
    next.spec.nodeName = 'other'
    subresource.prepareForUpdate!(next, old, { now: '' })
    expect(subresource.validateUpdate!(next, old)).toEqual([])
    expect(next.spec.nodeName).toBe('n')
    expect(subresource.validateUpdate!(old, next)).toMatchObject([
      { message: 'Forbidden: existing ephemeral containers "dbg" may not be removed\n' },
    ])
  })
  test('a resize keeps the quality of service', () => {
    const subresource = definitionOf('pods').subresources.find((s) => s.name === 'resize')!.strategy!
    const resources = { limits: { cpu: '2' }, requests: { cpu: '1' } }
    const old = create('pods', { spec: { containers: [{ ...container, resources }] } }).object
    const resized = (change: object) => {
      const next = structuredClone(old)
      Object.assign(next.spec.containers[0].resources, change)
      return subresource.validateUpdate!(next, old).map((e) => e.message)
    }
    expect(resized({ requests: { cpu: '1500m' } })).toEqual([])
    expect(resized({ requests: {}, limits: {} })).toEqual([
      'Invalid value: "Burstable": Pod QOS Class may not change as a result of resizing',
      'Forbidden: resource requests cannot be removed',
      'Forbidden: resource limits cannot be removed',
    ])
    expect(resized({ limits: { cpu: '2', 'example.com/x': '1' } })).toContain(
      'Forbidden: only cpu and memory resources are mutable',
    )
  })
})

describe('deletion', () => {
  const grace = (spec: object, status: object, requested?: number) =>
    definitionOf('pods').strategy.deletionGraceSeconds!(
      { metadata: {}, spec: { nodeName: 'n', terminationGracePeriodSeconds: 7, ...spec }, status },
      requested,
    )
  test.each<[string, number | undefined, number]>([
    ['by the pod', grace({}, {}), 7],
    ['by the caller', grace({}, {}, 3), 3],
    ['negative is one second', grace({}, {}, -1), 1],
    ['none before it is bound', grace({ nodeName: '' }, {}, 60), 0],
    ['none when it has ended', grace({}, { phase: 'Failed' }, 60), 0],
  ])('grace %s', (_, actual, expected) => expect(actual).toBe(expected))
})
