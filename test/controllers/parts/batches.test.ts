import { expect, test } from 'vitest'
import { inGrowingBatches, inParallel } from '../../../src/controllers/parts/batches.ts'

test('batches double as long as all goes well', async () => {
  const atWork: number[] = []
  let working = 0
  const result = await inGrowingBatches(10, async () => {
    working += 1
    await Promise.resolve()
    atWork.push(working)
    await Promise.resolve()
    working -= 1
  })
  expect(result).toEqual({ succeeded: 10 })
  expect(atWork).toEqual([1, 2, 2, 4, 4, 4, 4, 3, 3, 3])
})

test('the first refusal ends it', async () => {
  let calls = 0
  const refused = new Error('refused')
  const result = await inGrowingBatches(500, async (index) => {
    calls += 1
    if (index === 2) throw refused
  })
  expect(result).toEqual({ succeeded: 2, error: refused })
  expect(calls).toBe(3)
})

test('parallel calls are all tried before the first error is thrown', async () => {
  const done: number[] = []
  const all = inParallel([1, 2, 3, 4], async (item) => {
    if (item === 2) throw new Error(`no ${item}`)
    done.push(item)
  })
  await expect(all).rejects.toThrow('no 2')
  expect(done).toEqual([1, 3, 4])
})
