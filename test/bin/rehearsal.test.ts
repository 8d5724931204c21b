/** The rehearsal of a cluster's first writes: it runs to its end against the real verbs, and stops when it is told to. */
import { expect, it } from 'vitest'
import { rehearse } from '../../src/bin/rehearsal.ts'

it('plays every request to the end', { timeout: 60_000 }, async () => {
  await expect(rehearse(new AbortController().signal)).resolves.toBeUndefined()
})

it('ends at once when the cluster stops', async () => {
  const signal = AbortSignal.abort()
  await expect(rehearse(signal)).resolves.toBeUndefined()
})
