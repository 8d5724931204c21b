/** `skiff up`, `status` and `down` as processes: what they say, what they refuse, and what survives a kill. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { answering, type TestCluster, testCluster } from './support/cluster.ts'
import { type Traces, traces, until, works } from './support/skiff.ts'

const linuxRoot = process.platform === 'linux' && process.getuid?.() === 0
const hasKubectl = works('kubectl', 'version', '--client')

let cluster: TestCluster
let before: Traces

beforeEach(() => {
  cluster = testCluster()
  before = traces(cluster.directory)
})

afterEach(async () => {
  await cluster.down()
  cluster.remove()
})

describe('skiff up --detach', () => {
  const simulated = ['--runtime', 'simulated']

  it('says how long it took, is refused a second time, and is stopped', async () => {
    const up = await cluster.up(...simulated)
    expect({ code: up.code, out: up.out.split('\n')[0] }).toEqual({
      code: 0,
      out: expect.stringMatching(/^ready in \d+ ms$/),
    })
    const status = await cluster.skiff('status')
    expect(status.code).toBe(0)
    expect(status.out).toContain(`process ${cluster.pid()}`)
    expect(readFileSync(cluster.env.KUBECONFIG ?? '', 'utf8')).toContain('name: skiff')

    const again = await cluster.up(...simulated)
    expect(again).toEqual({ code: 1, out: '', err: expect.stringMatching(/^error: a cluster runs on [^\n]*\n$/) })

    const down = await cluster.down()
    expect({ code: down.code, out: down.out }).toEqual({ code: 0, out: 'stopped\n' })
    expect(readFileSync(cluster.env.KUBECONFIG ?? '', 'utf8')).not.toContain('skiff')
    expect((await cluster.skiff('status')).out).not.toContain('process ')
  })

  it('refuses a port that is in use, in one line', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    try {
      const port = String((server.address() as AddressInfo).port)
      const up = await cluster.skiff('up', '--detach', ...simulated, '--port', port)
      expect(up).toEqual({ code: 1, out: '', err: expect.stringMatching(/^error: [^\n]*\n$/) })
      expect(up.err).toContain(port)
    } finally {
      server.close()
    }
  })
})

describe.skipIf(!linuxRoot)(`clusters that start at the same moment${linuxRoot ? '' : ' (need Linux and root)'}`, () => {
  it('have addresses of their own', async () => {
    const all = [cluster, testCluster(), testCluster()]
    try {
      const ups = await Promise.all(all.map((one) => one.up()))
      expect(ups.map(({ code, err }) => ({ code, err: code === 0 ? '' : err }))).toEqual(all.map(() => ({ code: 0, err: '' })))
      const services = await Promise.all(
        all.map((one) => one.skiff('get', 'service', 'kubernetes', '-o', 'jsonpath={.spec.clusterIP}')),
      )
      expect(new Set(services.map(({ out }) => out)).size).toBe(all.length)
      const nodes = await Promise.all(all.map((one) => one.skiff('get', 'nodes', '-o', 'jsonpath={.items[*].spec.podCIDR}')))
      expect(new Set(nodes.map(({ out }) => out)).size).toBe(all.length)
    } finally {
      await Promise.all(all.slice(1).map((one) => one.down()))
      for (const one of all.slice(1)) one.remove()
    }
  })
})

const skip = !linuxRoot || !hasKubectl
describe.skipIf(skip)(`a killed cluster${skip ? ' (needs Linux, root and kubectl)' : ''}`, () => {
  it('comes back with its objects and its pods, and leaves nothing in the end', async () => {
    await cluster.buildImages()
    expect((await cluster.up()).code).toBe(0)
    await cluster.ok('create deployment web --image=web:v1 --replicas=2')
    await cluster.ok('expose deployment web --port=80 --target-port=8080')
    await cluster.ok('wait --for=condition=Available deployment/web --timeout=30s')
    const uid = await cluster.ok('get deployment web -o jsonpath={.metadata.uid}')
    const url = `http://${await cluster.ok('get service web -o jsonpath={.spec.clusterIP}')}/`
    await answering(url, 'v1')

    const pid = cluster.pid()
    process.kill(pid, 'SIGKILL')
    await until('the cluster is gone', () => !works('kill', '-0', String(pid)))

    const up = await cluster.up()
    expect({ code: up.code, err: up.err }).toEqual({ code: 0, err: '' })
    expect(await cluster.ok('get deployment web -o jsonpath={.metadata.uid}')).toBe(uid)
    await until('both pods run and are ready', async () => {
      const pods = JSON.parse(await cluster.ok('get pods -l app=web -o json')).items as Pod[]
      return pods.length === 2 && pods.every(isReady)
    })
    await answering(url, 'v1')

    expect((await cluster.down()).out).toBe('stopped\n')
    expect(traces(cluster.directory)).toEqual(before)
  })
})

interface Pod {
  status: { conditions: { type: string; status: string }[] }
}

const isReady = (pod: Pod): boolean => pod.status.conditions.some(({ type, status }) => type === 'Ready' && status === 'True')
