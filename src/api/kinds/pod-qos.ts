/** The quality of service of a pod: `Guaranteed`, `Burstable` or `BestEffort`, from what its containers ask for. */
import { compareQuantities, tryParseQuantity } from '../quantity.ts'
import type { PodSpec, ResourceRequirements } from '../types.ts'

const COUNTED = ['cpu', 'memory'] as const

export function qosClass(spec: PodSpec): string {
  if (spec.resources && hasAny(spec.resources)) return classOf([spec.resources])
  const all = [...(spec.initContainers ?? []), ...(spec.containers ?? [])].map((container) => container.resources ?? {})
  return classOf(all)
}

function classOf(all: readonly ResourceRequirements[]): string {
  if (!all.some(hasAny)) return 'BestEffort'
  return all.every(isGuaranteed) ? 'Guaranteed' : 'Burstable'
}

function hasAny({ limits, requests }: ResourceRequirements): boolean {
  return COUNTED.some((name) => amount(limits?.[name]) !== undefined || amount(requests?.[name]) !== undefined)
}

/** Limits on both, and requests that are the same where there are any. */
function isGuaranteed({ limits, requests }: ResourceRequirements): boolean {
  return COUNTED.every((name) => {
    const limit = amount(limits?.[name])
    const request = amount(requests?.[name])
    return limit !== undefined && (request === undefined || compareQuantities(limit, request) === 0)
  })
}

/** An amount above zero: nothing else counts. */
function amount(text: string | undefined) {
  const quantity = text === undefined || text === '0' ? undefined : tryParseQuantity(text)
  return quantity && quantity.nano > 0n ? quantity : undefined
}
