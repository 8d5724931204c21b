import { expect, test } from 'vitest'
import { isNotFound } from '../../../src/api/status.ts'
import type { Job } from '../../../src/api/types.ts'
import type { Client } from '../../../src/client/client.ts'
import { jobs, pods } from '../../../src/client/resources.ts'
import { startTestCluster } from '../cluster.ts'
import { until } from '../until.ts'

const namespace = 'default'

function job(name: string, image: string, spec: Partial<Job['spec']> = {}): Job {
  const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image }] } }
  return { metadata: { name, namespace }, spec: { template, ...spec } }
}

const ends = async (client: Client, name: string) =>
  ((await client.get(jobs, name, { namespace })).status?.conditions ?? []).map(({ type, reason }) => `${type} ${reason}`)

test('runs to completion, and counts each pod once, whatever becomes of it', async () => {
  await using cluster = await startTestCluster()
  const { client } = cluster
  await client.create(jobs, job('work', 'job:ok', { completions: 7, parallelism: 3 }))
  await until(async () =>
    expect(await ends(client, 'work')).toEqual(['SuccessCriteriaMet CompletionsReached', 'Complete CompletionsReached']),
  )
  const { status } = await client.get(jobs, 'work', { namespace })
  expect(status).toMatchObject({ succeeded: 7, ready: 0, terminating: 0, uncountedTerminatedPods: {} })
  expect(status?.completionTime).toBeTruthy()
  const { items } = await client.list(pods, { namespace })
  expect(items).toHaveLength(7)
  for (const { metadata } of items) expect(metadata.finalizers ?? []).toEqual([])
  await client.deleteCollection(pods, { namespace })
  expect((await client.get(jobs, 'work', { namespace })).status?.succeeded).toBe(7)
})

test('gives up at its limit of failures', async () => {
  await using cluster = await startTestCluster()
  const { client } = cluster
  await client.create(jobs, job('broken', 'job:fail', { backoffLimit: 0 }))
  await until(async () =>
    expect(await ends(client, 'broken')).toEqual(['FailureTarget BackoffLimitExceeded', 'Failed BackoffLimitExceeded']),
  )
  expect((await client.get(jobs, 'broken', { namespace })).status?.failed).toBe(1)
})

test('indexed: each index once, suspended and resumed', async () => {
  await using cluster = await startTestCluster()
  const { client } = cluster
  await client.create(jobs, job('parts', 'job:ok', { completions: 4, parallelism: 4, completionMode: 'Indexed', suspend: true }))
  await until(async () => expect(await ends(client, 'parts')).toEqual(['Suspended JobSuspended']))
  await client.patch(jobs, 'parts', 'merge', { spec: { suspend: false } }, { namespace })
  await until(async () => {
    const { status } = await client.get(jobs, 'parts', { namespace })
    expect(status).toMatchObject({ succeeded: 4, completedIndexes: '0-3' })
    expect(await ends(client, 'parts')).toContain('Complete CompletionsReached')
  })
})

test('goes when its time to live is over, and its pods with it', async () => {
  await using cluster = await startTestCluster()
  const { client } = cluster
  await client.create(jobs, job('brief', 'job:ok', { ttlSecondsAfterFinished: 0 }))
  await until(async () => {
    await expect(client.get(jobs, 'brief', { namespace })).rejects.toSatisfy(isNotFound)
    expect((await client.list(pods, { namespace })).items).toEqual([])
  })
})
