/** The API as programs in real pods reach it: files, variables, the cluster's name for it, the JavaScript client. Needs Linux and root. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ResourceRef } from '../../src/client/client.ts'
import { serviceAccounts } from '../../src/client/resources.ts'
import { noRealPods, type RealPods, realPods } from './support/real-pods.ts'

const CLIENT = `
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node'
async function main() {
  const config = new KubeConfig()
  config.loadFromCluster()
  console.log('server', config.getCurrentCluster().server)
  const api = config.makeApiClient(CoreV1Api)
  const { items } = await api.listNamespacedPod({ namespace: 'default' })
  console.log('pods', items.map(({ metadata }) => metadata.name).join(' '))
  await api.listNamespacedSecret({ namespace: 'default' }).catch((error) => console.log('secrets', error.code))
  console.log('done')
}
main()
`

/** By the cluster's name for it, verified against the mounted authority, with the mounted token. */
const PLAIN = `
import { readFileSync } from 'node:fs'
import { get } from 'node:https'
const files = '/var/run/secrets/kubernetes.io/serviceaccount/'
const read = (name) => readFileSync(files + name, 'utf8')
console.log('namespace', read('namespace'))
console.log('address', process.env.KUBERNETES_SERVICE_HOST, process.env.KUBERNETES_SERVICE_PORT)
async function main() {
  for (const host of ['kubernetes.default.svc', 'kubernetes', process.env.KUBERNETES_SERVICE_HOST]) {
    const options = { host, port: process.env.KUBERNETES_SERVICE_PORT, path: '/api/v1/namespaces/default/pods', ca: read('ca.crt') }
    await new Promise((resolve, reject) => {
      get({ ...options, headers: { authorization: 'Bearer ' + read('token') } }, (response) => {
        console.log('answer', response.statusCode, response.socket.authorized)
        response.resume().on('end', resolve)
      }).on('error', reject)
    })
  }
  console.log('done')
}
main().catch((error) => console.log('failed', error.message))
`

let world: RealPods

describe.skipIf(noRealPods)(`a pod and the API${noRealPods ? ' (needs Linux and root)' : ''}`, () => {
  beforeAll(async () => {
    world = await realPods()
    await Promise.all([world.buildImage('client:v1', CLIENT), world.buildImage('plain:v1', PLAIN)])
    const { client } = world.cluster
    const bindings: ResourceRef<object> = {
      ...{ group: 'rbac.authorization.k8s.io', version: 'v1', plural: 'rolebindings', kind: 'RoleBinding', namespaced: true },
    }
    await client.create(serviceAccounts, {
      ...{ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'reader', namespace: 'default' } },
    })
    const group = 'rbac.authorization.k8s.io'
    await client.create(bindings, {
      ...{ apiVersion: `${group}/v1`, kind: 'RoleBinding', metadata: { name: 'reader', namespace: 'default' } },
      roleRef: { apiGroup: group, kind: 'ClusterRole', name: 'view' },
      subjects: [{ kind: 'ServiceAccount', name: 'reader', namespace: 'default' }],
    })
  })
  afterAll(() => world?.close())

  const spec = (image: string) => ({ serviceAccountName: 'reader', containers: [{ name: 'main', image }] })

  it('is reached by the JavaScript client with loadFromCluster(), as its account', async () => {
    await world.run('client', spec('client:v1'))
    const said = await world.says('client', 'done')
    expect(said).toMatch(/^server https:\/\/10\.\d+\.\d+\.\d+:443\npods .*\bclient\b.*\nsecrets 403\ndone\n$/)
  })

  it('has its files, its variables and its name', async () => {
    await world.run('plain', spec('plain:v1'))
    const said = await world.says('plain', /done|failed/)
    expect(said).toMatch(/^namespace default\naddress 10\.\d+\.\d+\.\d+ 443\n(answer 200 true\n){3}done\n$/)
  })

  it('is reached from the host network', async () => {
    await world.run('host', { ...spec('client:v1'), hostNetwork: true })
    expect(await world.says('host', 'done')).toMatch(/^server https:.*\npods .*\bhost\b/)
  })
})
