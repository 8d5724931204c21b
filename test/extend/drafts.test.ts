/** Drafts in a whole cluster: those that nobody runs go in their time, others stay. */
import { expect, it } from 'vitest'
import { draftExpiryMs, expiryOf, pendingOf } from '../../src/api/drafts.ts'
import type { PodTemplate } from '../../src/api/types.ts'
import { podTemplates } from '../../src/client/resources.ts'
import { startTestCluster } from '../../src/testing.ts'
import { until } from '../controllers/until.ts'

const namespace = 'default'

const draft = (name: string, expires?: string, labels: Record<string, string> = { 'skiff.dev/draft': 'true' }): PodTemplate => ({
  apiVersion: 'v1',
  kind: 'PodTemplate',
  metadata: { name, namespace, labels, annotations: { ...(expires && { 'skiff.dev/expires-after': expires }) } },
  template: { spec: { containers: [{ name: 'c', image: 'x' }] } },
})

it('a draft that nobody has run goes in its time', async () => {
  const cluster = await startTestCluster()
  try {
    const { client } = cluster
    const made = [draft('short', '1s'), draft('day'), draft('kept', 'never'), draft('none', '1s', {}), draft('odd', 'soon')]
    for (const one of made) await client.create(podTemplates, one)
    const names = async () => (await client.list(podTemplates, { namespace })).items.map(({ metadata }) => metadata.name)
    await until(async () => expect(await names()).toEqual(['day', 'kept', 'none', 'odd']))
    // One whose time is shortened goes too.
    await client.patch(
      podTemplates,
      'day',
      'merge',
      { metadata: { annotations: { 'skiff.dev/expires-after': '1s' } } },
      { namespace },
    )
    await until(async () => expect(await names()).toEqual(['kept', 'none', 'odd']))
  } finally {
    await cluster.stop()
  }
})

it('says when it goes, and what holds it', () => {
  const at = (expires?: string) => {
    const one = draft('d', expires)
    return draftExpiryMs({ ...one, metadata: { ...one.metadata, creationTimestamp: '2026-01-01T00:00:00Z' } })
  }
  const start = Date.parse('2026-01-01T00:00:00Z')
  expect([at('90m'), at(), at('soon'), at('never')]).toEqual([
    start + 5_400_000,
    start + 86_400_000,
    start + 86_400_000,
    undefined,
  ])
  expect([expiryOf('1h30m'), expiryOf('7d'), expiryOf('1.5h'), expiryOf('')]).toEqual([
    5_400_000,
    604_800_000,
    undefined,
    undefined,
  ])
  const one = draft('d')
  expect(pendingOf({ ...one, metadata: { ...one.metadata, annotations: { 'skiff.dev/pending': ' scan, approve,' } } })).toEqual([
    'scan',
    'approve',
  ])
})
