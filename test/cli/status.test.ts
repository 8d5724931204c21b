/** `skiff status NAME`: against a cluster with simulated pods, and its parts that decide. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { KubeObject } from '../../src/api/object.ts'
import type { EndpointSlice, Event, Pod, Service } from '../../src/api/types.ts'
import { eventsIn } from '../../src/cli/status/events.ts'
import type { Facts } from '../../src/cli/status/facts.ts'
import { judge } from '../../src/cli/status/judge.ts'
import { reportLines } from '../../src/cli/status/lines.ts'
import { crashesOf } from '../../src/cli/status/pods.ts'
import type { PodReport, Report } from '../../src/cli/status/report.ts'
import { notWell } from '../../src/cli/why/pod-reason.ts'
import type { DiscoveredResource } from '../../src/client/discovery.ts'
import type { Cluster } from '../../src/cluster.ts'
import { startTestCluster } from '../../src/testing.ts'
import { until } from '../controllers/until.ts'
import { start } from './command-line.ts'

let cluster: Cluster
let directory: string
const skiff = (args: string[], more: object = {}) => start(args, { env: { KUBECONFIG: join(directory, 'config') }, ...more }).done
const status = (...args: string[]) => skiff(['status', ...args])
/** Asks until the answer is as wanted; controllers and the simulated node take their time. */
const says = (words: string[], code: number, ...lines: (string | RegExp)[]) =>
  until(async () => {
    const answer = await status(...words)
    expect(answer.err).toBe('')
    const said = answer.out.trimEnd().split('\n')
    for (const [index, line] of lines.entries())
      expect(said[index]).toEqual(typeof line === 'string' ? line : expect.stringMatching(line))
    expect(answer.code).toBe(code)
  })
const apply = async (...objects: object[]) => {
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects })
  expect(await skiff(['apply', '-f', '-'], { input })).toMatchObject({ code: 0, err: '' })
}
const workload = (kind: string, name: string, replicas: number, more: object = {}, annotations: object = {}) => ({
  ...{ apiVersion: 'apps/v1', kind, metadata: { name } },
  spec: {
    ...{ replicas, selector: { matchLabels: { app: name } }, ...more },
    template: { metadata: { labels: { app: name }, annotations }, spec: { containers: [{ name: 'c', image: 'web:v1' }] } },
  },
})
const service = (name: string) => ({
  ...{ apiVersion: 'v1', kind: 'Service', metadata: { name } },
  spec: { selector: { app: name }, ports: [{ port: 80 }] },
})

beforeAll(async () => {
  cluster = await startTestCluster()
  directory = mkdtempSync(join(tmpdir(), 'skiff-status-'))
  writeFileSync(join(directory, 'config'), cluster.kubeconfig())
}, 60_000)
afterAll(async () => {
  await cluster.stop()
  rmSync(directory, { recursive: true, force: true })
})

