/** A pod's quality of service from its requests and limits of cpu and memory. Pure. */
import { compareQuantities, tryParseQuantity } from '../../api/quantity.ts'
import type { Container, Pod } from '../../api/types.ts'

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort'

export function qosClass(pod: Pod): QosClass {
  const given = pod.status?.qosClass
  if (given) return given as QosClass
  const containers = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])]
  if (containers.every(asksNothing)) return 'BestEffort'
  return containers.every(isGuaranteed) ? 'Guaranteed' : 'Burstable'
}

const RESOURCES = ['cpu', 'memory']

function asksNothing({ resources }: Container): boolean {
  return RESOURCES.every((name) => isZero(resources?.requests?.[name]) && isZero(resources?.limits?.[name]))
}

function isGuaranteed({ resources }: Container): boolean {
  return RESOURCES.every((name) => {
    const limit = tryParseQuantity(resources?.limits?.[name] ?? '')
    const request = tryParseQuantity(resources?.requests?.[name] ?? resources?.limits?.[name] ?? '')
    return limit !== undefined && request !== undefined && limit.nano > 0n && compareQuantities(limit, request) === 0
  })
}

function isZero(text: string | undefined): boolean {
  return text === undefined || (tryParseQuantity(text)?.nano ?? 0n) === 0n
}
