/** `--sort-by`: objects in the order of what a path leads to in each. Numbers, quantities and times by their size, texts as people count. */
import type { KubeObject } from '../api/object.ts'
import { compareQuantities, tryParseQuantity } from '../api/quantity.ts'
import { CommandError } from './io.ts'
import { evaluatePath, relaxedPath } from './jsonpath.ts'

/** `items` in the order of their objects; those without a value come first. Throws CommandError for a path that no object has. */
export function sortBy<T>(items: readonly T[], path: string, objectOf: (item: T) => KubeObject): T[] {
  const steps = relaxedPath(path)
  const valued = items.map((item) => ({ item, value: evaluatePath(steps, objectOf(item))[0] }))
  if (items.length > 0 && valued.every(({ value }) => value === undefined))
    throw new CommandError(`--sort-by ${JSON.stringify(path)}: no object has such a field`)
  return valued.sort((a, b) => compareValues(a.value, b.value)).map(({ item }) => item)
}

function compareValues(a: unknown, b: unknown): number {
  if (a === undefined || a === null || b === undefined || b === null) return rank(a) - rank(b)
  if (typeof a === 'number' && typeof b === 'number') return a - b
  const [first, second] = [tryParseQuantity(String(a)), tryParseQuantity(String(b))]
  if (first && second) return compareQuantities(first, second)
  return COUNTING.compare(textOf(a), textOf(b))
}

const rank = (value: unknown): number => (value === undefined || value === null ? 0 : 1)

/** `web-2` comes before `web-10`. */
const COUNTING = new Intl.Collator('en', { numeric: true })

function textOf(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