describe('skiff status', () => {
  it('says that a workload works, with what is in front of it', async () => {
    await apply(workload('Deployment', 'web', 2), service('web'))
    await says(
      ['web'],
      0,
      'deployment/web works: 2 of 2 ready',
      '  replicas  2 of 2 ready, 2 updated, 2 available',
      '  rollout   complete',
      /^ {2}services {2}service\/web: ClusterIP [\d.]+:80, 2 of 2 endpoints ready$/,
    )
    await says(['service/web'], 0, 'service/web works: 2 of 2 endpoints ready')
    const { works, objects } = JSON.parse((await status('web', '-o', 'json')).out) as { works: boolean; objects: Report[] }
    expect(works).toBe(true)
    expect(objects).toMatchObject([
      {
        ...{ kind: 'Deployment', name: 'web', namespace: 'default', verdict: 'works', rootCauses: [] },
        ...{ replicas: { wanted: 2, ready: 2 }, pods: { all: 2, notWell: [] }, services: [{ name: 'web', ready: 2 }] },
      },
    ])
  })

  it('begins with the root cause', async () => {
    await apply(workload('Deployment', 'db', 1, {}, { 'simulated.skiff.dev/start-error': 'no such program' }), service('db'))
    await says(
      ['db'],
      3,
      /^deployment\/db does not work: pod\/db-\S+: container c: .*no such program/,
      /^ {2}replicas {2}0 of 1 ready/,
    )
    await apply(workload('Deployment', 'front', 1, {}, { 'skiff.dev/requires': '- service/db' }))
    await says(['front'], 3, /^deployment\/front does not work: pod\/db-\S+: container c: .*no such program/)
    await says(['service/db'], 3, /^service\/db does not work: pod\/db-\S+: container c: .*no such program/)
  })

  it('knows what cannot be made, what is stopped and what only exists', async () => {
    const lonely = workload('StatefulSet', 'lonely', 1, { serviceName: 'lonely' })
    const { template } = lonely.spec
    await apply({
      ...lonely,
      spec: { ...lonely.spec, template: { ...template, spec: { ...template.spec, serviceAccountName: 'nobody' } } },
    })
    await says(['lonely'], 3, /^statefulset\/lonely does not work: .*it has no pods \(FailedCreate: .*"nobody" not found/)
    await apply(workload('Deployment', 'zero', 0), service('zero'))
    await says(
      ['deploy/zero'],
      3,
      'deployment/zero is stopped: it is scaled to zero',
      /^ {2}services {2}service\/zero: .* 0 of 0 endpoints ready$/,
    )
    await says(['service/zero'], 3, 'service/zero does not work: it has no ready endpoint; there is no pod with app=zero')
    await apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings' } })
    await says(['settings'], 0, /^configmap\/settings works/)
    await says(['namespace/default'], 0, 'namespace/default works: Active')
    await says(['nodes'], 0, /^node\/\S+ works: it is ready$/)
    await apply({
      ...{ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'data' } },
      spec: { storageClassName: '', accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    })
    await says(['data'], 3, /^persistentvolumeclaim\/data does not work: its phase is Pending, not Bound/)
  })

  it('knows jobs, and what makes them', async () => {
    const template = (annotations: object) => ({
      metadata: { annotations },
      spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'web:v1' }] },
    })
    const job = (name: string, annotations: object, more: object = {}) => ({
      ...{ apiVersion: 'batch/v1', kind: 'Job', metadata: { name } },
      spec: { backoffLimit: 0, template: template(annotations), ...more },
    })
    await apply(
      job('once', { 'simulated.skiff.dev/exit-code': '0' }),
      job('fails', { 'simulated.skiff.dev/exit-code': '7' }),
      job('later', {}, { suspend: true }),
      {
        ...{ apiVersion: 'batch/v1', kind: 'CronJob', metadata: { name: 'nightly' } },
        spec: { schedule: '0 3 * * *', jobTemplate: { spec: { template: template({}) } } },
      },
    )
    await says(['once'], 0, 'job/once works: it is complete', '  pods      0 of 1 ready, 1 done')
    await says(['fails'], 3, /^job\/fails does not work: it failed: .*container c ended with exit code 7/)
    await says(['later'], 3, 'job/later is stopped: it is suspended')
    await says(['nightly'], 0, 'cronjob/nightly works: schedule "0 3 * * *", has not run to its end yet')
    await says(['once', 'fails'], 3, 'job/once works: it is complete')
  })

  it('knows a rollout that is under way', async () => {
    await apply(workload('Deployment', 'rolled', 1))
    await says(['rolled'], 0, 'deployment/rolled works: 1 of 1 ready')
    const broken = { 'simulated.skiff.dev/start-error': 'no such program' }
    await apply(workload('Deployment', 'rolled', 1, {}, broken))
    await says(
      ['rolled'],
      3,
      /^deployment\/rolled works in part: pod\/rolled-\S+: container c: .*no such program/,
      '  replicas  1 of 1 ready, 1 updated, 1 available',
      '  rollout   under way; "skiff rollback deployment/rolled" goes back',
      '  pods      1 of 2 ready',
      /^ {12}pod\/rolled-\S+: container c: .*no such program/,
    )
  })

  it('says in one line what is wrong with the question', async () => {
    expect(await status('wbe')).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringMatching(/is named "wbe"; near: .*deployment\/web/),
    })
    expect(await status('deploy', '-l', 'app=none')).toMatchObject({
      code: 1,
      err: 'error: No resources found in default namespace.\n',
    })
    expect(await status('web', '--data-dir', '/nowhere')).toMatchObject({ code: 1, err: expect.stringContaining('--data-dir') })
    expect(await status('-A')).toMatchObject({
      code: 1,
      err: 'error: selectors choose among objects: a kind or names are needed\n',
    })
    expect(await status('web', '-o', 'yaml')).toMatchObject({ code: 1, err: expect.stringContaining('Allowed choices are json') })
    expect((await status('--help')).out).toContain('skiff status web')
  })
})

