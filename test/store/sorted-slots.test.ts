/** The order of a table at sizes where chunks split and merge. */
import { expect, test } from 'vitest'
import { SortedSlots } from '../../src/store/sorted-slots.ts'
import { seeded } from './drivers.ts'

const slot = (key: string) => ({ key, entry: { key, value: Buffer.alloc(0), revision: 1, decoded: undefined } })

function check(sorted: SortedSlots, keys: readonly string[]): void {
  expect(sorted.size).toBe(keys.length)
  expect(sorted.entries(0, sorted.size).map((entry) => entry.key)).toEqual(keys)
  for (let position = 0; position < keys.length; position += 97) {
    const key = keys[position]!
    expect([sorted.rank(key), sorted.rank(`${key}\0`)]).toEqual([position, position + 1])
    expect(sorted.entries(position, position + 3).map((entry) => entry.key)).toEqual(keys.slice(position, position + 3))
  }
  expect(sorted.rank('')).toBe(0)
  expect(sorted.rank('~')).toBe(keys.length)
}

test.each(['ascending', 'descending', 'shuffled'])('holds 5,000 keys inserted %s, and loses them one by one', (order) => {
  const random = seeded(7)
  const keys = Array.from({ length: 5_000 }, (_, i) => `k${String(i).padStart(5, '0')}`)
  const inserted = [...keys]
  if (order === 'descending') inserted.reverse()
  if (order === 'shuffled') inserted.sort(() => random() - 0.5)
  const sorted = new SortedSlots()
  for (const key of inserted) sorted.insert(slot(key))
  check(sorted, keys)
  const left = new Set(keys)
  const removed = [...keys].sort(() => random() - 0.5)
  for (const [i, key] of removed.entries()) {
    sorted.remove(key)
    left.delete(key)
    if (i % 1_000 === 999) check(sorted, [...left])
  }
  sorted.insert(slot('again'))
  check(sorted, ['again'])
})
