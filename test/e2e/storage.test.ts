/** A StatefulSet with claims, as charts have them: its data outlives its pods and the cluster's process, and goes with the claims. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TestCluster, testCluster } from './support/cluster.ts'
import { SKIFF, start, until } from './support/skiff.ts'

const linuxRoot = process.platform === 'linux' && process.getuid?.() === 0
const PATIENCE_MS = 60_000

const SHOP = JSON.stringify({
  ...{ apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: 'db' } },
  spec: {
    ...{ serviceName: 'db', replicas: 2, selector: { matchLabels: { app: 'db' } } },
    template: {
      metadata: { labels: { app: 'db' } },
      spec: {
        terminationGracePeriodSeconds: 1,
        securityContext: { runAsUser: 1234 },
        containers: [
          {
            ...{ name: 'db', image: 'db:v1', volumeMounts: [{ name: 'data', mountPath: '/data' }] },
            command: ['sh', '-c', 'echo "$HOSTNAME $(cat /data/starts | wc -l)" >> /data/starts; sleep 1000'],
            env: [{ name: 'HOSTNAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
          },
        ],
      },
    },
    volumeClaimTemplates: [
      { metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
    ],
  },
})

describe.skipIf(!linuxRoot)(`storage${linuxRoot ? '' : ' (needs Linux and root)'}`, () => {
  let cluster: TestCluster
  const volumes = () => join(cluster.dataDirectory, 'volumes')

  beforeAll(async () => {
    cluster = testCluster()
    const context = join(cluster.directory, 'db')
    mkdirSync(context)
    writeFileSync(join(context, 'version.txt'), 'v1')
    const built = await cluster.skiff('image', 'build', context, '-t', 'db:v1', '--entrypoint', '/usr/bin/env')
    expect({ code: built.code, err: built.err }).toEqual({ code: 0, err: '' })
    await up()
  })

  afterAll(async () => {
    await cluster.down()
    cluster.remove()
  })

  async function up(): Promise<void> {
    const { code, err } = await cluster.up()
    expect({ code, err: code === 0 ? '' : err }).toEqual({ code: 0, err: '' })
  }

  async function ok(...args: string[]): Promise<string> {
    const { code, out, err } = await cluster.skiff(...args)
    expect({ args, code, err: code === 0 ? '' : err }).toEqual({ args, code: 0, err: '' })
    return out
  }

  /** The lines that the pods of the claim have written, one for each start. */
  function startsOf(claim: string): string[] {
    const directory = readdirSync(volumes()).find((name) => name.endsWith(`_default_${claim}`))
    const file = join(volumes(), directory ?? 'none', 'starts')
    return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []
  }

  const untilStarts = (claim: string, starts: string[]) =>
    until(`${claim} has ${starts.join(', ')}`, () => JSON.stringify(startsOf(claim)) === JSON.stringify(starts), PATIENCE_MS)

  it('lasts as long as its claim', { timeout: 5 * PATIENCE_MS }, async () => {
    const { code, err } = await start('node', [SKIFF, 'apply', '-f', '-'], cluster.env, SHOP).result
    expect({ code, err: code === 0 ? '' : err }).toEqual({ code: 0, err: '' })
    await untilStarts('data-db-0', ['db-0 0'])
    await untilStarts('data-db-1', ['db-1 0'])

    await ok('delete', 'pod', 'db-0')
    await untilStarts('data-db-0', ['db-0 0', 'db-0 1'])

    process.kill(cluster.pid(), 'SIGKILL')
    await up()
    await untilStarts('data-db-0', ['db-0 0', 'db-0 1', 'db-0 2'])
    await untilStarts('data-db-1', ['db-1 0', 'db-1 1'])

    await ok('stop', 'db')
    expect(startsOf('data-db-0')).toHaveLength(3)
    await ok('delete', 'pvc', 'data-db-0')
    await until(
      'its files are gone',
      () => startsOf('data-db-0').length === 0 && readdirSync(volumes()).length === 1,
      PATIENCE_MS,
    )
    expect(await ok('get', 'pv', '--no-headers')).toContain('default/data-db-1')
    await cluster.down()
    expect(startsOf('data-db-1')).toHaveLength(2)
  })
})
