/** Which of a pod's values may become what their source says now. Pure. */
import { isLive } from '../../api/downward/annotations.ts'
import type { KubeObject } from '../../api/object.ts'
import { watchedVariables } from './on-change.ts'

/** Files follow their source; a variable only gets its first value, and another where it asks for a restart with it. */
export function mayChange(key: string, before: string | undefined, pod: KubeObject): boolean {
  if (before === undefined || isLive(key)) return true
  return watchedVariables(pod.spec, pod.metadata.annotations).some(
    ({ keys, action }) => action.do === 'restart' && keys.includes(key),
  )
}