const resource = (kind: string, group = ''): DiscoveredResource => ({
  ...{ group, version: 'v1', plural: `${kind.toLowerCase()}s`, kind, namespaced: true, singular: kind.toLowerCase() },
  ...{ shortNames: [], categories: [], verbs: [], subresources: [] },
})
const judged = (object: KubeObject, more: Partial<Facts> = {}) => {
  const facts = { resource: resource(object.kind ?? ''), object, pods: [], jobs: [], services: [], warnings: [], ...more }
  const { verdict, why } = judge(facts, undefined, 0)
  return `${verdict}: ${why}`
}
const ready = { type: 'Ready', status: 'True' }

describe('whether an object works', () => {
  it('is what its conditions say, of nodes and of kinds that nobody knows', () => {
    const of = (kind: string, conditions: object[], spec = {}) =>
      judged({ kind, metadata: { name: 'x' }, spec, status: { conditions } })
    expect(of('Node', [ready])).toBe('works: it is ready')
    expect(of('Node', [ready], { unschedulable: true })).toMatch(/^partly: it is cordoned/)
    expect(of('Node', [ready, { type: 'DiskPressure', status: 'True', message: 'full' }])).toBe('partly: DiskPressure: full')
    expect(of('Node', [{ type: 'Ready', status: 'Unknown', message: 'silent' }])).toBe('broken: it is not ready: silent')
    expect(of('Gadget', [ready])).toBe('works: Ready')
    expect(of('Gadget', [{ type: 'Available', status: 'False', reason: 'NoDisk' }])).toBe('broken: not Available: NoDisk')
    expect(of('Gadget', [])).toMatch(/^works: it is there/)
  })

  it('is for a Service that something behind it is ready', () => {
    const object = { kind: 'Service', metadata: { name: 'web' }, spec: { selector: { app: 'web' } } }
    const slice = (...readies: boolean[]): EndpointSlice => ({
      ...{ metadata: { name: 'web-1' }, addressType: 'IPv4' },
      endpoints: readies.map((each, index) => ({ addresses: [`10.0.0.${index}`], conditions: { ready: each } })),
    })
    const behind = (...slices: EndpointSlice[]) => ({ services: [{ service: object as Service, slices }] })
    expect(judged(object, behind(slice(true, true)))).toBe('works: 2 of 2 endpoints ready')
    expect(judged(object, behind(slice(true, false)))).toBe('partly: 1 of 2 endpoints ready')
    expect(judged(object, behind())).toBe('broken: it has no ready endpoint')
    const balanced = { ...object, spec: { ...object.spec, type: 'LoadBalancer' } }
    expect(judged(balanced, behind(slice(true)))).toBe('partly: no load balancer has given it an address')
  })

  it('is for what replicas roll that it is done', () => {
    const roll = (phase: string, settings = {}) => ({
      kind: 'ReplicationController',
      metadata: {
        name: 'web-1',
        annotations: {
          ...{ 'skiff.dev/partner': 'web-2', 'skiff.dev/roll-id': 'x', 'skiff.dev/original-replicas': '1' },
          ...{ 'skiff.dev/desired-replicas': '1', 'skiff.dev/phase': phase, 'skiff.dev/roll': JSON.stringify(settings) },
        },
      },
      ...{ spec: { replicas: 1 }, status: { replicas: 1, availableReplicas: 1 } },
    })
    const pods = [{ metadata: { name: 'web-1-a' }, status: { conditions: [ready] } } as unknown as Pod]
    expect(judged(roll('Complete'), { pods })).toBe('works: 1 of 1 ready')
    expect(judged(roll('Rolling'), { pods })).toMatch(/^partly: its rollout is under way/)
    expect(judged(roll('Paused'), { pods })).toMatch(/^partly: its rollout is paused/)
    expect(judged(roll('Paused', { canary: 1 }), { pods })).toMatch(/^partly: a canary runs/)
  })
})

