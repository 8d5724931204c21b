/** What a pod asks of this node beyond Kubernetes, read from its annotations when the node takes it. Pure. */
import { notifyWishes } from '../../api/extensions/notify.ts'
import { preStartName, preStartWishes } from '../../api/extensions/pre-start.ts'
import { type StageTimeouts, timeoutWishes } from '../../api/extensions/stage-timeouts.ts'
import type { Pod } from '../../api/types.ts'
import type { PodMemory } from '../plan/types.ts'

export interface Wishes {
  notify: ReadonlySet<string>
  timeouts: Readonly<Record<string, StageTimeouts>>
  preStarts: NonNullable<PodMemory['preStarts']>
  /** Why the node does not take the pod. */
  refusal?: { reason: string; message: string }
}

const NONE: Wishes = { notify: new Set(), timeouts: {}, preStarts: {} }

export function wishesOf(pod: Pod): Wishes {
  const annotations = pod.metadata.annotations
  if (!annotations || !Object.keys(annotations).some((name) => name.startsWith('skiff.dev/'))) return NONE
  const notify = notifyWishes(pod)
  const limits = timeoutWishes(pod)
  const hooks = preStartWishes(pod)
  const names = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])].map(({ name }) => name)
  const timeouts = Object.fromEntries(names.map((name) => [name, limits.containers.get(name) ?? limits.pod]))
  const preStarts = hooks.hooks.map(({ container, onFailure }) => {
    const timeoutMs = timeouts[container]?.preStart
    return [preStartName(container), { onFailure, ...(timeoutMs !== undefined && { timeoutMs }) }] as const
  })
  const [problem] = [...notify.problems, ...limits.problems, ...hooks.problems]
  return {
    notify: notify.containers,
    timeouts,
    preStarts: Object.fromEntries(preStarts),
    ...(problem && {
      refusal: { reason: 'InvalidAnnotation', message: `annotation ${problem.annotation}: ${problem.message}` },
    }),
  }
}
