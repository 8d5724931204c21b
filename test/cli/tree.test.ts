/** `skiff tree`: against a cluster with simulated pods, and its parts that decide. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { dump, load } from 'js-yaml'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { KubeObject } from '../../src/api/object.ts'
import type { Candidate } from '../../src/cli/names/candidate.ts'
import { type TreeLook, treeLines } from '../../src/cli/tree/lines.ts'
import type { TreeNode } from '../../src/cli/tree/plan.ts'
import { labelsOf } from '../../src/cli/tree/read.ts'
import { containerState, type Health, stateOf } from '../../src/cli/tree/state.ts'
import { usesOf } from '../../src/cli/tree/uses.ts'
import type { DiscoveredResource } from '../../src/client/discovery.ts'
import { serviceAccounts } from '../../src/client/resources.ts'
import type { Cluster } from '../../src/cluster.ts'
import { startTestCluster } from '../../src/testing.ts'
import { until } from '../controllers/until.ts'
import { start } from './command-line.ts'

const SHOP = `
kind: Deployment
apiVersion: apps/v1
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      serviceAccountName: shop
      containers: [{name: c, image: 'web:v1', envFrom: [{configMapRef: {name: settings}}, {secretRef: {name: login, optional: true}}]}]
---
kind: StatefulSet
apiVersion: apps/v1
metadata: {name: db}
spec:
  replicas: 1
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: c, image: 'db:v1', volumeMounts: [{name: data, mountPath: /data}]}]}
  volumeClaimTemplates:
  - {metadata: {name: data}, spec: {storageClassName: '', accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}
---
{kind: Service, apiVersion: v1, metadata: {name: web}, spec: {selector: {app: web}, ports: [{port: 80}]}}
---
{kind: Service, apiVersion: v1, metadata: {name: lost}, spec: {selector: {app: lost}, ports: [{port: 80}]}}
---
{kind: ConfigMap, apiVersion: v1, metadata: {name: settings}}
---
{kind: ServiceAccount, apiVersion: v1, metadata: {name: shop}}
---
{kind: NetworkPolicy, apiVersion: networking.k8s.io/v1, metadata: {name: closed}, spec: {podSelector: {}}}
---
{kind: PodDisruptionBudget, apiVersion: policy/v1, metadata: {name: web}, spec: {maxUnavailable: 1, selector: {matchLabels: {app: web}}}}
---
kind: HorizontalPodAutoscaler
apiVersion: autoscaling/v2
metadata: {name: web}
spec: {maxReplicas: 4, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}
---
kind: Ingress
apiVersion: networking.k8s.io/v1
metadata: {name: shop}
spec:
  tls: [{secretName: certificate}]
  rules: [{host: shop.example.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]
`

let cluster: Cluster
let directory: string
const skiff = (args: string[], more: object = {}) => start(args, { env: { KUBECONFIG: join(directory, 'config') }, ...more }).done
const tree = (...args: string[]) => skiff(['tree', ...args])
/** Without ages and gaps, and with the generated parts of names as `*`. */
const plainly = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) =>
      line
        .replaceAll(/-[a-z0-9]{8,10}(-[a-z0-9]{5})?\b/g, '-*')
        .replaceAll(/(endpointslice\/\w+)-[a-z0-9]{5}\b/g, '$1-*')
        .replaceAll(/(?<=[^│\s]) {2,}/g, ' ')
        .replaceAll(/ (\d+[smh])+(?= |$)/g, '')
        .replaceAll(/10\.\d+\.\d+\.\d+/g, 'IP')
        .trimEnd(),
    )
const shows = (words: string[], lines: unknown[]) =>
  until(async () => {
    const { out, code, err } = await tree(...words)
    expect(err).toBe('')
    expect(plainly(out)).toEqual(lines)
    expect(code).toBe(0)
  })

beforeAll(async () => {
  cluster = await startTestCluster()
  directory = mkdtempSync(join(tmpdir(), 'skiff-tree-'))
  writeFileSync(join(directory, 'config'), cluster.kubeconfig())
  expect(await skiff(['apply', '-f', '-'], { input: SHOP })).toMatchObject({ code: 0, err: '' })
}, 60_000)
afterAll(async () => {
  await cluster.stop()
  rmSync(directory, { recursive: true, force: true })
})

