/** What store.ts promises, held by every driver. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  KeyExists,
  KeyNotFound,
  RevisionCompacted,
  RevisionInFuture,
  RevisionMismatch,
  StoreUnavailable,
} from '../../src/store/errors.ts'
import { MAX_KEY_BYTES } from '../../src/store/keys.ts'
import type { Store, StoreEvent } from '../../src/store/store.ts'
import { drivers, text } from './drivers.ts'

const PODS = 'core/pods/'
const WEB = 'core/pods/default/web'

describe.each(drivers)('$name store', (driver) => {
  let store: Store
  let close: () => Promise<void>

  beforeEach(async (context) => {
    if (driver.skip) context.skip(driver.skip)
    seen.length = 0
    ;({ store, close } = await driver.open())
  })
  afterEach(() => close())

  const keys = (prefix: string, options = {}) => store.list(prefix, options).entries.map((entry) => entry.key)
  const seen: string[] = []
  const record = (events: readonly StoreEvent[]) => {
    for (const { type, entry, previous } of events) seen.push(`${type} ${entry.value} after ${previous?.value}`)
  }
  describe('writes', () => {
    test('take consecutive revisions, and are answered with what was written', async () => {
      expect(store.revision).toBe(1)
      const decoded = { name: 'web' }
      const created = await store.create(WEB, (revision) => ({ value: Buffer.from(`v${revision}`), decoded }))
      expect(created).toMatchObject({ key: WEB, revision: 2, value: Buffer.from('v2') })
      expect(created.decoded).toBe(decoded)
      expect(store.get(WEB)).toBe(created)
      const updated = await store.update(WEB, 2, text('two'))
      expect(String(updated.value)).toBe('two@3')
      const deleted = await store.delete(WEB, 3, text('gone'))
      expect(deleted).toMatchObject({ key: WEB, revision: 4 })
      expect(String(deleted.value)).toBe('gone@4')
      expect(store.get(WEB)).toBeUndefined()
      expect(store.revision).toBe(4)
    })

    test('are refused by what is at the key, without a revision and without encoding', async () => {
      const never = () => {
        throw new Error('must not be called')
      }
      await expect(store.update(WEB, 1, never)).rejects.toThrow(KeyNotFound)
      await expect(store.delete(WEB, 1, never)).rejects.toThrow(KeyNotFound)
      await store.create(WEB, text('one'))
      await expect(store.create(WEB, never)).rejects.toThrow(KeyExists)
      await expect(store.update(WEB, 1, never)).rejects.toMatchObject({ name: 'RevisionMismatch', expected: 1, actual: 2 })
      await expect(store.delete(WEB, 3, never)).rejects.toThrow(RevisionMismatch)
      expect(store.revision).toBe(2)
    })

    test('whose bytes cannot be made fail alone', async () => {
      const writes = await Promise.allSettled([
        store.create(`${PODS}default/a`, text('a')),
        store.create(`${PODS}default/b`, () => {
          throw new Error('no bytes')
        }),
        store.create(`${PODS}default/c`, text('c')),
      ])
      expect(writes.map((write) => write.status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
      expect(keys(PODS)).toEqual([`${PODS}default/a`, `${PODS}default/c`])
      expect(store.revision).toBe(3)
    })

    test('of the same tick see each other: one of many creates wins, the losers can read what beat them', async () => {
      const losers: unknown[] = []
      const attempt = (n: number) =>
        store.create(WEB, text(`writer-${n}`)).catch((error: unknown) => {
          losers.push(error)
          return store.get(WEB)!
        })
      const entries = await Promise.all([attempt(1), attempt(2), attempt(3)])
      expect(losers).toHaveLength(2)
      expect(losers.every((error) => error instanceof KeyExists)).toBe(true)
      expect(new Set(entries).size).toBe(1)
    })

    test('in read-modify-write loops all make progress, and none is lost', async () => {
      await store.create(WEB, () => ({ value: Buffer.from('0') }))
      let encodings = 0
      const increment = async (): Promise<void> => {
        for (;;) {
          const { value, revision } = store.get(WEB)!
          try {
            await store.update(WEB, revision, () => {
              encodings += 1
              return { value: Buffer.from(String(Number(value) + 1)) }
            })
            return
          } catch (error) {
            if (!(error instanceof RevisionMismatch)) throw error
            expect(store.get(WEB)!.revision).toBeGreaterThan(revision)
          }
        }
      }
      await Promise.all(Array.from({ length: 20 }, increment))
      expect(String(store.get(WEB)!.value)).toBe('20')
      expect(encodings).toBe(20)
    })

    test('may delete and create one key in the same tick', async () => {
      await store.create(WEB, text('old'))
      store.watch(PODS, store.revision, record)
      await Promise.all([store.delete(WEB, 2, text('last')), store.create(WEB, text('new'))])
      expect(String(store.get(WEB)!.value)).toBe('new@4')
      expect(seen).toEqual(['deleted last@3 after old@2', 'created new@4 after undefined'])
    })

    test.each([
      ['no table', 'web'],
      ['one segment', 'core/pods'],
      ['no name', 'core/pods/'],
      ['an empty segment', '/pods/web'],
      ['a slash at the end', 'core/pods/default/'],
      ['a NUL', 'core/pods/a\0b'],
      ['too many bytes', `core/pods/${'ü'.repeat(MAX_KEY_BYTES / 2)}`],
    ])('refuse a key with %s', async (_, key) => {
      await expect(store.create(key, text('x'))).rejects.toThrow(RangeError)
    })

    test('take the longest key and values of any size', async () => {
      const key = PODS.padEnd(MAX_KEY_BYTES, 'k')
      await store.create(key, () => ({ value: Buffer.alloc(0) }))
      expect(store.get(key)!.value).toHaveLength(0)
      const big = Buffer.alloc(3_000_000, 'b')
      await store.update(key, 2, () => ({ value: big }))
      expect(store.get(key)!.value.equals(big)).toBe(true)
    })
  })

  describe('list', () => {
    const names = ['a/x', 'a/y', 'a-b/x', 'b/x', 'b/y/z', 'c']

    beforeEach(async () => {
      for (const name of [...names].reverse()) await store.create(PODS + name, text(name))
      await store.create('core/pods2/a/x', text('other table'))
      await store.create('core/po/a/x', text('other table'))
    })

    test('gives the keys under a prefix, in order, and the revision it is true for', () => {
      expect(keys(PODS)).toEqual([...names].sort().map((name) => PODS + name))
      expect(keys(`${PODS}a/`)).toEqual([`${PODS}a/x`, `${PODS}a/y`])
      expect(keys(`${PODS}b/y/`)).toEqual([`${PODS}b/y/z`])
      expect(keys(`${PODS}none/`)).toEqual([])
      expect(store.list('apps/deployments/')).toEqual({ entries: [], revision: store.revision, remaining: 0 })
      expect(store.list(PODS).revision).toBe(9)
    })

    test('pages, telling what remains', () => {
      const pages: string[][] = []
      const remainders: number[] = []
      let after: string | undefined
      do {
        const { entries, remaining } = store.list(PODS, { limit: 4, ...(after && { after }) })
        pages.push(entries.map((entry) => entry.key))
        remainders.push(remaining)
        after = remaining > 0 ? entries.at(-1)!.key : undefined
      } while (after)
      expect(pages.flat()).toEqual(keys(PODS))
      expect(remainders).toEqual([2, 0])
      expect(store.list(PODS, { limit: 0 })).toMatchObject({ entries: [], remaining: 6 })
      expect(keys(`${PODS}b/`, { after: `${PODS}a/zzz` })).toEqual([`${PODS}b/x`, `${PODS}b/y/z`])
      expect(keys(`${PODS}b/`, { after: `${PODS}zzz` })).toEqual([])
      expect(keys(PODS, { after: `${PODS}a/x0` })[0]).toBe(`${PODS}a/y`)
    })

    test('at an older revision shows what was there then, also in pages', async () => {
      const then = store.revision
      const before = store.list(PODS).entries.map((entry) => String(entry.value))
      await store.delete(`${PODS}a/x`, store.get(`${PODS}a/x`)!.revision, text('gone'))
      await store.update(`${PODS}b/x`, store.get(`${PODS}b/x`)!.revision, text('changed'))
      await store.update(`${PODS}b/x`, store.get(`${PODS}b/x`)!.revision, text('changed again'))
      await store.create(`${PODS}a/new`, text('new'))
      await store.delete(`${PODS}c`, store.get(`${PODS}c`)!.revision, text('gone'))
      const whole = store.list(PODS, { revision: then })
      expect(whole.entries.map((entry) => String(entry.value))).toEqual(before)
      expect(whole).toMatchObject({ revision: then, remaining: 0 })
      const first = store.list(PODS, { revision: then, limit: 4 })
      const second = store.list(PODS, { revision: then, limit: 4, after: first.entries.at(-1)!.key })
      expect([first.remaining, second.remaining]).toEqual([2, 0])
      expect([...first.entries, ...second.entries].map((entry) => String(entry.value))).toEqual(before)
      expect(keys(`${PODS}a/`, { revision: then })).toEqual([`${PODS}a/x`, `${PODS}a/y`])
      expect(keys(PODS)).toContain(`${PODS}a/new`)
    })

    test('of a whole table is one array until the table is written', async () => {
      const first = store.list(PODS).entries
      await store.create('core/po/a/y', text('other table'))
      expect(store.list(PODS).entries).toBe(first)
      await store.create(`${PODS}d`, text('d'))
      expect(store.list(PODS).entries).not.toBe(first)
      expect(first).toHaveLength(6)
      expect(store.list(PODS).entries).toHaveLength(7)
    })

    test('refuses revisions that are not there, and prefixes that span no table', () => {
      expect(() => store.list(PODS, { revision: store.revision + 1 })).toThrow(RevisionInFuture)
      store.compact(5)
      expect(() => store.list(PODS, { revision: 4 })).toThrow(RevisionCompacted)
      expect(keys(PODS, { revision: 5 })).toHaveLength(4)
      for (const prefix of ['', '/', 'core/', 'core/pods', 'core/pods/a']) expect(() => store.list(prefix)).toThrow(RangeError)
    })
  })

  describe('watch', () => {
    test('delivers created, updated and deleted with the version before', async () => {
      store.watch(`${PODS}default/`, store.revision, record)
      await store.create(WEB, text('one'))
      await store.create(`${PODS}other/web`, text('elsewhere'))
      await store.create('core/secrets/default/web', text('elsewhere'))
      await store.update(WEB, 2, text('two'))
      await store.delete(WEB, 5, text('last'))
      expect(seen).toEqual(['created one@2 after undefined', 'updated two@5 after one@2', 'deleted last@6 after two@5'])
    })

    test('replays what was committed above a revision before it returns, then goes on without a gap', async () => {
      await store.create(WEB, text('one'))
      const start = store.revision
      await store.update(WEB, 2, text('two'))
      await store.update(WEB, 3, text('three'))
      store.watch(PODS, start, record)
      expect(seen).toEqual(['updated two@3 after one@2', 'updated three@4 after two@3'])
      await store.update(WEB, 4, text('four'))
      expect(seen.at(-1)).toBe('updated four@5 after three@4')
      expect(seen).toHaveLength(3)
    })

    test('shares events, so that an encoding is made once for all watchers', async () => {
      const events: StoreEvent[] = []
      const collect = (batch: readonly StoreEvent[]) => events.push(...batch)
      store.watch(PODS, 1, collect)
      store.watch(`${PODS}default/`, 1, collect)
      await store.create(WEB, text('one'))
      store.watch(PODS, 1, collect)
      expect(events).toHaveLength(3)
      expect(new Set(events).size).toBe(1)
      expect(events[0]!.entry).toBe(store.get(WEB))
    })

    test('has been told of a write before that write can be read or is answered', async () => {
      let told = 0
      store.watch(PODS, store.revision, (events, revision) => {
        expect(store.revision).toBe(revision)
        for (const { entry } of events) expect(store.get(entry.key)!.revision).toBeGreaterThanOrEqual(entry.revision)
        told = revision
      })
      const writes = Array.from({ length: 50 }, (_, i) =>
        store.create(`${PODS}default/${i}`, text('x')).then((entry) => {
          expect(told).toBeGreaterThanOrEqual(entry.revision)
        }),
      )
      const poll = setInterval(() => {
        if (told > 0) expect(store.revision).toBe(told)
        else expect(store.list(PODS).entries).toEqual([])
      }, 0)
      await Promise.all(writes)
      clearInterval(poll)
      expect(told).toBe(51)
    })

    test('sees revisions in order even when listeners write', async () => {
      const first: number[] = []
      const second: number[] = []
      const chain: Promise<unknown>[] = []
      store.watch(PODS, store.revision, (events) => {
        for (const { entry } of events) {
          first.push(entry.revision)
          if (entry.revision < 6) chain.push(store.create(`${PODS}default/after-${entry.revision}`, text('x')))
        }
      })
      store.watch(PODS, store.revision, (events) => {
        for (const { entry } of events) second.push(entry.revision)
      })
      await store.create(WEB, text('one'))
      while (chain.length > 0) await chain.shift()
      expect(first).toEqual([2, 3, 4, 5, 6])
      expect(second).toEqual(first)
    })

    test('begun or stopped inside a listener neither doubles nor misses', async () => {
      const inner: number[] = []
      const stopped: number[] = []
      let begun = false
      const other = { stop: () => {} }
      store.watch(PODS, store.revision, (_, revision) => {
        other.stop()
        if (begun) return
        begun = true
        store.watch(PODS, revision - 1, (events) => inner.push(...events.map((event) => event.entry.revision)))
      })
      Object.assign(
        other,
        store.watch(PODS, store.revision, () => stopped.push(1)),
      )
      await store.create(WEB, text('one'))
      await store.update(WEB, 2, text('two'))
      expect(inner).toEqual([2, 3])
      expect(stopped).toEqual([])
    })

    test('stops', async () => {
      const watch = store.watch(PODS, 1, record)
      const other = store.watch(PODS, 1, record)
      watch.stop()
      watch.stop()
      await store.create(WEB, text('one'))
      other.stop()
      await store.update(WEB, 2, text('two'))
      expect(seen).toHaveLength(1)
    })

    test('refuses to begin where events are forgotten or not yet made', async () => {
      await store.create(WEB, text('one'))
      await store.update(WEB, 2, text('two'))
      store.compact(2)
      expect(() => store.watch(PODS, 1, record)).toThrow(RevisionCompacted)
      expect(() => store.watch(PODS, 4, record)).toThrow(RevisionInFuture)
      expect(() => store.watch('core/', 3, record)).toThrow(RangeError)
      store.watch(PODS, 2, record)
      expect(seen).toEqual(['updated two@3 after one@2'])
    })
  })

  describe('compaction', () => {
    test('keeps the newest state, and forgets no further than asked', async () => {
      await store.create(WEB, text('one'))
      await store.update(WEB, 2, text('two'))
      await store.update(WEB, 3, text('three'))
      store.compact(3)
      expect(store.compactedRevision).toBe(3)
      store.compact(2)
      expect(store.compactedRevision).toBe(3)
      expect(() => store.compact(5)).toThrow(RevisionInFuture)
      expect(store.list(PODS, { revision: 3 }).entries.map((entry) => String(entry.value))).toEqual(['two@3'])
      store.compact(4)
      expect(String(store.get(WEB)!.value)).toBe('three@4')
    })

    test('happens by itself beyond the limits on events, bytes and age', async () => {
      let now = 0
      const clock = { now: () => now, monotonic: () => now, after: () => () => {} }
      const { store, close } = await driver.open({ clock, history: { maxEvents: 10, maxBytes: 1_000, maxAgeMs: 60_000 } })
      try {
        for (let i = 0; i < 25; i++) await store.create(`${PODS}default/${i}`, () => ({ value: Buffer.alloc(400) }))
        expect(store.revision - store.compactedRevision).toBe(10)
        for (let i = 0; i < 5; i++) await store.delete(`${PODS}default/${i}`, i + 2, () => ({ value: Buffer.alloc(1) }))
        expect(store.revision - store.compactedRevision).toBe(2)
        now += 30_000
        await store.create(WEB, text('young'))
        expect(store.revision - store.compactedRevision).toBe(3)
        now += 30_001
        await store.update(WEB, store.revision, text('younger'))
        expect(store.revision - store.compactedRevision).toBe(2)
      } finally {
        await close()
      }
    })
  })

  test('close keeps what was accepted, and refuses what comes after', async () => {
    const writes = Array.from({ length: 10 }, (_, i) => store.create(`${PODS}default/${i}`, text('x')))
    const closed = store.close()
    await expect(store.create(WEB, text('late'))).rejects.toThrow(StoreUnavailable)
    await closed
    expect(await Promise.all(writes)).toHaveLength(10)
    expect(store.list(PODS).entries).toHaveLength(10)
    await store.close()
  })
})
