/** `get -o neat` against a real server: what was written comes back, however it was written, and makes the same again. */
import { load, loadAll } from 'js-yaml'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { collectionPath } from '../../../src/client/paths.ts'
import { PATCH_TYPES } from '../../server/start-server.ts'
import { type CommandLine, startCommandLine } from '../command-line.ts'
import { KINDS, type Manifest, manifestOf, randomOf } from './manifests.ts'

const SEEDS = [1, 2, 3, 4, 5, 6]
const NAMESPACES = ['default', 'applied', 'elsewhere', 'noted'] as const

let cli: CommandLine
beforeAll(async () => {
  cli = await startCommandLine()
  for (const name of NAMESPACES.slice(1)) await create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
  for (const namespace of NAMESPACES)
    for (const name of ['builder', 'default'])
      if (namespace !== 'default' || name !== 'default')
        await create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } }, namespace)
})
afterAll(() => cli.close())

const PLURALS: Record<string, string> = {
  ...{ Ingress: 'ingresses', NetworkPolicy: 'networkpolicies', Service: 'services' },
}

function pathOf({ apiVersion, kind, metadata }: Manifest, namespace: string | undefined): string {
  const [version = '', group = ''] = apiVersion.split('/').reverse()
  const plural = PLURALS[kind] ?? `${kind.toLowerCase()}s`
  const within = kind === 'Namespace' ? undefined : ((metadata as { namespace?: string }).namespace ?? namespace)
  return collectionPath({ group, version, plural, kind, namespaced: within !== undefined }, within)
}

const create = (manifest: Manifest, namespace = 'default') =>
  cli.server.call('POST', pathOf(manifest, namespace), structuredClone(manifest), { query: { fieldManager: 'kubectl-create' } })

const apply = (manifest: Manifest, namespace: string) =>
  cli.server.call('PATCH', `${pathOf(manifest, namespace)}/${manifest.metadata.name}`, structuredClone(manifest), {
    ...{ ...PATCH_TYPES.apply, query: { fieldManager: 'kubectl', force: 'true' } },
  })

/** Creates what kubectl's client-side apply creates. */
function applyAsKubectl(manifest: Manifest, namespace: string): Promise<unknown> {
  const { annotations = {}, ...metadata } = manifest.metadata as { annotations?: Record<string, string>; name: string }
  const noted = JSON.stringify({ ...manifest, metadata: { annotations, ...metadata, namespace } })
  const noting = { ...annotations, 'kubectl.kubernetes.io/last-applied-configuration': noted }
  return create({ ...manifest, metadata: { ...metadata, annotations: noting } } as Manifest, namespace)
}

const ok = async (args: string[], input = ''): Promise<string> => {
  const { code, out, err } = await cli.run(args, { input })
  expect({ args, code, err }).toEqual({ args, code: 0, err: '' })
  return out
}
const neat = (namespace: string, ...words: string[]) => ok(['-n', namespace, 'get', ...words, '-o', 'neat'])

describe.each(KINDS)('%s', (kind) => {
  it('comes back as it was written, and makes the same again', async () => {
    const manifests = SEEDS.map((seed) => manifestOf(kind, `${kind.toLowerCase()}-${seed}`, randomOf(seed * 31 + kind.length)))
    for (const manifest of manifests) {
      await create(manifest)
      await apply(manifest, 'applied')
      await applyAsKubectl(manifest, 'noted')
    }
    const names = manifests.map(({ metadata }) => metadata.name)
    const written = await neat('default', kind, ...names)
    expect(loadAll(written)).toEqual(manifests)
    expect(loadAll(await neat('applied', kind, ...names))).toEqual(manifests)
    expect(loadAll(await neat('noted', kind, ...names))).toEqual(manifests)
    await ok(['-n', 'elsewhere', 'apply', '-f', '-'], written)
    expect(await neat('elsewhere', kind, ...names)).toBe(written)
  })
})