const RUNNING = (indent: string, end = '└─') => [`${indent}${end} pod/web-* 1/1 Running`]

describe('skiff tree', () => {
  it('shows all that is around a workload', () =>
    shows(
      ['web'],
      [
        'deployment/web 2/2',
        '├─ replicaset/web-* 2/2',
        ...RUNNING('│  ', '├─'),
        '│  │  └─ container/c running web:v1',
        ...RUNNING('│  '),
        '│     └─ container/c running web:v1',
        '├─ selected by service/web 2/2 ClusterIP IP:80',
        '│  ├─ endpointslice/web-* 2/2',
        '│  └─ reached by ingress/shop shop.example.com',
        '├─ selected by networkpolicy/closed Ingress',
        '├─ selected by poddisruptionbudget/web 1 disruption allowed',
        expect.stringContaining('├─ scaled by horizontalpodautoscaler/web'),
        '├─ uses configmap/settings',
        '├─ uses secret/login optional, not found',
        '└─ uses serviceaccount/shop',
      ],
    ))

  it('shows the owners above, and claims with what uses them', async () => {
    await shows(
      ['pod/db-0'],
      [
        'statefulset/db 0/1',
        expect.stringContaining('└─ pod/db-0 0/1'),
        expect.stringContaining('   ├─ container/c'),
        '   ├─ selected by networkpolicy/closed Ingress',
        '   └─ uses persistentvolumeclaim/data-db-0 Pending 1Gi',
      ],
    )
    await shows(['pvc/data-db-0'], ['persistentvolumeclaim/data-db-0 Pending 1Gi', '└─ used by statefulset/db 0/1'])
  })

  it('starts from what is not a workload', async () => {
    await shows(
      ['configmap/settings', 'sa/shop'],
      ['configmap/settings', '└─ used by deployment/web 2/2', 'serviceaccount/shop', '└─ used by deployment/web 2/2'],
    )
    expect(plainly((await tree('lost')).out)[0]).toBe('service/lost 0/0 ClusterIP IP:80, no ready endpoint')
    const { out } = await tree('ingress/shop')
    expect(plainly(out).slice(0, 4)).toEqual([
      'ingress/shop shop.example.com',
      '├─ leads to service/web 2/2 ClusterIP IP:80',
      '│  ├─ endpointslice/web-* 2/2',
      '│  └─ selects deployment/web 2/2',
    ])
    expect(plainly(out).at(-1)).toBe('└─ uses secret/certificate not found')
    const namespace = plainly((await tree('namespace/default')).out)
    expect(namespace).toEqual(
      expect.arrayContaining(['├─ contains deployment/web 2/2', '├─ contains ingress/shop shop.example.com']),
    )
    expect(namespace.filter((line) => line.includes(' endpoints/'))).toEqual([])
    const { items } = (await cluster.client.transport.request({ method: 'GET', path: '/api/v1/nodes' })).object
    const [{ metadata }] = items as [KubeObject]
    expect(plainly((await tree(`node/${metadata.name}`)).out)).toEqual(expect.arrayContaining(['├─ runs pod/web-* 1/1 Running']))
  })

  it('prints names, JSON and columns', async () => {
    expect((await tree('web', '-o', 'name')).out.split('\n').map((line) => line.replaceAll(/-[a-z0-9-]{5,}$/g, ''))).toEqual([
      ...['deployment.apps/web', 'replicaset.apps/web', 'pod/web', 'pod/web', 'service/web'],
      ...['endpointslice.discovery.k8s.io/web', 'ingress.networking.k8s.io/shop', 'networkpolicy.networking.k8s.io/closed'],
      ...['poddisruptionbudget.policy/web', 'horizontalpodautoscaler.autoscaling/web', 'configmap/settings'],
      ...['serviceaccount/shop', ''],
    ])
    const { kind, children } = JSON.parse((await tree('web', '-o', 'json')).out) as KubeObject
    expect(kind).toBe('Deployment')
    expect(children).toContainEqual({
      kind: 'secret',
      metadata: { name: 'login', namespace: 'default' },
      ...{ missing: true, relation: 'uses', state: { health: 'idle', text: 'optional, not found' } },
    })
    expect((await tree('deploy,sts', '-o', 'jsonpath={.items[*].kind}')).out).toBe('Deployment StatefulSet')
    expect((await tree('deploy', '-l', 'app=none')).err).toBe('No resources found in default namespace.\n')
  })

  it('says in one line what is wrong with the question', async () => {
    expect(await tree('wbe')).toEqual({ code: 1, out: '', err: expect.stringMatching(/is named "wbe"; near: .*deployment\/web/) })
    expect(await tree('deploy/wbe')).toMatchObject({ code: 1, out: '', err: expect.stringContaining('"wbe" not found') })
    expect(await tree('web', '-o', 'wide')).toMatchObject({ code: 1, err: expect.stringContaining('not supported here') })
    expect(await tree('web', '-l', 'a=b')).toMatchObject({ code: 1, err: expect.stringContaining('cannot be given together') })
    expect((await tree('--help')).out).toContain('skiff tree configmap/settings')
  })

  it('colours on a terminal only, and not where NO_COLOR is set', async () => {
    const env = { KUBECONFIG: join(directory, 'config') }
    expect((await skiff(['tree', 'web'], { tty: true })).out).toContain('\x1b[1mdeployment/web')
    expect((await skiff(['tree', 'web'], { tty: true, env: { ...env, NO_COLOR: '1' } })).out).not.toContain('\x1b')
    expect((await tree('web')).out).not.toContain('\x1b')
  })

  it('tells what may not be seen', async () => {
    const reader = join(directory, 'reader')
    await readerOf(['pods', 'services', 'configmaps', 'deployments', 'replicasets'], reader)
    const { out, err, code } = await skiff(['tree', 'deploy/web'], { env: { KUBECONFIG: reader } })
    expect(plainly(out)).toEqual(
      expect.arrayContaining(['├─ uses configmap/settings', '├─ uses secret/login no permission to see it']),
    )
    expect(err).toMatch(/^perhaps there is more: no permission to list .*\bsecrets\b/)
    expect(code).toBe(0)
  })
})

