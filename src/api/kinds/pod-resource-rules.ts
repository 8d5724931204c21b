/** Rules for what a pod asks for as a whole, beside what its containers ask for. */
import { type Errors, forbidden, invalid } from '../field-errors.ts'
import { compareQuantities, formatQuantity, tryParseQuantity, zeroQuantity } from '../quantity.ts'
import type { PodSpec } from '../types.ts'
import { isPodLevel, totalRequests } from './pod-totals.ts'
import { checkPodLevelResources } from './resource-rules.ts'

/** Requests of the whole cover those of the parts, and no part may use more than the whole. */
export function checkPodResources(spec: PodSpec, path: string, errors: Errors): void {
  const { resources } = spec
  if (!resources) return
  if (resources.claims) errors.push(forbidden(`${path}.claims`, 'claims cannot be set for Resources at pod-level'))
  checkPodLevelResources(resources, path, errors)
  for (const [name, total] of totalRequests(spec)) {
    const text = resources.requests?.[name]
    if (text === undefined && !isPodLevel(name)) continue
    if (compareQuantities(total, tryParseQuantity(text) ?? zeroQuantity) <= 0) continue
    const detail = `must be greater than or equal to aggregate container requests of ${formatQuantity(total)}`
    errors.push(invalid(`${path}.requests[${name}]`, text ?? '0', detail))
  }
  spec.containers?.forEach((container, index) => {
    for (const [name, text] of Object.entries(container.resources?.limits ?? {})) {
      const limit = resources.limits?.[name]
      if (limit === undefined) continue
      if (compareQuantities(tryParseQuantity(text) ?? zeroQuantity, tryParseQuantity(limit) ?? zeroQuantity) <= 0) continue
      const detail = `must be less than or equal to pod limits of ${limit}`
      errors.push(invalid(`${path}.containers[${index}][${name}].limits`, text, detail))
    }
  })
}
