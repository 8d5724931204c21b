/** `skiff why` against a cluster with simulated pods: chains through Services, workloads, jobs and addresses to what holds them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { KubeObject } from '../../src/api/object.ts'
import type { Cause } from '../../src/cli/why/cause.ts'
import type { ResourceRef } from '../../src/client/client.ts'
import {
  configMaps,
  deployments,
  jobs,
  persistentVolumeClaims,
  pods,
  services,
  statefulSets,
} from '../../src/client/resources.ts'
import type { Cluster } from '../../src/cluster.ts'
import { startTestCluster } from '../../src/testing.ts'
import { until } from '../controllers/until.ts'
import { start } from './command-line.ts'

const IN = { namespace: 'default' }
let cluster: Cluster
let directory: string
const why = (...args: string[]) => start(['why', ...args], { env: { KUBECONFIG: join(directory, 'config') } }).done
const make = (resource: ResourceRef<never>, object: object) => cluster.client.create(resource as ResourceRef<object>, object)
/** Asks until the answer is as wanted; controllers and the simulated node take their time. */
const says = (name: string, ...lines: RegExp[]) =>
  until(async () => {
    const { out, code, err } = await why(name)
    expect(err).toBe('')
    const said = out.trimEnd().split('\n')
    for (const [index, line] of lines.entries()) expect(said[index]).toMatch(line)
    expect(said).toHaveLength(lines.length)
    expect(code).toBe(3)
  })

const SINCE = String.raw`, for \d+s \(since \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\)$`
const line = (text: string) => new RegExp(`^${text}${SINCE}`)

function templateOf(app: string, annotations: Record<string, string>) {
  return { metadata: { labels: { app }, annotations }, spec: { containers: [{ name: 'c', image: 'app:v1' }] } }
}
const deploy = (name: string, annotations: Record<string, string> = {}) =>
  make(deployments as never, {
    metadata: { name, ...IN },
    spec: { selector: { matchLabels: { app: name } }, template: templateOf(name, annotations) },
  })
const serve = (name: string) =>
  make(services as never, { metadata: { name, ...IN }, spec: { selector: { app: name }, ports: [{ port: 80 }] } })
const requires = (text: string) => ({ 'skiff.dev/requires': text })

beforeAll(async () => {
  cluster = await startTestCluster()
  directory = mkdtempSync(join(tmpdir(), 'skiff-why-'))
  writeFileSync(join(directory, 'config'), cluster.kubeconfig())
}, 60_000)
afterAll(async () => {
  await cluster.stop()
  rmSync(directory, { recursive: true, force: true })
})