/** A kubeconfig of somebody who may read these kinds. */
async function readerOf(resources: string[], file: string): Promise<void> {
  const role = `
{kind: ServiceAccount, apiVersion: v1, metadata: {name: reader}}
---
kind: Role
apiVersion: rbac.authorization.k8s.io/v1
metadata: {name: reader}
rules: [{apiGroups: ['', apps], resources: [${resources.join(', ')}], verbs: [get, list]}]
---
kind: RoleBinding
apiVersion: rbac.authorization.k8s.io/v1
metadata: {name: reader}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{kind: ServiceAccount, name: reader, namespace: default}]
`
  expect(await skiff(['apply', '-f', '-'], { input: role })).toMatchObject({ code: 0 })
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} }
  const { status } = await cluster.client.createSubresource<KubeObject>(serviceAccounts, 'reader', 'token', body, {
    namespace: 'default',
  })
  const config = load(cluster.kubeconfig()) as { users: { user: object }[] }
  config.users[0]!.user = { token: status.token }
  writeFileSync(file, dump(config))
}

const resource = (plural: string, group = ''): DiscoveredResource => ({
  ...{ group, version: 'v1', plural, kind: plural, namespaced: true, singular: plural.slice(0, -1) },
  ...{ shortNames: [], categories: [], verbs: [], subresources: [] },
})
const candidate = (plural: string, name: string, labels = {}): Candidate => ({
  ...{ resource: resource(plural), name, namespace: 'default', metadata: { name, labels, uid: name } },
})
const node = (plural: string, name: string, health: Health, text = '', children: TreeNode[] = []): TreeNode => ({
  ...{ handle: `${plural.slice(0, -1)}/${name}`, candidate: candidate(plural, name), state: { health, text }, children },
})
const look: TreeLook = { nowMs: 0, namespace: 'default', columns: undefined, colors: false, full: false }

