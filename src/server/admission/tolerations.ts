/** Pods stay for five minutes on a node that stopped being ready or reachable, unless they say otherwise. */
import type { Pod, Toleration } from '../../api/types.ts'
import type { AdmissionPlugin } from './contract.ts'
import { isAbout } from './refusal.ts'

const TAINTS = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']
const TOLERATION_SECONDS = 300

export const defaultTolerationSeconds: AdmissionPlugin = {
  name: 'DefaultTolerationSeconds',
  handles: (request) => (request.operation === 'CREATE' || request.operation === 'UPDATE') && isAbout(request, '', 'pods'),
  mutate(request) {
    const spec = (request.object as Pod | undefined)?.spec
    if (!spec) return
    for (const key of TAINTS) {
      if (spec.tolerations?.some((toleration) => decides(toleration, key))) continue
      const added = { key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: TOLERATION_SECONDS }
      if (spec.tolerations) spec.tolerations.push(added)
      else spec.tolerations = [added]
    }
  },
}

/** Whether a toleration says already what happens under this taint. */
function decides({ key, effect }: Toleration, taint: string): boolean {
  return (!key || key === taint) && (!effect || effect === 'NoExecute')
}
