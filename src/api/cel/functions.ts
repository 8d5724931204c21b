/** How functions are declared: one line of signature for each overload, what it does, and what it may cost. */
import type { Type } from './types.ts'
import { parseType, splitTypes } from './types.ts'
import type { Value } from './values.ts'

export interface Overload {
  readonly name: string
  /** Called on its first argument, `a.name(b)`. */
  readonly isMember: boolean
  readonly args: readonly Type[]
  readonly result: Type
  readonly run: (args: readonly Value[]) => Value
  readonly cost: Cost
}

/** What grows the cost of a call: sizes of arguments (by index), each visited at a tenth per character or once per element. */
export type Cost = 'one' | 'scan' | 'scanBoth' | 'product' | 'regex' | 'elements' | 'elementsSquared'

export type Functions = ReadonlyMap<string, readonly Overload[]>

type Run = (...args: never[]) => Value

/** `string.startsWith(string): bool`, `size(list<A>): int`, `_+_(int, int): int`. */
export function overload(signature: string, run: Run, cost: Cost = 'one'): Overload {
  const match = /^(?:([^(]+)\.)?([^.(]+(?:\.[^.(]+)?)\((.*)\): (.+)$/.exec(signature)
  if (!match) throw new Error(`this is no signature: ${signature}`)
  const [, target, name = '', args = '', result = ''] = match
  const types = [...(target === undefined ? [] : [target]), ...splitTypes(args)].map(parseType)
  const spread = run as unknown as (...args: readonly Value[]) => Value
  return { name, isMember: target !== undefined, args: types, result: parseType(result), run: (given) => spread(...given), cost }
}

/** A function in a namespace, `math.greatest(int, int): int`, which looks like a call on a variable. */
export function scoped(signature: string, run: Run, cost: Cost = 'one'): Overload {
  const open = signature.indexOf('(')
  const made = overload(`x${signature.slice(open)}`, run, cost)
  return { ...made, name: signature.slice(0, open) }
}

export function byName(libraries: readonly (readonly Overload[])[]): Functions {
  const found = new Map<string, Overload[]>()
  for (const one of libraries.flat()) {
    const known = found.get(one.name)
    if (known) known.push(one)
    else found.set(one.name, [one])
  }
  return found
}
