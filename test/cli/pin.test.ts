/** `--pin` of run and roll, against a whole cluster whose nodes only play, with a real registry. */
import { PassThrough } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createPinner } from '../../src/cli/pin.ts'
import type { PinMode } from '../../src/cli/pin-modes.ts'
import { runRoll } from '../../src/cli/roll.ts'
import type { Client } from '../../src/client/client.ts'
import { deployments, nodes } from '../../src/client/resources.ts'
import { startTestCluster, type TestCluster } from '../controllers/cluster.ts'
import { startFront } from '../registry/front.ts'
import { digestOf, hasRegistry, type RealRegistry, startRegistry } from '../registry/real-registry.ts'
import { sessionOf } from './session-of.ts'

const DIGEST = `sha256:${'d'.repeat(64)}`

let cluster: TestCluster
let client: Client
beforeAll(async () => {
  cluster = await startTestCluster({ nodeCount: 1 })
  client = cluster.client
  const images = [{ names: [`docker.io/library/web@${DIGEST}`, 'docker.io/library/web:v1'], sizeBytes: 1 }]
  await client.patch(nodes, 'node-0', 'merge', { status: { images } }, { subresource: 'status' })
})
afterAll(() => cluster.stop())

function pinner(mode: PinMode | undefined, env: NodeJS.ProcessEnv = {}) {
  const stderr = new PassThrough()
  const signal = new AbortController().signal
  const io = { stdout: new PassThrough(), stderr, stdin: new PassThrough(), isTty: false, columns: 80, signal }
  const whole = { ...io, env: { DOCKER_CONFIG: '/nonexistent', ...env } }
  const made = createPinner(mode, whole, { client, namespace: 'default' })
  return { ...made, io: whole, said: () => String(stderr.read() ?? '') }
}

it('finds what lies on the nodes without asking a registry', async () => {
  expect(await pinner('require').image('web:v1')).toBe(`web:v1@${DIGEST}`)
  expect(await pinner('require').image(`web:v1@${DIGEST}`)).toBe(`web:v1@${DIGEST}`)
})

it('is off by flag or by $SKIFF_PIN, which may hold nothing odd', async () => {
  expect(await pinner('off').image('web:v1')).toBe('web:v1')
  expect(await pinner(undefined, { SKIFF_PIN: 'off' }).image('web:v1')).toBe('web:v1')
  expect(() => pinner(undefined, { SKIFF_PIN: 'never' })).toThrow('SKIFF_PIN is "never"; it may be auto, require, off')
})

describe.skipIf(!hasRegistry)('with a registry (needs docker-registry)', () => {
  let registry: RealRegistry
  beforeAll(async () => {
    registry = await startRegistry()
  })
  afterAll(() => registry[Symbol.asyncDispose]())

  it('pins every image of what is to be created', async () => {
    const digest = await registry.push('web', 'v1')
    const image = `${registry.host}/web:v1`
    const containers = [{ name: 'a', image }]
    const object = {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: {},
      spec: { jobTemplate: { spec: { template: { spec: { containers } } } } },
    }
    await pinner('require').object(object)
    expect(containers).toEqual([{ name: 'a', image: `${image}@${digest}` }])
  })

  it('leaves what nobody knows as it is and says so, or ends with why', async () => {
    const auto = pinner('auto')
    expect(await auto.image(`${registry.host}/none:v1`)).toBe(`${registry.host}/none:v1`)
    expect(auto.said()).toMatch(/^Warning: .*\/none:v1 is not pinned to a digest: .*not found.*; no node has it\n$/)
    await expect(pinner('require').image(`${registry.host}/none:v1`)).rejects.toThrow(/cannot be pinned to a digest: .*not found/)
  })

  it('changes nothing when a digest is required and the registry is down', async () => {
    const own = await startRegistry()
    const digest = await own.push('web', 'v1')
    await own.push('web', 'v2')
    const image = `${own.host}/web`
    const { io } = pinner('require')
    const template = {
      metadata: { labels: { app: 'web' } },
      spec: { containers: [{ name: 'c', image: `${image}:v1@${digest}` }] },
    }
    const made = await client.create(deployments, {
      ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace: 'default' } },
      spec: { replicas: 1, selector: { matchLabels: { app: 'web' } }, template },
    })
    await own[Symbol.asyncDispose]()
    const flags = { words: ['web'], images: [`${image}:v2`], dryRun: false, json: false, pin: 'require' as const }
    const driver = { name: 'test', isGone: () => false }
    await expect(runRoll(flags, io, sessionOf(client), driver)).rejects.toThrow(/cannot be pinned to a digest: .*ECONNREFUSED/)
    const after = await client.get(deployments, 'web', { namespace: 'default' })
    expect(after.spec?.template).toEqual(made.spec?.template)
  })

  it('does not go on with a registry that contradicts itself', async () => {
    const digest = await registry.push('web', 'v1')
    const body = Buffer.from('{"schemaVersion":2,"config":{"digest":"sha256:0"},"layers":[]}')
    await using front = await startFront({ host: registry.host, change: () => ({ body }) })
    await expect(pinner('auto').image(`${front.host}/web:v1`)).rejects.toThrow(
      `the registry says that v1 is ${digest}, but its content is ${digestOf(body)}`,
    )
  })
})
