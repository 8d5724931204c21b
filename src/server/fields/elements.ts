/** What identifies the elements of lists that are merged by key or by value. */
import { elementKeyDefault } from '../../api/schema/lookup.ts'
import type { ListSchema } from '../../api/schema/schema.ts'
import { isRecord } from '../objects/json.ts'

/** The path element of a list's item: `k:{…}` by its keys in order, `v:…` in a set. */
export function elementOf(schema: ListSchema, item: unknown): string {
  if (schema.listType === 'set') return `v:${JSON.stringify(item)}`
  const keys = sortedKeys(schema)
  let text = 'k:{'
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!
    const given = isRecord(item) ? item[key] : undefined
    const value = given ?? elementKeyDefault(schema, key) ?? null
    text += `${i > 0 ? ',' : ''}"${key}":${JSON.stringify(value)}`
  }
  return `${text}}`
}

const sorted = new WeakMap<ListSchema, readonly string[]>()

function sortedKeys(schema: ListSchema): readonly string[] {
  let keys = sorted.get(schema)
  if (!keys) {
    keys = [...schema.keys].sort()
    sorted.set(schema, keys)
  }
  return keys
}

/** A list's items by their element; the first of each, where one stands twice. */
export function indexList(schema: ListSchema, items: readonly unknown[]): Map<string, unknown> {
  const index = new Map<string, unknown>()
  for (const item of items) {
    const element = elementOf(schema, item)
    if (!index.has(element)) index.set(element, item)
  }
  return index
}