describe('warnings', () => {
  const warning = (pod: string, reason: string, message: string, at: string): Event => ({
    ...{ metadata: { name: `${pod}.${at}` }, involvedObject: { kind: 'Pod', name: pod, uid: pod }, type: 'Warning' },
    ...{ reason, message, count: 2, lastTimestamp: at },
  })
  const at = (second: number) => `2026-01-01T00:00:0${second}Z`
  const inPod = (name: string) => `Back-off restarting c in pod ${name}_default(00000000-0000-4000-8000-000000000000)`

  it('say the same once, and nothing of what is over', () => {
    const pods = [
      { metadata: { name: 'web-1', uid: 'web-1' }, status: { conditions: [{ ...ready, lastTransitionTime: at(5) }] } },
      { metadata: { name: 'web-2', uid: 'web-2' }, status: {} },
    ] as unknown as Pod[]
    const warnings = [
      warning('web-1', 'Unhealthy', 'no answer', at(9)),
      warning('web-3', 'BackOff', inPod('web-3'), at(8)),
      warning('web-2', 'BackOff', inPod('web-2'), at(7)),
      warning('web-1', 'BackOff', inPod('web-1'), at(4)),
      warning('web-2', 'Failed', 'web-2 is lost', at(3)),
    ]
    expect(eventsIn(warnings, pods)).toEqual([
      { object: 'pod/web-1', reason: 'Unhealthy', message: 'no answer', at: at(9), count: 2 },
      { object: 'pod/web-3', others: 1, reason: 'BackOff', message: 'Back-off restarting c', at: at(8), count: 4 },
      { object: 'pod/web-2', reason: 'Failed', message: 'web-2 is lost', at: at(3), count: 2 },
    ])
  })
})

describe('pods that are not well', () => {
  const pod = (name: string, state: object, more: object = {}): Pod =>
    ({
      ...{ metadata: { name }, spec: { containers: [{ name: 'c' }] } },
      status: { phase: 'Running', containerStatuses: [{ name: 'c', ready: false, restartCount: 2, ...state }], ...more },
    }) as unknown as Pod
  const terminated = { exitCode: 3, reason: 'Error', finishedAt: '2026-01-01T00:00:00Z' }

  it('are those whose containers crashed, with where their log is', () => {
    const waiting = pod('a', { state: { waiting: { reason: 'CrashLoopBackOff' } }, lastState: { terminated } })
    expect(crashesOf(waiting)).toMatchObject([{ container: 'c', exitCode: 3, restarts: 2, isPrevious: false }])
    const running = pod('b', { state: { running: {} }, lastState: { terminated } })
    expect(crashesOf(running)).toMatchObject([{ isPrevious: true }])
    expect(crashesOf(pod('c', { ready: true, lastState: { terminated } }))).toEqual([])
    const failed = pod('d', { state: { terminated } }, { phase: 'Failed' })
    expect(notWell([failed, waiting]).map(({ metadata }) => metadata.name)).toEqual(['a'])
    expect(notWell([failed])).toEqual([failed])
  })

  it('are told together where they ail from the same', () => {
    const report = (pods: PodReport[]): Report => ({
      ...{ handle: 'deployment/web', apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', namespace: 'default' },
      ...{ verdict: 'broken', why: 'x.', rootCauses: [], causes: [], pods: { all: 9, ready: 0, done: 0, notWell: pods } },
      events: [{ object: 'pod/web-1', reason: 'BackOff', message: 'Back-off restarting', count: 3, at: '2026-01-01T00:00:00Z' }],
    })
    const crash = { container: 'c', exitCode: 3, restarts: 1, lastLines: ['cannot open', 'app.conf'] }
    const one = (name: string) => ({ name, why: `pod ${name} crashed.`, since: '2026-01-01T00:00:00Z', crashes: [crash] })
    const nowMs = Date.parse('2026-01-01T00:01:00Z')
    expect(
      reportLines(report(['web-1', 'web-2', 'web-3', 'web-4', 'web-5'].map(one)), { nowMs, namespace: 'default', colors: false }),
    ).toEqual([
      'deployment/web does not work: x.',
      '  pods      0 of 9 ready',
      '            pod/web-1: pod web-1 crashed, for 60s',
      '              container c ended with exit code 3, restarted once; it last wrote',
      '              | cannot open',
      '              | app.conf',
      '              likewise web-2, web-3, web-4 and 1 more',
    ])
    expect(reportLines(report([]), { nowMs, namespace: 'other', colors: true })).toEqual([
      'deployment/web (in default) \x1b[31mdoes not work\x1b[0m: x.',
      '  pods      0 of 9 ready',
      '  warnings  60s ago pod/web-1 BackOff (x3): Back-off restarting',
    ])
  })
})