describe('what was written is told from what was filled in', () => {
  const pod = (spec: object, metadata: object = {}): Manifest => ({
    ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', ...metadata } },
    spec: { selector: { matchLabels: { app: 'web' } }, template: { metadata: { labels: { app: 'web' } }, spec } },
  })
  const explicit = pod({
    ...{ restartPolicy: 'Always', dnsPolicy: 'ClusterFirst', terminationGracePeriodSeconds: 30 },
    containers: [
      {
        ...{ name: 'c', image: 'web:v1', imagePullPolicy: 'IfNotPresent', resources: {} },
        ports: [{ containerPort: 80, protocol: 'TCP' }],
      },
    ],
    volumes: [{ name: 'v', emptyDir: {} }],
  })
  const bare = pod({
    ...{ containers: [{ name: 'c', image: 'web:v1', ports: [{ containerPort: 80 }] }], volumes: [{ name: 'v' }] },
  })

  it('where it was applied', async () => {
    await apply(explicit, 'applied')
    expect(load(await neat('applied', 'deploy/web'))).toEqual(explicit)
    await applyAsKubectl(explicit, 'noted')
    expect(load(await neat('noted', 'deploy/web'))).toEqual(explicit)
    await create(explicit)
    expect(load(await neat('default', 'deploy/web'))).toEqual(bare)
  })

  it('with what was changed since, by a person and not by a controller', async () => {
    const path = `${pathOf(explicit, 'applied')}/web`
    const change = (manager: string, patch: object) =>
      cli.server.call('PATCH', path, patch, { ...PATCH_TYPES.merge, query: { fieldManager: manager } })
    await change('kubectl-edit', { metadata: { labels: { by: 'hand' } }, spec: { paused: true } })
    await change('kube-controller-manager', {
      metadata: { annotations: { 'deployment.kubernetes.io/revision': '1' }, labels: { by2: 'machine' } },
      spec: { replicas: 7 },
    })
    await ok(['-n', 'applied', 'scale', 'deploy/web', '--replicas', '3'])
    expect(load(await neat('applied', 'deploy/web'))).toEqual({
      ...{ ...explicit, metadata: { name: 'web', labels: { by: 'hand' } } },
      spec: { ...(explicit.spec as object), paused: true, replicas: 3 },
    })
  })

  it('also where a server says nothing of who wrote what', async () => {
    const service: Manifest = {
      ...{ apiVersion: 'v1', kind: 'Service', metadata: { name: 'silent' } },
      spec: { selector: { app: 'web' }, ports: [{ port: 80 }] },
    }
    await create(service)
    const forget = [{ op: 'replace', path: '/metadata/managedFields', value: [{}] }]
    await cli.server.call('PATCH', `${pathOf(service, 'default')}/silent`, forget as never, PATCH_TYPES.json)
    expect(load(await neat('default', 'svc/silent'))).toEqual(service)
  })

  it('of what a controller made, as it made it', async () => {
    const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-1', uid: 'u', controller: true }
    const made: Manifest = {
      ...{ apiVersion: 'v1', kind: 'Pod' },
      metadata: { name: 'web-1-x', labels: { app: 'web', 'pod-template-hash': '1' }, ownerReferences: [owner] } as never,
      spec: { containers: [{ name: 'c', image: 'web:v1' }] },
    }
    await cli.server.call('POST', pathOf(made, 'default'), made, { query: { fieldManager: 'kube-controller-manager' } })
    expect(load(await neat('default', 'pod/web-1-x'))).toEqual({
      ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web-1-x', labels: { app: 'web' } } },
      spec: { containers: [{ name: 'c', image: 'web:v1' }] },
    })
  })
})

describe('custom kinds', () => {
  it('come without status and without the defaults of their schema', async () => {
    const properties = {
      spec: {
        type: 'object',
        properties: {
          size: { type: 'integer', default: 3 },
          color: { type: 'string' },
          parts: {
            type: 'array',
            ...{ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] },
            items: {
              ...{ type: 'object', required: ['name'] },
              properties: { name: { type: 'string' }, weight: { type: 'integer', default: 1 } },
            },
          },
        },
      },
      status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    }
    const definition = {
      ...{ apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name: 'widgets.example.com' } },
      spec: {
        ...{ group: 'example.com', scope: 'Namespaced', names: { plural: 'widgets', kind: 'Widget' } },
        versions: [
          {
            ...{ name: 'v1', served: true, storage: true, subresources: { status: {} } },
            schema: { openAPIV3Schema: { type: 'object', properties } },
          },
        ],
      },
    }
    await cli.run(['create', '-f', '-'], { input: JSON.stringify(definition) })
    const widget: Manifest = {
      ...{ apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'w' } },
      spec: { color: 'red', parts: [{ name: 'wheel' }, { name: 'door', weight: 5 }] },
    }
    await expect.poll(() => create(widget).then(() => 'there'), { timeout: 30_000 }).toBe('there')
    await cli.server.call('PATCH', `${pathOf(widget, 'default')}/w/status`, { status: { phase: 'Ready' } }, PATCH_TYPES.merge)
    expect(load(await neat('default', 'widget', 'w'))).toEqual(widget)
    await ok(['-n', 'elsewhere', 'apply', '-f', '-'], await neat('default', 'w'))
    expect(load(await neat('elsewhere', 'w'))).toEqual(widget)
    expect(load(await neat('default', 'crd', 'widgets.example.com'))).toEqual(definition)
  })
})

it('shows several as documents, names first, and namespaces only where all are asked for', async () => {
  const settings = (name: string): Manifest =>
    ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { a: '1' } }) as never
  for (const name of ['s1', 's2']) await create(settings(name))
  const one = (name: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n  a: '1'\n`
  expect(await neat('default', 'cm', 's1', 's2')).toBe(`${one('s1')}---\n${one('s2')}`)
  expect(await ok(['get', 'cm', '-A', '--field-selector', 'metadata.name=s1', '-o', 'neat'])).toContain('  namespace: default\n')
  expect(await ok(['get', 'cm', '-l', 'none=there', '-o', 'neat'])).toBe('')
  expect(await cli.run(['get', 'cm', 's1', 'nothing', '-o', 'neat'])).toMatchObject({ code: 1, out: one('s1') })
})
