import { describe, expect, test } from 'vitest'
import { scheduleComplaint } from '../../../src/api/kinds/cron-schedule.ts'
import { container, create, definitionOf, selector, template, update, updateStatus } from './write.ts'

const NO_MATCH =
  'Invalid | spec.template.metadata.labels | Invalid value: {"app":"a"}: `selector` does not match template `labels`'

describe('replication controllers', () => {
  test('take selector and labels from the template', () => {
    const { object, causes } = create('replicationcontrollers', { spec: { template } })
    expect(causes).toEqual([])
    expect(object.metadata.labels).toEqual({ app: 'a' })
    expect(object.spec).toMatchObject({ replicas: 1, selector: { app: 'a' } })
    expect(object.spec).not.toHaveProperty('minReadySeconds')
    expect(object.status).toEqual({ replicas: 0 })
  })
  test.each<[string, object, string[]]>([
    ['another selector', { selector: { z: 'z' }, template }, [NO_MATCH]],
    ['no template', { selector: { z: 'z' } }, ['Required | spec.template | Required value']],
    ['nothing', {}, ['Required | spec.selector | Required value', 'Required | spec.template | Required value']],
    [
      'a negative count',
      { replicas: -1, template },
      ['Invalid | spec.replicas | Invalid value: -1: must be greater than or equal to 0'],
    ],
  ])('%s', (_, spec, causes) => expect(create('replicationcontrollers', { spec }).causes).toEqual(causes))
  test('deleting one orphans its pods unless asked otherwise', () => {
    expect(definitionOf('replicationcontrollers').strategy.defaultPropagation).toBe('Orphan')
    expect(definitionOf('replicasets').strategy.defaultPropagation).toBeUndefined()
  })
})

describe.each([
  ['deployments', 'deployment'],
  ['replicasets', 'deployment'],
  ['statefulsets', 'statefulset'],
  ['daemonsets', 'daemonset'],
])('%s', (plural, word) => {
  test.each<[string, object, (string | RegExp)[]]>([
    ['a right one', { selector, template }, []],
    ['another selector', { selector: { matchLabels: { x: 'y' } }, template }, [NO_MATCH]],
    [
      'an empty selector',
      { selector: {}, template },
      [`Invalid | spec.selector | Invalid value: {}: empty selector is invalid for ${word}`],
    ],
    ['no selector', { template }, [NO_MATCH, 'Required | spec.selector | Required value']],
    [
      'pods that end',
      { selector, template: { ...template, spec: { ...template.spec, restartPolicy: 'Never' } } },
      ['NotSupported | spec.template.spec.restartPolicy | Unsupported value: "Never": supported values: "Always"'],
    ],
    [
      'a bogus operator',
      { selector: { matchExpressions: [{ key: 'app', operator: 'Bogus' }] }, template },
      [
        /spec\.selector \| Invalid value: \{"matchExpressions"/,
        'Invalid | spec.selector.matchExpressions[0].operator | Invalid value: "Bogus": not a valid selector operator',
      ],
    ],
    [
      'no containers',
      { selector, template: { ...template, spec: {} } },
      ['Required | spec.template.spec.containers | Required value'],
    ],
    [
      'bad labels',
      { selector, template: { ...template, metadata: { labels: { app: 'a', 'b c': '' } } } },
      [/spec\.template\.labels \| Invalid value: "b c": name part/],
    ],
  ])('%s', (_, spec, causes) => {
    expect(create(plural, { spec }).causes).toEqual(causes.map((c) => (typeof c === 'string' ? c : expect.stringMatching(c))))
  })

  test('the status is the controller’s', () => {
    const { object } = create(plural, { spec: { selector, template }, status: { replicas: 9, observedGeneration: 5 } })
    expect(object.status.observedGeneration).toBeUndefined()
    const changed = updateStatus(plural, { spec: { selector, template } }, (o) => {
      o.spec.minReadySeconds = 5
      o.metadata.labels = { x: 'y' }
      o.status.observedGeneration = 3
    })
    expect(changed.causes).toEqual([])
    expect(changed.object.spec.minReadySeconds).toBeUndefined()
    expect(changed.object.metadata.labels).toBeUndefined()
    expect(changed.object.status.observedGeneration).toBe(3)
  })
})

describe('deployments', () => {
  test('defaults', () => {
    const { spec } = create('deployments', { spec: { selector, template } }).object
    expect(spec).toMatchObject({
      replicas: 1,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' } },
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
    })
    expect(spec.template.spec).not.toHaveProperty('enableServiceLinks')
  })
  test.each<[string, object, string[]]>([
    [
      'recreating is not rolling',
      { strategy: { type: 'Recreate', rollingUpdate: {} } },
      ["Forbidden | spec.strategy.rollingUpdate | Forbidden: may not be specified when strategy `type` is 'Recreate'"],
    ],
    [
      'no room to move',
      { strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: '0%' } } },
      ['Invalid | spec.strategy.rollingUpdate.maxUnavailable | Invalid value: "0%": may not be 0 when `maxSurge` is 0'],
    ],
    [
      'too much of everything',
      { strategy: { rollingUpdate: { maxUnavailable: '200%', maxSurge: 'abc' } } },
      [
        "Invalid | spec.strategy.rollingUpdate.maxSurge | Invalid value: \"abc\": a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
        'Invalid | spec.strategy.rollingUpdate.maxUnavailable | Invalid value: "200%": must not be greater than 100%',
      ],
    ],
    [
      'a deadline that can’t be met',
      { progressDeadlineSeconds: 5, minReadySeconds: 10 },
      ['Invalid | spec.progressDeadlineSeconds | Invalid value: 5: must be greater than minReadySeconds'],
    ],
    [
      'an unknown strategy',
      { strategy: { type: 'Magic' } },
      [
        'NotSupported | spec.strategy | Unsupported value: {"Type":"Magic","RollingUpdate":null}: supported values: "Recreate", "RollingUpdate"',
      ],
    ],
  ])('%s', (_, spec, causes) => expect(create('deployments', { spec: { selector, template, ...spec } }).causes).toEqual(causes))
  test('the selector is for ever', () => {
    const { causes } = update('deployments', { spec: { selector, template } }, (o) => {
      o.spec.selector.matchLabels.app = 'b'
      o.spec.template.metadata.labels.app = 'b'
    })
    expect(causes).toEqual(['Invalid | spec.selector | Invalid value: {"matchLabels":{"app":"b"}}: field is immutable'])
  })
  test('a status that does not add up', () => {
    const { causes } = updateStatus('deployments', { spec: { selector, template } }, (o) => {
      o.status = { replicas: 1, readyReplicas: 2, availableReplicas: 3 }
    })
    expect(causes).toEqual([
      'Invalid | status.availableReplicas | Invalid value: 3: cannot be greater than readyReplicas',
      'Invalid | status.availableReplicas | Invalid value: 3: cannot be greater than status.replicas',
      'Invalid | status.readyReplicas | Invalid value: 2: cannot be greater than status.replicas',
    ])
  })
})

