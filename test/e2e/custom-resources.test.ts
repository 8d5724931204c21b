/** Custom resources with stock kubectl, and with the JavaScript client's informer, on a cluster with its controllers. */
import {
  CustomObjectsApi as CustomObjects,
  type CustomObjectsApi,
  KubeConfig,
  type KubernetesObject,
  makeInformer,
} from '@kubernetes/client-node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { testCluster } from './support/cluster.ts'
import { until } from './support/skiff.ts'

const cluster = testCluster()
const { ok, kubectl } = cluster

const CRD = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: crontabs.stable.example.com}
spec:
  group: stable.example.com
  scope: Namespaced
  names: {plural: crontabs, singular: crontab, kind: CronTab, shortNames: [ct], categories: [all]}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            x-kubernetes-validations: [{rule: self.replicas <= 5, message: at most five}]
            properties:
              cronSpec: {type: string, description: When it runs.}
              replicas: {type: integer, default: 1}
          status: {type: object, properties: {replicas: {type: integer}}}
    subresources: {status: {}, scale: {specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas}}
    additionalPrinterColumns: [{name: Spec, type: string, jsonPath: .spec.cronSpec}, {name: Replicas, type: integer, jsonPath: .spec.replicas}]
`
const tab = (name: string, more = '') => `
apiVersion: stable.example.com/v1
kind: CronTab
metadata: {name: ${name}, namespace: shop}
spec: {cronSpec: "* * * * *"${more}}
`

beforeAll(async () => {
  await cluster.up('--in-memory', '--runtime', 'none')
  await ok('create namespace shop')
  await ok('apply -f -', CRD)
  await ok('wait --for=condition=Established crd/crontabs.stable.example.com --timeout=30s')
})
afterAll(async () => {
  await cluster.down()
  cluster.remove()
})

describe('kubectl', () => {
  it('applies, shows columns, scales, explains and refuses', async () => {
    await ok('apply -f -', tab('one'))
    expect((await ok('get ct -n shop')).replaceAll(/ +/g, ' ')).toContain('NAME SPEC REPLICAS\none * * * * * 1')
    await ok('scale crontab/one -n shop --replicas=3')
    expect(await ok('get crontab one -n shop -o jsonpath={.spec.replicas}')).toBe('3')
    expect(await ok('explain crontab.spec')).toContain('When it runs.')
    expect(await ok('get all -n shop -o name')).toContain('crontab.stable.example.com/one')
    const refused = await kubectl('apply -f -', tab('two', ', replicas: 9'))
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('at most five')])
    const unknown = await kubectl('apply -f -', tab('three', ', colour: red'))
    expect(unknown.err).toContain('unknown field "spec.colour"')
    await ok('apply --server-side -f -', tab('four'))
  })
})

describe('the JavaScript client', () => {
  it('watches them with its informer', async () => {
    const config = new KubeConfig()
    config.loadFromFile(cluster.env.KUBECONFIG!)
    const api: CustomObjectsApi = config.makeApiClient(CustomObjects)
    const where = { group: 'stable.example.com', version: 'v1', namespace: 'shop', plural: 'crontabs' }
    const list = async () =>
      (await api.listNamespacedCustomObject(where)) as {
        items: KubernetesObject[]
        metadata: object
        kind: string
        apiVersion: string
      }
    const informer = makeInformer(config, '/apis/stable.example.com/v1/namespaces/shop/crontabs', list as never)
    const seen: string[] = []
    for (const verb of ['add', 'update', 'delete'] as const)
      informer.on(verb as 'add', (object: KubernetesObject) => void seen.push(`${verb} ${object.metadata?.name}`))
    await informer.start()
    await ok('apply -f -', tab('live'))
    await until('the informer adds', () => seen.includes('add live'))
    await ok('patch crontab live -n shop --type=merge -p {"spec":{"replicas":2}}')
    await until('the informer updates', () => seen.includes('update live'))
    await ok('delete crontab live -n shop')
    await until('the informer deletes', () => seen.includes('delete live'))
    await informer.stop()
  })
})

describe('controllers', () => {
  it('collect what custom resources own, and empty namespaces of them', async () => {
    await ok('apply -f -', tab('owner'))
    const uid = await ok('get crontab owner -n shop -o jsonpath={.metadata.uid}')
    const owned = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name: 'owned',
        namespace: 'shop',
        ownerReferences: [{ apiVersion: 'stable.example.com/v1', kind: 'CronTab', name: 'owner', uid }],
      },
    }
    await ok('apply -f -', JSON.stringify(owned))
    await ok('delete crontab owner -n shop')
    await until('the owned object goes', async () => (await kubectl('get configmap owned -n shop')).code !== 0)
    await ok('apply -f -', tab('last'))
    await ok('delete namespace shop --timeout=60s')
    expect(await ok('get crontabs -A -o name')).toBe('')
    await ok('delete crd crontabs.stable.example.com --timeout=30s')
  })
})
