import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createCluster, PODS, podOf, type TestCluster } from './cluster.ts'

let cluster: TestCluster
beforeEach(async () => {
  cluster = await createCluster()
})
afterEach(() => cluster.close())

describe('a plain pod', () => {
  it('gets account, token files, priority and tolerations', async () => {
    const { status, object } = await cluster.post(PODS, podOf('p'))
    expect(status, JSON.stringify(object)).toBe(201)
    const volume = object.spec.volumes[0]
    expect(volume.name).toMatch(/^kube-api-access-[a-z0-9]{5}$/)
    expect(object.spec).toMatchObject({
      serviceAccountName: 'default',
      serviceAccount: 'default',
      priority: 0,
      preemptionPolicy: 'PreemptLowerPriority',
      tolerations: [
        { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
        { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
      ],
      containers: [
        {
          volumeMounts: [{ name: volume.name, readOnly: true, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' }],
        },
      ],
    })
    expect(volume.projected).toEqual({
      sources: [
        { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        { downwardAPI: { items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }] } },
      ],
      defaultMode: 420,
    })
    expect(object.spec.priorityClassName).toBeUndefined()
  })

  it('has only the tolerations it lacks added', async () => {
    const own = { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 5 }
    const one = await cluster.post(PODS, podOf('one', { tolerations: [own] }))
    expect(one.object.spec.tolerations.map((t: { tolerationSeconds: number }) => t.tolerationSeconds)).toEqual([5, 300])
    const all = await cluster.post(PODS, podOf('all', { tolerations: [{ operator: 'Exists' }] }))
    expect(all.object.spec.tolerations).toEqual([{ operator: 'Exists' }])
  })
})

describe('service accounts', () => {
  it('may keep their token out of pods, and a pod decides before its account', async () => {
    await cluster.post('/api/v1/namespaces/ns/serviceaccounts', {
      metadata: { name: 'quiet' },
      automountServiceAccountToken: false,
      imagePullSecrets: [{ name: 'pull' }],
    })
    const quiet = await cluster.post(PODS, podOf('q', { serviceAccountName: 'quiet' }))
    expect(quiet.object.spec.volumes).toBeUndefined()
    expect(quiet.object.spec.imagePullSecrets).toEqual([{ name: 'pull' }])
    const loud = { serviceAccountName: 'quiet', automountServiceAccountToken: true, imagePullSecrets: [{ name: 'mine' }] }
    const mounted = await cluster.post(PODS, podOf('l', loud))
    expect(mounted.object.spec.volumes).toHaveLength(1)
    expect(mounted.object.spec.imagePullSecrets).toEqual([{ name: 'mine' }])
    const off = await cluster.post(PODS, podOf('off', { automountServiceAccountToken: false }))
    expect(off.object.spec.volumes).toBeUndefined()
  })

  it('are mounted where nothing else is, in init containers too', async () => {
    const mountPath = '/var/run/secrets/kubernetes.io/serviceaccount'
    const { object } = await cluster.post(PODS, {
      metadata: { name: 'p' },
      spec: {
        containers: [
          { name: 'a', image: 'x' },
          { name: 'b', image: 'x', volumeMounts: [{ name: 'v', mountPath }] },
        ],
        initContainers: [{ name: 'i', image: 'x' }],
        volumes: [{ name: 'v', emptyDir: {} }],
      },
    })
    const mounts = [...object.spec.initContainers, ...object.spec.containers].map((c: { volumeMounts: { name: string }[] }) =>
      c.volumeMounts.map((m) => m.name.replace(/-.{5}$/, '')),
    )
    expect(mounts).toEqual([['kube-api-access'], ['kube-api-access'], ['v']])
  })

  it('must exist; the default one of a new namespace is waited for', async () => {
    const miss = await cluster.post(PODS, podOf('miss', { serviceAccountName: 'nobody' }))
    expect(miss.object).toMatchObject({
      code: 403,
      message: 'pods "miss" is forbidden: error looking up service account ns/nobody: serviceaccount "nobody" not found',
      details: { name: 'miss', kind: 'pods' },
    })
    await cluster.post('/api/v1/namespaces', { metadata: { name: 'new' } })
    const early = cluster.post('/api/v1/namespaces/new/pods', podOf('early'))
    await cluster.post('/api/v1/namespaces/new/serviceaccounts', { metadata: { name: 'default' } })
    expect((await early).status).toBe(201)
  })
})

describe('priority', () => {
  const addClass = (name: string, more: object) =>
    cluster.post('/apis/scheduling.k8s.io/v1/priorityclasses', { metadata: { name }, ...more })

  it('comes from the class', async () => {
    await addClass('a', { value: 500, preemptionPolicy: 'Never' })
    const { object } = await cluster.post(PODS, podOf('p', { priorityClassName: 'a' }))
    expect(object.spec).toMatchObject({ priority: 500, preemptionPolicy: 'Never', priorityClassName: 'a' })
    const system = await cluster.post(PODS, podOf('s', { priorityClassName: 'system-node-critical' }))
    expect(system.object.spec.priority).toBe(2_000_001_000)
    const same = await cluster.post(PODS, podOf('same', { priorityClassName: 'a', priority: 500 }))
    expect(same.status).toBe(201)
    const none = await cluster.post(PODS, podOf('none', { priorityClassName: 'b' }))
    expect(none.object.message).toBe('pods "none" is forbidden: no PriorityClass with name b was found')
    const number = await cluster.post(PODS, podOf('num', { priority: 7 }))
    expect(number.object.message).toBe(
      'pods "num" is forbidden: the integer value of priority (7) must not be provided in pod spec; priority admission controller computed 0 from the given PriorityClass name',
    )
  })

  it('may have one default class', async () => {
    await addClass('d', { value: 3, globalDefault: true })
    const { object } = await cluster.post(PODS, podOf('p'))
    expect(object.spec).toMatchObject({ priority: 3, priorityClassName: 'd' })
    const second = await addClass('e', { value: 4, globalDefault: true })
    expect(second.object.message).toContain('PriorityClass d is already marked as default')
  })
})

describe('runtime classes', () => {
  it('add their overhead and place', async () => {
    await cluster.post('/apis/node.k8s.io/v1/runtimeclasses', {
      metadata: { name: 'vm' },
      handler: 'kata',
      overhead: { podFixed: { cpu: '10m' } },
      scheduling: { nodeSelector: { vm: 'yes' } },
    })
    const { object } = await cluster.post(PODS, podOf('p', { runtimeClassName: 'vm', nodeSelector: { a: 'b' } }))
    expect(object.spec).toMatchObject({ overhead: { cpu: '10m' }, nodeSelector: { a: 'b', vm: 'yes' } })
    const gone = await cluster.post(PODS, podOf('q', { runtimeClassName: 'none' }))
    expect(gone.object.message).toBe('pods "q" is forbidden: pod rejected: RuntimeClass "none" not found')
  })
})

describe('a pod without containers', () => {
  it('is left to validation', async () => {
    await cluster.post('/api/v1/namespaces/ns/limitranges', {
      metadata: { name: 'l' },
      spec: { limits: [{ type: 'Container', default: { cpu: '1' } }] },
    })
    for (const spec of [{}, { containers: null }, { containers: [] }]) {
      const { object } = await cluster.post(PODS, { metadata: { name: 'p' }, spec })
      expect(object.code).toBe(422)
      expect(object.message).toContain('spec.containers: Required value')
    }
  })
})
