/** What the containers of a pod ask for together. */
import { addQuantities, parseQuantity, type Quantity, zeroQuantity } from '../quantity.ts'
import type { Container, PodSpec } from '../types.ts'

/** Whether a pod as a whole can ask for it. */
export const isPodLevel = (name: string): boolean => name === 'cpu' || name === 'memory' || name.startsWith('hugepages-')

/** Sidecars and containers together, or the largest init container where that is more. */
export function totalRequests(spec: PodSpec): Map<string, Quantity> {
  const together = new Map<string, Quantity>()
  const largest = new Map<string, Quantity>()
  const add = (container: Container) => {
    for (const [name, text] of Object.entries(container.resources?.requests ?? {})) {
      together.set(name, addQuantities(together.get(name) ?? zeroQuantity, parseQuantity(text)))
    }
  }
  for (const container of spec.initContainers ?? []) {
    if (container.restartPolicy === 'Always') add(container)
    else {
      for (const [name, text] of Object.entries(container.resources?.requests ?? {})) {
        const peak = addQuantities(together.get(name) ?? zeroQuantity, parseQuantity(text))
        if (peak.nano > (largest.get(name)?.nano ?? -1n)) largest.set(name, peak)
      }
    }
  }
  for (const container of spec.containers ?? []) add(container)
  for (const [name, peak] of largest) if (peak.nano > (together.get(name)?.nano ?? -1n)) together.set(name, peak)
  return together
}
