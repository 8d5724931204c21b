/**
 * Random operations against a model that keeps the whole history in a plain array: every answer, list, watch and refusal
 * must be what the model says. The seed of a failure is in the test's name; `SEED=n` runs that one.
 */
import { describe, expect, test } from 'vitest'
import { KeyExists, KeyNotFound, RevisionCompacted, RevisionMismatch } from '../../src/store/errors.ts'
import type { Entry, ListOptions, Store, StoreEvent } from '../../src/store/store.ts'
import { drivers, seeded, text } from './drivers.ts'

const STEPS = 150
const seeds = process.env.SEED ? [Number(process.env.SEED)] : [1, 2, 3, Date.now() % 1_000_000]

interface Change {
  type: StoreEvent['type']
  key: string
  revision: number
  value: string
}

class Model {
  readonly changes: Change[] = []
  readonly random: () => number
  revision = 1

  constructor(random: () => number) {
    this.random = random
  }

  stateAt(revision: number): Map<string, Change> {
    const state = new Map<string, Change>()
    for (const change of this.changes) {
      if (change.revision > revision) break
      if (change.type === 'deleted') state.delete(change.key)
      else state.set(change.key, change)
    }
    return state
  }

  list(prefix: string, revision: number, options: ListOptions): { values: string[]; remaining: number } {
    const keys = [...this.stateAt(revision).values()].filter(({ key }) => key.startsWith(prefix) && key > (options.after ?? ''))
    keys.sort((a, b) => (a.key < b.key ? -1 : 1))
    const page = keys.slice(0, options.limit ?? keys.length)
    return { values: page.map(({ key, value }) => `${key}=${value}`), remaining: keys.length - page.length }
  }

  pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.random() * items.length)]!
  }

  below(n: number): number {
    return Math.floor(this.random() * n)
  }

  key(): string {
    return `${this.pick(['a/t/', 'a/t2/', 'b/t/'])}${this.pick(['n', 'n/m', 'o-p', 'ö'])}/${this.below(12)}`
  }

  prefix(): string {
    return this.pick(['a/t/', 'a/t2/', 'b/t/', 'a/t/n/', 'a/t/n/m/', 'a/t2/o-p/', 'b/t/ö/', 'c/none/'])
  }
}

/** Makes one write of the store and says what the model expects of it; the model's state moves on at once. */
function write(store: Store, model: Model, key: string, content: string): Promise<void> {
  const current = model.stateAt(model.revision).get(key)
  const right = model.random() < 0.8
  const expected = right && current ? current.revision : model.below(model.revision + 2)
  const type = model.pick(['created', 'updated', 'updated', 'deleted'] as const)
  let refusal: typeof KeyExists | typeof KeyNotFound | typeof RevisionMismatch | undefined
  if (type === 'created') refusal = current && KeyExists
  else if (!current) refusal = KeyNotFound
  else if (current.revision !== expected) refusal = RevisionMismatch
  if (!refusal) {
    model.revision += 1
    model.changes.push({ type, key, revision: model.revision, value: `${content}@${model.revision}` })
  }
  const revision = model.revision
  let answer: Promise<Entry>
  if (type === 'created') answer = store.create(key, text(content))
  else if (type === 'updated') answer = store.update(key, expected, text(content))
  else answer = store.delete(key, expected, text(content))
  if (refusal) return expect(answer).rejects.toThrow(refusal)
  return expect(answer.then((entry) => [entry.key, entry.revision, String(entry.value)])).resolves.toEqual([
    key,
    revision,
    `${content}@${revision}`,
  ])
}

function checkList(store: Store, model: Model): void {
  const prefix = model.prefix()
  const revision = model.random() < 0.5 ? undefined : Math.max(1, model.revision - model.below(80))
  const options: ListOptions = {
    ...(revision !== undefined && { revision }),
    ...(model.random() < 0.5 && { limit: model.below(12) }),
    ...(model.random() < 0.3 && { after: model.key() }),
  }
  if (revision !== undefined && revision < store.compactedRevision) {
    expect(() => store.list(prefix, options)).toThrow(RevisionCompacted)
    return
  }
  const { entries, remaining, revision: answered } = store.list(prefix, options)
  const values = entries.map(({ key, value }) => `${key}=${value}`)
  expect({ values, remaining }).toEqual(model.list(prefix, revision ?? model.revision, options))
  expect(answered).toBe(revision ?? model.revision)
}

describe.each(drivers)('$name store', (driver) => {
  test.each(seeds)(`agrees with the model, seed %i`, async (seed) => {
    const model = new Model(seeded(seed))
    const { store, close } = await driver.open({ history: { maxEvents: 60 } })
    const watched: { prefix: string; after: number; until: number; got: string[]; stop: () => void }[] = []
    try {
      for (let step = 0; step < STEPS; step++) {
        const keys = new Set(Array.from({ length: 1 + model.below(8) }, () => model.key()))
        await Promise.all([...keys].map((key, i) => write(store, model, key, `${step}.${i}`)))
        expect(store.revision).toBe(model.revision)
        expect(store.compactedRevision).toBeGreaterThanOrEqual(model.revision - 60)
        for (let i = 0; i < 4; i++) checkList(store, model)
        const key = model.key()
        expect(store.get(key)?.revision).toBe(model.stateAt(model.revision).get(key)?.revision)
        if (model.random() < 0.2) {
          const got: string[] = []
          const after = store.compactedRevision + model.below(model.revision - store.compactedRevision + 1)
          const prefix = model.prefix()
          const { stop } = store.watch(prefix, after, (events) => {
            for (const { type, entry } of events) got.push(`${type} ${entry.key} ${entry.value}`)
          })
          watched.push({ prefix, after, until: Number.POSITIVE_INFINITY, got, stop })
        }
        if (model.random() < 0.1 && watched.length > 0) {
          const stopped = model.pick(watched)
          stopped.stop()
          stopped.until = Math.min(stopped.until, model.revision)
        }
        if (model.random() < 0.02) store.compact(model.revision - model.below(20))
      }
      for (const { prefix, after, until, got } of watched) {
        const due = model.changes.filter(({ key, revision }) => key.startsWith(prefix) && revision > after && revision <= until)
        expect(got).toEqual(due.map(({ type, key, value }) => `${type} ${key} ${value}`))
      }
    } finally {
      await close()
    }
  })
})
