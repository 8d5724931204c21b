/** Requests and limits as the runtime's weights and bounds, by Kubernetes' own formulas. Pure. */
import { parseQuantity, quantityMilliValue, quantityValue } from '../../api/quantity.ts'
import type { Container, Pod } from '../../api/types.ts'
import type { ContainerConfig } from '../runtime/runtime.ts'
import { qosClass } from '../status/qos.ts'

const MINIMUM_SHARES = 2
const SHARES_PER_CORE = 1024
const QUOTA_PERIOD_MS = 100
const MINIMUM_QUOTA_MS = 1

/** `memoryCapacity` is the node's, in bytes: the fewer a Burstable container asks for, the sooner it is killed for memory. */
export function resourcesOf(
  pod: Pod,
  container: Container,
  memoryCapacity: number,
): Pick<ContainerConfig, 'resources' | 'oomScoreAdj'> {
  const { requests = {}, limits = {} } = container.resources ?? {}
  const request = requests.cpu ?? limits.cpu
  const shares = request === undefined ? MINIMUM_SHARES : Math.floor((milli(request) * SHARES_PER_CORE) / 1000)
  const limit = limits.cpu === undefined ? 0 : milli(limits.cpu)
  const memory = limits.memory === undefined ? 0 : bytes(limits.memory)
  const memoryRequest = requests.memory === undefined ? memory : bytes(requests.memory)
  return {
    resources: {
      cpuShares: Math.max(MINIMUM_SHARES, shares),
      ...(limit > 0 && {
        cpuQuotaMs: { quota: Math.max(MINIMUM_QUOTA_MS, (limit * QUOTA_PERIOD_MS) / 1000), period: QUOTA_PERIOD_MS },
      }),
      ...(memory > 0 && { memoryLimitBytes: memory }),
      ...((request !== undefined || memoryRequest > 0) && {
        requested: { cpuMillis: request === undefined ? 0 : milli(request), memoryBytes: memoryRequest },
      }),
    },
    oomScoreAdj: oomScore(pod, memoryRequest, memoryCapacity),
  }
}

function oomScore(pod: Pod, memoryRequest: number, capacity: number): number {
  switch (qosClass(pod)) {
    case 'Guaranteed':
      return -997
    case 'BestEffort':
      return 1000
    case 'Burstable':
      return Math.min(999, Math.max(3, Math.floor(1000 - (1000 * memoryRequest) / capacity)))
  }
}

const milli = (text: string): number => quantityMilliValue(parseQuantity(text))
const bytes = (text: string): number => quantityValue(parseQuantity(text))
