/** What a Job's podFailurePolicy says about a failed pod. Pure. */
import type { ContainerStatus, Pod, PodFailurePolicy, PodFailurePolicyRule } from '../../api/types.ts'

interface FailureVerdict {
  action: 'Count' | 'Ignore' | 'FailJob' | 'FailIndex'
  /** Why, for FailJob. */
  message?: string
}

/** The first rule that matches decides; none means the failure counts. */
export function judgeFailure(policy: PodFailurePolicy | undefined, pod: Pod): FailureVerdict {
  for (const [index, rule] of (policy?.rules ?? []).entries()) {
    const why = matches(rule, pod)
    if (why === undefined) continue
    const name = `${pod.metadata.namespace}/${pod.metadata.name}`
    const message = `${why.replace('POD', name)} matching ${rule.action} rule at index ${index}`
    return { action: rule.action as FailureVerdict['action'], message }
  }
  return { action: 'Count' }
}

function matches({ onExitCodes, onPodConditions }: PodFailurePolicyRule, pod: Pod): string | undefined {
  if (onExitCodes) {
    const statuses = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])]
    for (const status of statuses) {
      if (onExitCodes.containerName && onExitCodes.containerName !== status.name) continue
      const code = failedWith(status)
      if (code === undefined) continue
      const listed = (onExitCodes.values ?? []).includes(code)
      if (listed === (onExitCodes.operator === 'In')) return `Container ${status.name} for pod POD failed with exit code ${code}`
    }
    return undefined
  }
  for (const pattern of onPodConditions ?? []) {
    const known = pod.status?.conditions?.find(({ type }) => type === pattern.type)
    if (known && known.status === (pattern.status || 'True')) return `Pod POD has condition ${pattern.type}`
  }
  return undefined
}

function failedWith({ state }: ContainerStatus): number | undefined {
  const code = state?.terminated?.exitCode
  return code === undefined || code === 0 ? undefined : code
}
