/** Values of a container's requests and limits for `resourceFieldRef`, in units of its divisor. Pure. */
import { parseQuantity, type Quantity } from '../quantity.ts'
import type { Container, ResourceFieldSelector } from '../types.ts'

/** Absent limits read as what the node has to give. Throws for a resource that Kubernetes does not support either. */
export function resourceValue(
  container: Container,
  reference: ResourceFieldSelector,
  allocatable: Readonly<Record<string, string>>,
): string {
  const [list, name] = split(reference.resource)
  const own = container.resources?.[list]?.[name]
  const text = own ?? (list === 'limits' ? allocatable[name] : undefined) ?? '0'
  const divisor = parseQuantity(reference.divisor || '1')
  return divideUp(parseQuantity(text), divisor.nano === 0n ? parseQuantity('1') : divisor)
}

function split(resource: string): ['limits' | 'requests', string] {
  const match = /^(limits|requests)\.(cpu|memory|ephemeral-storage|hugepages-.+)$/.exec(resource)
  if (!match) throw new Error(`unsupported container resource: ${resource}`)
  return [match[1] as 'limits' | 'requests', match[2] as string]
}

function divideUp(amount: Quantity, divisor: Quantity): string {
  return String((amount.nano + divisor.nano - 1n) / divisor.nano)
}
