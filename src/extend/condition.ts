/** A condition of skiff's own in the status of a workload, beside those of its controller, which leaves it alone. */
import { isNotFound } from '../api/status.ts'
import type { Client, ResourceRef } from '../client/client.ts'

export interface ConditionState {
  status: 'True' | 'False' | 'Unknown'
  reason: string
  message: string
}

interface Conditioned {
  metadata: { name?: string | undefined; namespace?: string | undefined }
  status?: { conditions?: readonly WrittenCondition[] | undefined } | undefined
}

interface WrittenCondition {
  type: string
  status: string
  reason?: string | undefined
  message?: string | undefined
  lastTransitionTime?: string | undefined
}

/** Writes it unless it says so already; `undefined` takes it away. `now`: RFC 3339. Answers whether it was written. */
export async function writeCondition<T extends Conditioned>(
  client: Client,
  resource: ResourceRef<T>,
  object: T,
  type: string,
  state: ConditionState | undefined,
  now: string,
): Promise<boolean> {
  const known = object.status?.conditions?.find((condition) => condition.type === type)
  if (known?.status === state?.status && known?.reason === state?.reason && known?.message === state?.message) return false
  const since = known && known.status === state?.status ? known.lastTransitionTime : now
  const condition = state ? { type, ...state, lastTransitionTime: since } : { type, $patch: 'delete' }
  const { name = '', namespace } = object.metadata
  try {
    const patch = { status: { conditions: [condition] } }
    await client.patch(resource, name, 'strategic', patch, { namespace, subresource: 'status' })
    return true
  } catch (error) {
    if (isNotFound(error)) return false
    throw error
  }
}
