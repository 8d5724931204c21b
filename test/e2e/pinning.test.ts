/** Images that were built on this machine, pinned to their digests by the command line and by the cluster, and run so. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type TestCluster, testCluster } from './support/cluster.ts'
import { until } from './support/skiff.ts'

const DIGEST = /^web:v[12]@sha256:[0-9a-f]{64}$/

let cluster: TestCluster
beforeAll(async () => {
  cluster = testCluster()
  const { code, err } = await cluster.up('--in-memory', '--pin-images=warn')
  expect({ code, err }).toMatchObject({ code: 0 })
  // The cluster runs already: its node has to notice.
  await cluster.buildImages()
})
afterAll(async () => {
  await cluster.down()
  cluster.remove()
})

const images = async (): Promise<string[]> => {
  const out = await cluster.ok(['get', 'pods', '-l', 'app=web', '-o', 'jsonpath={.items[*].spec.containers[*].image}'])
  return out.split(' ')
}

it('skiff run and roll name the digest, and pods run by it', async () => {
  const run = await cluster.skiff('run', 'web', '--image', 'web:v1', '--replicas', '2', '--port', '8080', '--pin=require')
  expect({ code: run.code, err: run.err }).toEqual({ code: 0, err: '' })
  await cluster.ok('rollout status deploy/web --timeout=60s')
  expect(await images()).toEqual([expect.stringMatching(DIGEST), expect.stringMatching(DIGEST)])
  const roll = await cluster.skiff('roll', 'web', '--image', 'web:v2')
  expect(roll.code, roll.out + roll.err).toBe(0)
  const now = await until('only v2 runs', async () => {
    const found = await images()
    return found.every((image) => image.startsWith('web:v2')) ? found : undefined
  })
  expect(now[0]).toMatch(DIGEST)
  const again = await cluster.skiff('roll', 'web', '--image', 'web:v2', '-o', 'json')
  expect(JSON.parse(again.out.trim().split('\n').at(-1) ?? '')).toMatchObject({ changed: false })
})

it('kubectl gets digests too, in a namespace that is told so', async () => {
  await cluster.ok('label namespace default skiff.dev/pin-images=require')
  await cluster.ok('create deployment plain --image=web:v1')
  const image = await cluster.ok(['get', 'deploy', 'plain', '-o', 'jsonpath={.spec.template.spec.containers[0].image}'])
  expect(image).toMatch(DIGEST)
  await cluster.ok('rollout status deploy/plain --timeout=60s')
  const refused = await cluster.kubectl('create deployment nothing --image=127.0.0.1:1/nothing:v1')
  expect(refused.code).toBe(1)
  expect(refused.err).toContain('spec.template.spec.containers[0].image: Invalid value')
  expect(refused.err).toContain('cannot be pinned to a digest')
})
