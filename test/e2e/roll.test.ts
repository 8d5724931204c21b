/** Rolls as processes: killed with SIGKILL between requests, interrupted with Ctrl-C, and gone on with by others. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TestCluster, testCluster } from './support/cluster.ts'
import { type Running, SKIFF, start, until } from './support/skiff.ts'

let cluster: TestCluster

beforeAll(async () => {
  cluster = testCluster()
  const up = await cluster.up('--runtime', 'simulated')
  expect({ code: up.code, err: up.code === 0 ? '' : up.err }).toEqual({ code: 0, err: '' })
})

afterAll(async () => {
  await cluster.down()
  cluster.remove()
})

const rolling = (...args: string[]): Running => start('node', [SKIFF, ...args], cluster.env)

async function ok(...args: string[]): Promise<string> {
  const { code, out, err } = await cluster.skiff(...args)
  expect({ args, code, err: code === 0 ? '' : err }).toEqual({ args, code: 0, err: '' })
  return out
}

async function runs(name: string): Promise<void> {
  await ok('run', name, '--image', 'web:v1', '--replicas', '3', '--as', 'rc')
  await until(`${name} is ready`, async () => (await imagesOf(name, true)).length === 3, 60_000)
}

interface Pod {
  metadata: { name: string; ownerReferences?: { name: string }[]; deletionTimestamp?: string }
  spec: { containers: { image: string }[] }
  status: { conditions?: { type: string; status: string }[] }
}

/** Of all pods whose controller is the name, or one made from it. */
async function imagesOf(name: string, ready = false): Promise<string[]> {
  const { items } = JSON.parse(await ok('get', 'pods', '-o', 'json')) as { items: Pod[] }
  return items
    .filter(({ metadata }) => metadata.ownerReferences?.some((owner) => new RegExp(`^${name}(-[a-z2-9]{10})?$`).test(owner.name)))
    .filter(({ status }) => !ready || status.conditions?.some((one) => one.type === 'Ready' && one.status === 'True'))
    .map(({ spec }) => spec.containers[0]?.image ?? '')
}

describe('a roll', () => {
  it('that is interrupted pauses, says how to go on, and does', async () => {
    await runs('web')
    const roll = rolling('roll', 'web', '--image', 'web:v2', '--update-period', '2s', '--note', 'faster')
    await until('the first pod is replaced', () => roll.output().includes('scaled rc/web to 2'), 60_000)
    roll.child.kill('SIGINT')
    const { code, out, err } = await roll.result
    expect(code).toBe(130)
    expect(out).toMatch(/\ninterrupted; paused with web \d\/2 ready, web-[a-z2-9]{10} \d\/1 ready\n$/)
    const ways = err.split('\n').map((line) => line.slice(line.indexOf('skiff ')))
    expect(ways).toEqual(['skiff resume web', 'skiff rollback web', 'skiff abort web --keep', ''])
    expect(await ok(...ways[0]!.split(' ').slice(1))).toContain('Complete: all pods are replaced\nrolled to rc/web-')
    expect(await imagesOf('web')).toEqual(Array(3).fill('web:v2'))
    const history = await ok('history', 'web')
    expect(history).toMatch(/\* +2 +web-[a-z2-9]{10} +3 +Complete +\S+ +kubernetes-admin +web: web:v1 → web:v2 +faster\n/)
  })

  it('whose process is killed anywhere is finished by the next, or undone', async () => {
    await runs('db')
    const paces = ['--max-surge', '1', '--update-period', '300ms']
    const marks = [
      'created rc/db-',
      'labelled',
      'ready',
      'scaled rc/db-',
      'scaled rc/db to 2',
      'scaled rc/db to 1',
      'scaled rc/db to 0',
    ]
    for (const [index, mark] of marks.entries()) {
      const image = index % 2 === 0 ? 'web:v2' : 'web:v1'
      const roll = rolling('roll', 'db', '--image', image, ...(index === 0 ? ['--pet'] : []), ...paces)
      // Whatever it never says it has not come to: then its end is where it is killed.
      await until(mark, () => roll.output().includes(mark) || roll.child.exitCode !== null, 60_000)
      roll.child.kill('SIGKILL')
      await roll.result
      const out = await ok(index % 3 === 2 ? 'rollback' : 'resume', 'db', ...(index % 3 === 2 ? [] : ['--timeout', '60s']))
      expect(out).toMatch(/rolled |no roll of|was rolled back/)
      await until('three pods of one image', async () => {
        const images = await imagesOf('db')
        return images.length === 3 && new Set(images).size === 1
      })
    }
  })

  it('stops at a canary, is promoted, goes back with exit code 0, and tells what to do about a typo', async () => {
    await runs('api')
    expect(await ok('roll', 'api', '--image', 'web:v2', '--canary', '1', '-o', 'json')).toContain('"outcome":"canary"')
    expect((await imagesOf('api')).sort()).toEqual(['web:v1', 'web:v1', 'web:v2'])
    const third = await cluster.skiff('roll', 'api', '--image', 'web:v3')
    expect({ code: third.code, out: third.out }).toEqual({ code: 3, out: expect.stringContaining('--rollover') })
    expect(await ok('promote', 'api')).toContain('rolled to rc/api-')
    expect(await ok('rollback', 'api')).toContain('rolled back to rc/api\n')
    expect(await ok('rollback', 'api')).toContain('was rolled back already')
    const typo = await cluster.skiff('roll', 'apo', '--image', 'web:v2')
    expect(typo.code).toBe(1)
    expect(typo.err).toContain('near: replicationcontroller/api')
  })

  it('is explained: phases, exit codes and examples', async () => {
    const help = await ok('help', 'roll')
    for (const word of ['Preparing', 'Switching', 'Paused', 'Aborted', '130  interrupted', 'skiff roll db --image db:v2 --pet'])
      expect(help).toContain(word)
    for (const command of ['rollback', 'resume', 'promote', 'abort', 'history'])
      expect(await ok('help', command)).toContain('Example')
  })
})

describe('skiff/rollout, from the package', () => {
  it('rolls and rolls back, with progress as it happens', async () => {
    await runs('lib')
    const code = `
      import { createClient, createHttpTransport, loadKubeconfig } from 'skiff/client'
      import { roll, rollback } from 'skiff/rollout'
      const access = await loadKubeconfig({ kubeconfig: process.env.KUBECONFIG, env: process.env })
      const client = createClient(createHttpTransport(access))
      const options = { client, namespace: 'default', target: { kind: 'ReplicationController', name: 'lib' } }
      const rolling = roll({ ...options, images: { '*': 'web:v2' } })
      for await (const { phase } of rolling) console.log(phase)
      console.log((await rolling.result()).outcome, (await rollback(options).result()).outcome)
      client.transport.close()
    `
    const { code: exit, out, err } = await start('node', ['--input-type=module', '-e', code], cluster.env).result
    expect({ exit, err: exit === 0 ? '' : err }).toEqual({ exit: 0, err: '' })
    expect(new Set(out.trim().split('\n'))).toEqual(new Set(['Preparing', 'Rolling', 'Complete', 'done done']))
    expect(await imagesOf('lib')).toEqual(Array(3).fill('web:v1'))
  })
})
