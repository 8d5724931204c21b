/** What is used as lines of a table, by the headings and in the units of `kubectl top`. Pure. */
import {
  addQuantities,
  parseQuantity,
  type Quantity,
  quantityMilliValue,
  quantityValue,
  zeroQuantity,
} from '../../api/quantity.ts'
import type { Node, NodeMetrics, PodMetrics } from '../../api/types.ts'

export interface Rows {
  readonly header: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

export type SortBy = 'cpu' | 'memory'

const MEBIBYTE = 2 ** 20
const UNKNOWN = '<unknown>'

interface Used {
  readonly cpu: Quantity
  readonly memory: Quantity
}

/** Of each pod, or of each of its containers. */
export function podRows(
  metrics: readonly PodMetrics[],
  look: { containers: boolean; withNamespace: boolean; sortBy: SortBy | undefined; sum: boolean },
): Rows {
  const { containers: byContainer, withNamespace, sortBy, sum } = look
  const sorted = inOrder(metrics, sortBy, podUse, ({ metadata: { namespace = '', name = '' } }) => `${namespace}/${name}`)
  const rows = sorted.flatMap((one) => {
    const { namespace = '', name = '' } = one.metadata
    const before = [...(withNamespace ? [namespace] : []), name]
    if (!byContainer) return [[...before, ...amounts(podUse(one))]]
    return inOrder(
      one.containers,
      sortBy,
      ({ usage }) => used(usage),
      (container) => container.name,
    ).map((container) => [...before, container.name, ...amounts(used(container.usage))])
  })
  const names = [...(withNamespace ? ['NAMESPACE'] : []), ...(byContainer ? ['POD', 'NAME'] : ['NAME'])]
  if (sum) rows.push([...names.map(() => ''), ...amounts(total(metrics.map(podUse)))])
  return { header: [...names, 'CPU(cores)', 'MEMORY(bytes)'], rows }
}

/** Of each node, and its share of what pods may have, or of all there is. A node that was not measured is shown, too. */
export function nodeRows(
  nodes: readonly Node[],
  metrics: readonly NodeMetrics[],
  look: { ofCapacity: boolean; sortBy: SortBy | undefined },
): Rows {
  const byName = new Map(metrics.map((one) => [one.metadata.name, used(one.usage)]))
  const useOf = ({ metadata: { name } }: Node) => byName.get(name)
  const sorted = inOrder(
    nodes,
    look.sortBy,
    (node) => useOf(node) ?? { cpu: zeroQuantity, memory: zeroQuantity },
    ({ metadata: { name = '' } }) => name,
  )
  const rows = sorted.map((node) => {
    const { name = '' } = node.metadata
    const use = useOf(node)
    if (!use) return [name, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN]
    const [cpu = '', memory = ''] = amounts(use)
    const there = look.ofCapacity ? node.status?.capacity : node.status?.allocatable
    return [name, cpu, share(use.cpu, there?.cpu), memory, share(use.memory, there?.memory)]
  })
  return { header: ['NAME', 'CPU(cores)', 'CPU(%)', 'MEMORY(bytes)', 'MEMORY(%)'], rows }
}

/** By what is used, most first, or by name. */
function inOrder<T>(items: readonly T[], sortBy: SortBy | undefined, useOf: (item: T) => Used, nameOf: (item: T) => string): T[] {
  const byName = (a: T, b: T) => (nameOf(a) < nameOf(b) ? -1 : 1)
  if (!sortBy) return [...items].sort(byName)
  const amount = (item: T) => useOf(item)[sortBy].nano
  return [...items].sort((a, b) => (amount(a) === amount(b) ? byName(a, b) : amount(a) > amount(b) ? -1 : 1))
}

function podUse({ containers }: PodMetrics): Used {
  return total(containers.map(({ usage }) => used(usage)))
}

function used({ cpu = '0', memory = '0' }: Record<string, string>): Used {
  return { cpu: parseQuantity(cpu), memory: parseQuantity(memory) }
}

function total(uses: readonly Used[]): Used {
  const add = (of: (use: Used) => Quantity) => uses.map(of).reduce(addQuantities, zeroQuantity)
  return { cpu: add(({ cpu }) => cpu), memory: add(({ memory }) => memory) }
}

function amounts({ cpu, memory }: Used): string[] {
  return [`${quantityMilliValue(cpu)}m`, `${Math.floor(quantityValue(memory) / MEBIBYTE)}Mi`]
}

function share(use: Quantity, there: string | undefined): string {
  const all = there === undefined ? 0 : quantityMilliValue(parseQuantity(there))
  return all > 0 ? `${Math.floor((quantityMilliValue(use) / all) * 100)}%` : UNKNOWN
}