describe('skiff why', () => {
  it('follows a chain of Services to the pod that does not get ready', async () => {
    await deploy('db', { 'simulated.skiff.dev/start-error': 'no such program' })
    await serve('db')
    await deploy('auth', requires('- service/db'))
    await serve('auth')
    await deploy('front', requires('- service/auth\n- configmap/settings\n- tcp://db:80'))
    await says(
      'front',
      line('deployment/front: not Available: .*'),
      line('  pod/front-.*: it waits for what it requires'),
      line('    service/auth: it has no ready endpoint'),
      line('      pod/auth-.*: it waits for what it requires'),
      line('        service/db: it has no ready endpoint'),
      line('          pod/db-.*: container c: .*no such program.*'),
      line('    configmap/settings: there is none'),
      line('    tcp://db:80: .*'),
      /^ {6}service\/db: it has no ready endpoint \(see above\)$/,
      /^root cause: pod\/db-.*no such program/,
      /^root cause: configmap\/settings: there is none$/,
    )
    await make(configMaps as never, { metadata: { name: 'settings', ...IN } })
    const { out } = await why('front', '-o', 'json')
    const { waits, causes, rootCauses } = JSON.parse(out) as { waits: boolean; causes: Cause[]; rootCauses: Cause[] }
    expect(waits).toBe(true)
    expect(causes).toMatchObject([
      { subject: 'deployment/front', behind: [{ behind: [{ subject: 'service/auth' }, { subject: 'tcp://db:80' }] }] },
    ])
    expect(rootCauses.map(({ subject }) => subject.replace(/-.*/, ''))).toEqual(['pod/db'])
  })

  it('names what is missing, suspended, scaled to zero or lies elsewhere', async () => {
    await make(statefulSets as never, {
      metadata: { name: 'zero', ...IN },
      spec: { serviceName: 'zero', replicas: 0, selector: { matchLabels: { app: 'zero' } }, template: templateOf('zero', {}) },
    })
    await serve('lost')
    const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'app:v1' }] } }
    await make(jobs as never, { metadata: { name: 'migrate', ...IN }, spec: { suspend: true, template } })
    const text =
      '- statefulset/zero\n- service/lost\n- job/migrate\n- gadget/x\n- namespace/nowhere\n- configmap/kube-root-ca.crt'
    const metadata = { name: 'many', ...IN, annotations: requires(text) }
    await make(pods as never, { metadata, spec: templateOf('many', {}).spec })
    await says(
      'pod/many',
      line('pod/many: it waits for what it requires'),
      line('  statefulset/zero: it is scaled to zero'),
      line('  service/lost: it has no ready endpoint; there is no pod with app=lost'),
      line('  job/migrate: not Complete yet; it is suspended'),
      line('  gadget/x: the cluster serves no kind "gadget"'),
      line('  namespace/nowhere: there is none'),
      ...['statefulset/zero', 'service/lost', 'job/migrate', 'gadget/x', 'namespace/nowhere'].map(
        (root) => new RegExp(`^root cause: ${root}: `),
      ),
    )
  })

  it('tells of a pod that requires nothing what its status says', async () => {
    await make(pods as never, {
      metadata: { name: 'big', ...IN },
      spec: { containers: [{ name: 'c', image: 'app:v1', resources: { requests: { cpu: '9k' } } }] },
    })
    await says('big', line('pod/big: no node takes it: Unschedulable: .*[Ii]nsufficient cpu.*'))
    await make(pods as never, {
      metadata: { name: 'gated', ...IN },
      spec: { schedulingGates: [{ name: 'example.com/later' }], containers: [{ name: 'c', image: 'app:v1' }] },
    })
    await says('gated', line('pod/gated: it is held by the scheduling gate example.com/later'))
    await make(pods as never, {
      metadata: {
        name: 'ended',
        ...IN,
        annotations: { 'simulated.skiff.dev/exit-code': '7' },
      },
      spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'app:v1' }] },
    })
    await says('ended', line('pod/ended: it failed: container c ended with exit code 7'))
  })

  it('goes on to claims that are not bound, and says why pods cannot be made', async () => {
    await make(persistentVolumeClaims as never, {
      metadata: { name: 'data', ...IN },
      spec: { storageClassName: '', accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    })
    const volumes = [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }]
    await make(pods as never, { metadata: { name: 'stored', ...IN }, spec: { ...templateOf('stored', {}).spec, volumes } })
    await says(
      'stored',
      line('pod/stored: .*'),
      line('  persistentvolumeclaim/data: its phase is Pending, not Bound.*'),
      /^root cause: persistentvolumeclaim\/data: its phase is Pending, not Bound/,
    )
    const spec = { ...templateOf('lonely', {}).spec, serviceAccountName: 'nobody' }
    const template = { ...templateOf('lonely', {}), spec }
    const selector = { matchLabels: { app: 'lonely' } }
    await make(deployments as never, { metadata: { name: 'lonely', ...IN }, spec: { selector, template } })
    await says('deploy/lonely', line('deployment/lonely: its pods cannot be made: .*"nobody" not found'))
    await make(statefulSets as never, {
      metadata: { name: 'lonely', ...IN },
      spec: { serviceName: 'lonely', selector, template },
    })
    await says(
      'sts/lonely',
      line(String.raw`statefulset/lonely: 0 of 1 are ready; it has no pods \(FailedCreate: .*"nobody" not found.*`),
    )
    await serve('unselected')
    await says('unselected', line('service/unselected: it has no ready endpoint; there is no pod with app=unselected'))
  })

  it('ends at a circle, and names it', async () => {
    const held = (name: string, other: string): KubeObject => ({
      metadata: { name, ...IN, labels: { ring: name }, annotations: requires(`- pod[ring=${other}]`) },
      spec: { containers: [{ name: 'c', image: 'app:v1' }] },
    })
    await make(pods as never, held('ring-a', 'ring-b'))
    await make(pods as never, held('ring-b', 'late'))
    // Admission has seen no circle: a label closes it.
    await cluster.client.patch(pods, 'ring-a', 'merge', { metadata: { labels: { ring: 'late' } } }, IN)
    await says(
      'ring-a',
      line('pod/ring-a: it waits for what it requires'),
      line(String.raw`  pod\[ring=ring-b\]: ring-b: not Ready.*`),
      line('    pod/ring-b: it waits for what it requires'),
      line(String.raw`      pod\[ring=late\]: ring-a: not Ready.*`),
      line('        pod/ring-a: it waits for itself'),
      /^root cause: pod\/ring-a: it waits for itself$/,
    )
  })

  it('answers 0 when nothing waits, and one line for what is not there', async () => {
    await deploy('fine', requires('- configmap/kube-root-ca.crt'))
    await until(async () => expect(await why('fine')).toEqual({ code: 0, out: 'deployment/fine: nothing waits\n', err: '' }))
    expect(JSON.parse((await why('fine', '-o', 'json')).out)).toEqual({ waits: false, causes: [], rootCauses: [] })
    expect(await why('nobody')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^error: nothing in namespace default is named "nobody".*\n$/),
    })
    expect(await why('fine', '-o', 'yaml')).toMatchObject({ code: 1, err: 'error: -o yaml is not known here, only json\n' })
    expect((await why('--help')).out).toContain('skiff why web')
  })
})
