import { describe, expect, it } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { createWorkQueue } from '../../src/reconcile/queue.ts'

describe('work queue', () => {
  it('keeps a waiting key once', async () => {
    const queue = createWorkQueue(systemClock)
    queue.add('a')
    queue.add('a')
    queue.add('b')
    expect(queue.length).toBe(2)
    expect([await queue.take(), await queue.take()]).toEqual(['a', 'b'])
  })

  it('brings a key back that was added while it was worked on, and never hands it out twice at once', async () => {
    const queue = createWorkQueue(systemClock)
    queue.add('a')
    await queue.take()
    queue.add('a')
    expect(queue.length).toBe(0)
    queue.done('a')
    expect(queue.length).toBe(1)
    expect(await queue.take()).toBe('a')
  })

  it('takes the earliest of several delays, and an add at once cancels them', async () => {
    const due: { atMs: number; run: () => void; cancelled: boolean }[] = []
    const clock = {
      now: () => 0,
      monotonic: () => 0,
      after(delayMs: number, run: () => void) {
        const timer = { atMs: delayMs, run, cancelled: false }
        due.push(timer)
        return () => {
          timer.cancelled = true
        }
      },
    }
    const queue = createWorkQueue(clock)
    queue.addAfter('a', 100)
    queue.addAfter('a', 500)
    queue.addAfter('a', 10)
    expect(due.filter((t) => !t.cancelled).map((t) => t.atMs)).toEqual([10])
    queue.add('a')
    expect(due.every((t) => t.cancelled)).toBe(true)
    expect(queue.length).toBe(1)
  })

  it('answers waiting workers with undefined when it is closed', async () => {
    const queue = createWorkQueue(systemClock)
    const taken = queue.take()
    queue.close()
    expect(await taken).toBeUndefined()
    queue.add('a')
    expect(queue.length).toBe(0)
  })
})