describe('stateful sets', () => {
  test('defaults, also of their claims', () => {
    const claim = {
      metadata: { name: 'v' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    }
    const { spec } = create('statefulsets', {
      spec: { selector, template, serviceName: 's', volumeClaimTemplates: [claim] },
    }).object
    expect(spec).toMatchObject({
      replicas: 1,
      podManagementPolicy: 'OrderedReady',
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
      revisionHistoryLimit: 10,
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
      volumeClaimTemplates: [
        { kind: 'PersistentVolumeClaim', apiVersion: 'v1', spec: { volumeMode: 'Filesystem' }, status: { phase: 'Pending' } },
      ],
    })
  })
  test('containers mount their claims by name, and nothing that is neither claim nor volume', () => {
    const claim = {
      metadata: { name: 'data' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    }
    const mounting = (name: string) => {
      const [container] = template.spec.containers
      const containers = [{ ...container, volumeMounts: [{ name, mountPath: '/data' }] }]
      const spec = { ...template.spec, volumes: [{ name: 'own', emptyDir: {} }], containers }
      return create('statefulsets', { spec: { selector, template: { ...template, spec }, volumeClaimTemplates: [claim] } })
    }
    const { causes, object } = mounting('data')
    expect(causes).toEqual([])
    expect(object.spec?.template.spec.volumes).toEqual([{ name: 'own', emptyDir: {} }])
    expect(mounting('own').causes).toEqual([])
    expect(mounting('other').causes).toEqual([
      'NotFound | spec.template.spec.containers[0].volumeMounts[0].name | Not found: "other"',
    ])
  })
  test('some fields may change, others not', () => {
    const before = { spec: { selector, template, serviceName: 's' } }
    expect(
      update('statefulsets', before, (o) => Object.assign(o.spec, { replicas: 3, updateStrategy: { type: 'OnDelete' } })).causes,
    ).toEqual([])
    expect(update('statefulsets', before, (o) => Object.assign(o.spec, { serviceName: 'other' })).causes).toEqual([
      "Forbidden | spec | Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
    ])
  })
  test('an unknown policy', () => {
    expect(create('statefulsets', { spec: { selector, template, podManagementPolicy: 'X' } }).causes).toEqual([
      "Invalid | spec.podManagementPolicy | Invalid value: \"X\": must be 'OrderedReady' or 'Parallel'",
    ])
  })
})

describe('daemon sets', () => {
  const KEY = 'deprecated.daemonset.template.generation'
  test('count the versions of their template', () => {
    const before = { spec: { selector, template } }
    expect(create('daemonsets', before).object.metadata.annotations).toEqual({ [KEY]: '1' })
    const changed = update('daemonsets', before, (o) => Object.assign(o.spec.template.spec, { nodeSelector: { a: 'b' } }))
    expect(changed.object.metadata.annotations).toEqual({ [KEY]: '2' })
    const same = update('daemonsets', before, (o) => Object.assign(o.spec, { minReadySeconds: 1 }))
    expect(same.object.metadata.annotations).toEqual({ [KEY]: '1' })
  })
  test('surge or unavailable, not both and not neither', () => {
    const causes = (rollingUpdate: object) =>
      create('daemonsets', { spec: { selector, template, updateStrategy: { rollingUpdate } } }).causes
    expect(causes({})).toEqual([])
    expect(causes({ maxSurge: 1, maxUnavailable: 1 })).toEqual([
      'Invalid | spec.updateStrategy.rollingUpdate.maxSurge | Invalid value: 1: may not be set when maxUnavailable is non-zero',
    ])
    expect(causes({ maxSurge: 0, maxUnavailable: 0 })).toEqual([
      'Required | spec.updateStrategy.rollingUpdate.maxUnavailable | Required value: cannot be 0 when maxSurge is 0',
    ])
  })
})

const work = { spec: { restartPolicy: 'Never', containers: [container] } }

describe('jobs', () => {
  test('get a selector that only their pods have', () => {
    const { object, causes } = create('jobs', { metadata: { name: 'j' }, spec: { template: work } })
    const labels = {
      'batch.kubernetes.io/controller-uid': 'uid-1',
      'batch.kubernetes.io/job-name': 'j',
      'controller-uid': 'uid-1',
      'job-name': 'j',
    }
    expect(causes).toEqual([])
    expect(object.metadata.labels).toEqual(labels)
    expect(object.spec).toMatchObject({
      parallelism: 1,
      completions: 1,
      backoffLimit: 6,
      completionMode: 'NonIndexed',
      suspend: false,
      manualSelector: false,
      podReplacementPolicy: 'TerminatingOrFailed',
      selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': 'uid-1' } },
      template: { metadata: { labels } },
    })
  })
  test.each<[string, object, string[]]>([
    [
      'pods that never end',
      { template: { spec: { containers: [container] } } },
      ['Required | spec.template.spec.restartPolicy | Required value: valid values: "OnFailure", "Never"'],
    ],
    [
      'negative counts',
      { template: work, completions: -1, parallelism: -1, backoffLimit: -1 },
      ['backoffLimit', 'completions', 'parallelism'].map(
        (f) => `Invalid | spec.${f} | Invalid value: -1: must be greater than or equal to 0`,
      ),
    ],
    [
      'an index needs an end',
      { template: work, completionMode: 'Indexed', parallelism: 2 },
      ['Required | spec.completions | Required value: when completion mode is Indexed'],
    ],
    [
      'a limit by index needs indexes',
      { template: work, backoffLimitPerIndex: 1 },
      ['Invalid | spec.backoffLimitPerIndex | Invalid value: 1: requires indexed completion mode'],
    ],
    [
      'a failure policy needs pods that stay down',
      {
        template: { spec: { ...work.spec, restartPolicy: 'OnFailure' } },
        podFailurePolicy: { rules: [{ action: 'Ignore', onPodConditions: [{ type: 'X' }] }] },
      },
      [
        'Invalid | spec.template.spec.restartPolicy | Invalid value: "OnFailure": only "Never" is supported when podFailurePolicy is specified',
      ],
    ],
  ])('%s', (_, spec, causes) => expect(create('jobs', { spec }).causes).toEqual(causes))
  test('little may change', () => {
    const before = { spec: { template: work } }
    expect(update('jobs', before, (o) => Object.assign(o.spec, { parallelism: 3, suspend: true })).causes).toEqual([])
    expect(update('jobs', before, (o) => Object.assign(o.spec, { completions: 5 })).causes).toEqual([
      'Invalid | spec.completions | Invalid value: 5: field is immutable',
    ])
    const [template] = update('jobs', before, (o) => Object.assign(o.spec.template.spec.containers[0], { image: 'new' })).causes
    expect(template).toMatch(/^Invalid \| spec\.template \| Invalid value: .*: field is immutable$/)
  })
  test('a suspended job that never ran may be placed elsewhere', () => {
    const before = { spec: { template: work, suspend: true } }
    expect(update('jobs', before, (o) => Object.assign(o.spec.template.spec, { nodeSelector: { a: 'b' } })).causes).toEqual([])
  })
})

describe('cron jobs', () => {
  const spec = { schedule: '*/5 * * * *', jobTemplate: { spec: { template: work } } }
  test('defaults reach the template of the template', () => {
    const { object, causes } = create('cronjobs', { spec })
    expect(causes).toEqual([])
    expect(object.spec).toMatchObject({
      concurrencyPolicy: 'Allow',
      suspend: false,
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 1,
      jobTemplate: { metadata: {}, spec: { template: { metadata: {}, spec: { dnsPolicy: 'ClusterFirst' } } } },
    })
    expect(object.spec.jobTemplate.spec.parallelism).toBeUndefined()
  })
  test.each<[string, object, string[]]>([
    ['no schedule', { schedule: '' }, ['Required | spec.schedule | Required value']],
    [
      'words',
      { schedule: 'every day' },
      ['Invalid | spec.schedule | Invalid value: "every day": expected exactly 5 fields, found 2: [every day]'],
    ],
    [
      'another planet',
      { timeZone: 'Mars/Base' },
      ['Invalid | spec.timeZone | Invalid value: "Mars/Base": unknown time zone Mars/Base'],
    ],
    ['a known zone', { timeZone: 'Europe/Berlin' }, []],
    [
      'a zone in the schedule',
      { schedule: 'TZ=UTC 0 0 * * *' },
      [
        'Invalid | spec.schedule | Invalid value: "TZ=UTC 0 0 * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead',
      ],
    ],
    [
      'an unknown policy',
      { concurrencyPolicy: 'Sometimes' },
      ['NotSupported | spec.concurrencyPolicy | Unsupported value: "Sometimes": supported values: "Allow", "Forbid", "Replace"'],
    ],
  ])('%s', (_, change, causes) => expect(create('cronjobs', { spec: { ...spec, ...change } }).causes).toEqual(causes))
  test('names leave room for the names of jobs', () => {
    expect(create('cronjobs', { metadata: { name: 'x'.repeat(53) }, spec }).causes[0]).toMatch(
      /must be no more than 52 characters$/,
    )
  })
})

describe('schedules', () => {
  test.each(['* * * * *', '@daily', '@every 1h30m', '0 0 1 jan mon', '1-5/2,7 */3 ? * 0-6', '59 23 31 12 6'])(
    '%s is one',
    (text) => {
      expect(scheduleComplaint(text)).toBeUndefined()
    },
  )
  test.each([
    ['60 * * * *', 'end of range (60) above maximum (59): 60'],
    ['* * 0 * *', 'beginning of range (0) below minimum (1): 0'],
    ['5-1 * * * *', 'beginning of range (5) beyond end of range (1): 5-1'],
    ['*/0 * * * *', 'step of range should be a positive number: */0'],
    ['a * * * *', 'failed to parse int from a: strconv.Atoi: parsing "a": invalid syntax'],
    ['1-2-3 * * * *', 'too many hyphens: 1-2-3'],
    ['1/2/3 * * * *', 'too many slashes: 1/2/3'],
    ['@sometimes', 'unrecognized descriptor: @sometimes'],
    ['@every x', 'failed to parse duration @every x: time: invalid duration "x"'],
  ])('%s: %s', (text, complaint) => expect(scheduleComplaint(text)).toBe(complaint))
})

test('a stateful set names its service by a label, which is looked at when it is made', () => {
  const { causes } = create('statefulsets', { spec: { selector, template, serviceName: 'a.b' } })
  expect(causes).toEqual(['Invalid | spec.serviceName | Invalid value: "a.b": must not contain dots'])
})
