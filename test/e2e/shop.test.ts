/** examples/shop in real pods, its objects created in several orders: nothing is started before what it needs, and nothing fails. Needs Linux and root. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadAll } from 'js-yaml'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { KubeObject } from '../../src/api/object.ts'
import type { Pod } from '../../src/api/types.ts'
import { type TestCluster, testCluster } from './support/cluster.ts'
import { ROOT, SKIFF, skiff, start, until } from './support/skiff.ts'

const skip = process.platform !== 'linux' || process.getuid?.() !== 0
const documents = (loadAll(readFileSync(join(ROOT, 'examples/shop/shop.yaml'), 'utf8')) as KubeObject[]).map((object) => ({
  handle: `${object.kind?.toLowerCase()}/${object.metadata.name}`,
  text: JSON.stringify(object),
}))

/** The same order for the same seed. */
function shuffled(seed: number): typeof documents {
  const order = [...documents]
  let state = seed
  for (let i = order.length - 1; i > 0; i--) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    const other = Math.floor((state / 2 ** 32) * (i + 1))
    ;[order[i], order[other]] = [order[other]!, order[i]!]
  }
  return order
}

const ORDERS: Record<string, typeof documents> = {
  'as written': documents,
  backwards: [...documents].reverse(),
  'by chance': shuffled(1),
  'by chance again': shuffled(2),
}

let cluster: TestCluster

describe.skipIf(skip)(`examples/shop${skip ? ' (needs Linux and root)' : ''}`, () => {
  beforeAll(async () => {
    cluster = testCluster()
    await ok('image', 'build', join(ROOT, 'examples/shop'), '-t', 'shop:v1', '--entrypoint', 'node')
    const up = await cluster.up('--in-memory')
    expect({ code: up.code, err: up.err }).toEqual({ code: 0, err: '' })
  })
  afterAll(async () => {
    await cluster?.down()
    cluster?.remove()
  })

  const ok = async (...args: string[]): Promise<string> => {
    const { code, out, err } = await skiff(args, cluster.env)
    expect({ code, err }, args.join(' ')).toEqual({ code: 0, err: '' })
    return out
  }
  const apply = async (namespace: string, text: string) => {
    const { code, err } = await start('node', [SKIFF, 'apply', '-n', namespace, '-f', '-'], cluster.env, text).result
    expect({ code, err }).toEqual({ code: 0, err: '' })
  }
  const podsOf = async (namespace: string): Promise<Map<string, Pod>> => {
    const { items } = JSON.parse(await ok('get', 'pods', '-n', namespace, '-o', 'json')) as { items: Pod[] }
    return new Map(items.map((pod) => [pod.metadata.labels?.app ?? pod.metadata.labels?.['job-name'] ?? '', pod]))
  }
  const readySince = (pod: Pod | undefined) =>
    pod?.status?.conditions?.find(({ type, status }) => type === 'Ready' && status === 'True')?.lastTransitionTime
  const main = (pod: Pod | undefined) => pod?.status?.containerStatuses?.[0]

  for (const [index, [name, order]] of Object.entries(ORDERS).entries())
    it(`comes up right, created ${name}`, { timeout: 180_000 }, async () => {
      const namespace = `shop-${index}`
      await ok('create', 'namespace', namespace)
      for (const { text } of order) await apply(namespace, text)
      const pods = await until(
        'the shop is open',
        async () => {
          const found = await podsOf(namespace)
          return ['db', 'stock', 'web'].every((app) => readySince(found.get(app))) && found
        },
        120_000,
      )
      const page = await fetch(`http://${pods.get('web')?.status?.podIP}:8080/`, { headers: { connection: 'close' } })
      expect(await page.text()).toBe('Boats and more: 4 × oar, 1 × anchor\n')
      const migrated = main(pods.get('migrate'))?.state?.terminated
      expect(migrated?.exitCode).toBe(0)
      // One pod each, and none was started twice: nothing failed on the way.
      expect([...pods.keys()].sort()).toEqual(['db', 'migrate', 'stock', 'web'])
      for (const pod of pods.values())
        for (const { name: container, restartCount } of [
          ...(pod.status?.initContainerStatuses ?? []),
          ...(pod.status?.containerStatuses ?? []),
        ])
          expect(restartCount, container).toBe(0)
      // Times on the wire have whole seconds.
      const startOf = (app: string) => pods.get(app)?.status?.startTime ?? ''
      expect(startOf('migrate') >= readySince(pods.get('db'))!).toBe(true)
      expect(startOf('stock') >= (migrated?.finishedAt ?? 'never')).toBe(true)
      expect(startOf('web') >= readySince(pods.get('stock'))!).toBe(true)
      expect(await ok('logs', '-n', namespace, 'deployment/stock', '-c', 'stock', '--stage=pre-start')).toBe(
        'the cache is warm\n',
      )
      expect(await ok('why', '-n', namespace, 'deployment/web', 'deployment/stock', 'job/migrate')).toBe(
        'deployment/web: nothing waits\ndeployment/stock: nothing waits\njob/migrate: nothing waits\n',
      )
    })

  it('says what it waits for, as long as a part is missing', { timeout: 120_000 }, async () => {
    await ok('create', 'namespace', 'half')
    for (const { handle, text } of documents) if (handle !== 'service/db') await apply('half', text)
    const { code, out } = await until(
      'the chain is told to its end',
      async () => {
        const said = await skiff(['why', '-n', 'half', 'deployment/web'], cluster.env)
        return said.out.includes('job/migrate') && said
      },
      60_000,
    )
    expect(code).toBe(3)
    expect(out.split('\n').map((line) => line.replace(/, for \d+s \(since .*\)$/, '').replace(/-\w+-\w+:/, '-…:'))).toEqual(
      expect.arrayContaining([
        '  pod/web-…: it waits for what it requires',
        expect.stringMatching(/^ {4}http:\/\/stock\/: /),
        expect.stringMatching(/^ {6}service\/stock: it has no ready endpoint$/),
        '        pod/stock-…: it waits for what it requires',
        expect.stringMatching(/^ {10}job\/migrate: Complete: not Complete yet$/),
        expect.stringMatching(/^ {14}service\/db: there is none$/),
        'root cause: service/db: there is none',
      ]),
    )
    await apply('half', documents.find(({ handle }) => handle === 'service/db')!.text)
    await until('the shop is open', async () => readySince((await podsOf('half')).get('web')), 90_000)
  })
})
