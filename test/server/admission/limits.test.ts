import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createCluster, PODS, podOf, type TestCluster } from './cluster.ts'

const NS = '/api/v1/namespaces/ns'
let cluster: TestCluster
beforeEach(async () => {
  cluster = await createCluster()
})
afterEach(() => cluster.close())

const withCpu = (name: string, resources: object) => podOf(name, {}, { resources })

describe('limit ranges', () => {
  const limit = (item: object, name = 'l') =>
    cluster.post(`${NS}/limitranges`, { metadata: { name }, spec: { limits: [{ type: 'Container', ...item }] } })

  it('fill in what containers leave open, and say so', async () => {
    await limit({
      default: { cpu: '200m', memory: '64Mi' },
      defaultRequest: { cpu: '100m', memory: '64Mi' },
      max: { cpu: '1' },
      min: { cpu: '50m' },
    })
    const { object } = await cluster.post(PODS, podOf('a', { initContainers: [{ name: 'i', image: 'img:1' }] }))
    expect(object.metadata.annotations).toEqual({
      'kubernetes.io/limit-ranger':
        'LimitRanger plugin set: cpu, memory request for container c; cpu, memory limit for container c; cpu, memory request for init container i; cpu, memory limit for init container i',
    })
    expect(object.spec.containers[0].resources).toEqual({
      limits: { cpu: '200m', memory: '64Mi' },
      requests: { cpu: '100m', memory: '64Mi' },
    })
    const partly = await cluster.post(PODS, withCpu('b', { requests: { cpu: '150m' } }))
    expect(partly.object.metadata.annotations?.['kubernetes.io/limit-ranger']).toBe(
      'LimitRanger plugin set: memory request for container c; cpu, memory limit for container c',
    )
    const big = await cluster.post(PODS, withCpu('big', { limits: { cpu: '2' }, requests: { cpu: '1' } }))
    expect(big.object.message).toBe('pods "big" is forbidden: maximum cpu usage per Container is 1, but limit is 2')
    const small = await cluster.post(PODS, withCpu('small', { requests: { cpu: '10m' } }))
    expect(small.object.message).toBe('pods "small" is forbidden: minimum cpu usage per Container is 50m, but request is 10m')
  })

  it('bound the ratio of limit to request, whole pods, and claims', async () => {
    await limit({ maxLimitRequestRatio: { cpu: '2' } })
    const ratio = await cluster.post(PODS, withCpu('ratio', { requests: { cpu: '100m' }, limits: { cpu: '900m' } }))
    expect(ratio.object.message).toBe(
      'pods "ratio" is forbidden: cpu max limit to request ratio per Container is 2, but provided ratio is 9.000000',
    )
    await cluster.call('DELETE', `${NS}/limitranges/l`)
    await limit({ type: 'Pod', max: { cpu: '1' } }, 'pod')
    const two = {
      containers: ['a', 'b'].map((name) => ({
        name,
        image: 'x',
        resources: { limits: { cpu: '600m' }, requests: { cpu: '1m' } },
      })),
    }
    const sum = await cluster.post(PODS, { metadata: { name: 'sum' }, spec: two })
    expect(sum.object.message).toBe('pods "sum" is forbidden: maximum cpu usage per Pod is 1, but limit is 1200m')
    await limit({ type: 'PersistentVolumeClaim', max: { storage: '1Gi' } }, 'pvc')
    const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '2Gi' } } }
    const claim = await cluster.post(`${NS}/persistentvolumeclaims`, { metadata: { name: 'c' }, spec })
    expect(claim.object.message).toBe(
      'persistentvolumeclaims "c" is forbidden: maximum storage usage per PersistentVolumeClaim is 1Gi, but request is 2Gi',
    )
  })
})

describe('quotas', () => {
  const hard = { configmaps: '2', 'requests.cpu': '1', 'count/secrets': '1' }
  const used = { configmaps: '0', 'requests.cpu': '0', 'count/secrets': '0' }
  const config = (name: string, query = '') => cluster.post(`${NS}/configmaps${query}`, { metadata: { name } })
  const status = async () => (await cluster.call('GET', `${NS}/resourcequotas/q`)).object.status

  async function setUp(more: object = {}) {
    await cluster.post(`${NS}/resourcequotas`, { metadata: { name: 'q' }, spec: { hard, ...more } })
    await cluster.call('PATCH', `${NS}/resourcequotas/q/status`, { status: { hard, used } })
  }

  it('do nothing until their status says what they limit', async () => {
    await cluster.post(`${NS}/resourcequotas`, { metadata: { name: 'q' }, spec: { hard: { configmaps: '0' } } })
    expect((await config('a')).status).toBe(201)
  })

  it('count what is created, and refuse what is too much', async () => {
    await setUp()
    expect((await config('dry', '?dryRun=All')).status).toBe(201)
    await config('a')
    expect((await status()).used).toMatchObject({ configmaps: '1' })
    await config('b')
    expect((await config('c')).object).toMatchObject({
      code: 403,
      message:
        'configmaps "c" is forbidden: exceeded quota: q, requested: configmaps=1, used: configmaps=2, limited: configmaps=2',
    })
    expect((await cluster.post(PODS, podOf('nocpu'))).object.message).toBe(
      'pods "nocpu" is forbidden: failed quota: q: must specify requests.cpu for: c',
    )
    expect((await cluster.post(PODS, withCpu('p', { requests: { cpu: '600m' } }))).status).toBe(201)
    expect((await cluster.post(PODS, withCpu('q', { requests: { cpu: '600m' } }))).object.message).toBe(
      'pods "q" is forbidden: exceeded quota: q, requested: requests.cpu=600m, used: requests.cpu=600m, limited: requests.cpu=1',
    )
    await cluster.post(`${NS}/secrets`, { metadata: { name: 's' } })
    expect((await cluster.post(`${NS}/secrets`, { metadata: { name: 't' } })).object.message).toBe(
      'secrets "t" is forbidden: exceeded quota: q, requested: count/secrets=1, used: count/secrets=1, limited: count/secrets=1',
    )
    expect(await status()).toEqual({ hard, used: { configmaps: '2', 'requests.cpu': '600m', 'count/secrets': '1' } })
  })

  it('let no two writes pass a limit together, and take back what was not written', async () => {
    await setUp()
    const statuses = await Promise.all(Array.from({ length: 10 }, (_, i) => config(`c${i}`).then((answer) => answer.status)))
    expect(statuses.filter((code) => code === 201)).toHaveLength(2)
    await cluster.call('DELETE', `${NS}/configmaps/c0`)
    await cluster.call('PATCH', `${NS}/resourcequotas/q/status`, { status: { used } })
    await config('x')
    expect((await config('x')).status).toBe(409)
    await expect.poll(async () => (await status()).used.configmaps).toBe('1')
  })

  it('with scopes are about some pods only', async () => {
    await setUp({ scopes: ['Terminating'], hard: { 'requests.cpu': '1' } })
    expect((await cluster.post(PODS, podOf('forever'))).status).toBe(201)
    const soon = await cluster.post(PODS, podOf('soon', { activeDeadlineSeconds: 5 }))
    expect(soon.object.message).toContain('must specify requests.cpu')
    expect((await config('a')).status).toBe(201)
    expect((await status()).used.configmaps).toBe('0')
  })
})
