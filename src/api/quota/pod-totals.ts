/** What a whole pod asks for or is limited to: containers and sidecars together, or the largest init container if that is more. */
import { addQuantities, parseQuantity, type Quantity, zeroQuantity } from '../quantity.ts'
import type { Container, PodSpec } from '../types.ts'

export type Amounts = Map<string, Quantity>

/** By resource name. Amounts of the pod itself (`spec.resources`) stand instead of its containers'; overhead comes on top. */
export function podTotals(spec: PodSpec, which: 'requests' | 'limits'): Amounts {
  const totals: Amounts = new Map()
  const peaks: Amounts = new Map()
  for (const container of spec.initContainers ?? []) {
    if (container.restartPolicy === 'Always') addAll(totals, amountsOf(container, which))
    else
      for (const [name, amount] of amountsOf(container, which))
        raise(peaks, name, addQuantities(totals.get(name) ?? zeroQuantity, amount))
  }
  for (const container of spec.containers ?? []) addAll(totals, amountsOf(container, which))
  for (const [name, peak] of peaks) raise(totals, name, peak)
  for (const [name, text] of Object.entries(spec.resources?.[which] ?? {})) totals.set(name, parseQuantity(text))
  for (const [name, text] of Object.entries(spec.overhead ?? {})) {
    // Overhead raises a limit where there is one, and makes none.
    if (which === 'requests' || totals.has(name)) addAll(totals, [[name, parseQuantity(text)]])
  }
  return totals
}

export function amountsOf(container: Container, which: 'requests' | 'limits'): [string, Quantity][] {
  return Object.entries(container.resources?.[which] ?? {}).map(([name, text]) => [name, parseQuantity(text)])
}

function addAll(totals: Amounts, amounts: Iterable<[string, Quantity]>): void {
  for (const [name, amount] of amounts) totals.set(name, addQuantities(totals.get(name) ?? zeroQuantity, amount))
}

function raise(amounts: Amounts, name: string, amount: Quantity): void {
  const known = amounts.get(name)
  if (!known || amount.nano > known.nano) amounts.set(name, amount)
}