describe('the lines of a tree', () => {
  const pods = Array.from({ length: 8 }, (_, i) => node('pods', `p${i}`, i === 6 ? 'bad' : 'well', i === 6 ? 'Error' : 'Running'))
  it('count what is well where there are many, and show what is not', () => {
    const lines = treeLines([node('replicasets', 'web', 'busy', '', pods)], look)
    expect(lines.slice(1)).toEqual([
      'replicaset/web',
      expect.stringMatching(/^├─ pod\/p6 +Error$/),
      expect.stringMatching(/^└─ 7 more pods +Running$/),
    ])
    expect(treeLines([node('replicasets', 'web', 'busy', '', pods)], { ...look, full: true })).toHaveLength(10)
  })
  it('fit the terminal', () => {
    const lines = treeLines([node('pods', 'web', 'bad', 'a very long reason that goes on')], { ...look, columns: 40 })
    expect(lines[1]).toHaveLength(40)
    expect(lines[1]).toMatch(/…$/)
  })
  it('name the namespace where it is another', () => {
    expect(treeLines([node('pods', 'web', 'well')], { ...look, namespace: 'other' })[1]).toBe('pod/web (in default)')
  })
})

describe('what a tree is made of', () => {
  it('names each thing that a pod uses once; needed by one container is needed', () => {
    const from = (name: string, optional?: boolean) => ({ configMapRef: { name, ...(optional && { optional }) } })
    const spec = {
      imagePullSecrets: [{ name: 'registry' }],
      serviceAccountName: 'default',
      containers: [
        { name: 'a', envFrom: [from('settings', true), from('extra', true)] },
        { name: 'b', envFrom: [from('settings')] },
      ],
      volumes: [
        { name: 'kube-api-access-x', projected: { sources: [{ configMap: { name: 'kube-root-ca.crt' } }] } },
        { name: 'd', persistentVolumeClaim: { claimName: 'data' } },
      ],
    }
    expect(usesOf([spec, spec])).toEqual([
      { key: '/configmaps', name: 'settings', isOptional: false },
      { key: '/configmaps', name: 'extra', isOptional: true },
      { key: '/secrets', name: 'registry', isOptional: true },
      { key: '/persistentvolumeclaims', name: 'data', isOptional: false },
    ])
  })

  it('asks for many objects by the labels that they share', () => {
    const one = candidate('pods', 'a', { app: 'web', pod: 'a' })
    const other = candidate('pods', 'b', { app: 'web', pod: 'b' })
    expect(labelsOf([one, other])).toEqual({ labelSelector: 'app=web' })
    expect(labelsOf([one, candidate('pods', 'c')])).toEqual({})
  })

  it('tells how containers are', () => {
    const crashed = { name: 'c', ready: false, restartCount: 3, image: '', imageID: '' }
    const terminated = { exitCode: 137, reason: 'OOMKilled' }
    expect(containerState('web:v1', undefined, false)).toEqual({ health: 'busy', text: 'waiting web:v1' })
    expect(
      containerState(
        'web:v1',
        { ...crashed, state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 40s' } }, lastState: { terminated } },
        false,
      ),
    ).toEqual({ health: 'bad', text: 'CrashLoopBackOff: ended with exit code 137 (OOMKilled), restarted 3 times' })
    expect(
      containerState('web:v1', { ...crashed, state: { waiting: { reason: 'ErrImagePull', message: 'no such image' } } }, false),
    ).toMatchObject({ health: 'bad', text: expect.stringMatching(/^ErrImagePull: no such image/) })
  })

  it('tells of unknown kinds what their conditions say', () => {
    const gadget = (status: object) =>
      stateOf({ apiVersion: 'example.com/v1', kind: 'Gadget', metadata: { name: 'x' }, status }, [], 0)
    expect(gadget({ conditions: [{ type: 'Ready', status: 'False', message: 'no disk' }] })).toEqual({
      health: 'bad',
      text: 'not Ready: no disk',
    })
    expect(gadget({ phase: 'Failed' })).toMatchObject({ health: 'bad' })
    expect(gadget({})).toEqual({ health: 'well', text: '' })
  })
})
