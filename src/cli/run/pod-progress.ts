/** The pod of what runs once, from its making to its end: what a look at it says. Pure but for the watching itself. */
import type { ContainerStatus, Pod } from '../../api/types.ts'
import { CommandError, type Io, writeLine } from '../io.ts'
import { watchPods } from '../pod-watch.ts'
import type { Place } from '../session.ts'

/** Reasons that no waiting heals when something is to run once. */
const HOPELESS = new Set([
  'ErrImagePull',
  'ImagePullBackOff',
  'InvalidImageName',
  'ErrImageNeverPull',
  'CreateContainerConfigError',
  'CreateContainerError',
])

export interface Watched {
  /** `pod/NAME` or `job/NAME`. */
  readonly handle: string
  readonly selection: { labelSelector?: string; fieldSelector?: string }
}

export function watchedOf(as: 'pod' | 'job', name: string): Watched {
  const selection =
    as === 'job' ? { labelSelector: `batch.kubernetes.io/job-name=${name}` } : { fieldSelector: `metadata.name=${name}` }
  return { handle: `${as}/${name}`, selection }
}

export function statusOf({ status }: Pod, container: string): ContainerStatus | undefined {
  return status?.containerStatuses?.find(({ name }) => name === container)
}

/** Every state of the pod, until nobody asks. Throws CommandError when it can never run, or is taken away. */
export async function* podStates({ handle, selection }: Watched, io: Io, place: Place): AsyncGenerator<Pod> {
  let seen = false
  let told = ''
  for await (const pods of watchPods(place, selection, io.signal)) {
    const [pod] = [...pods].sort((a, b) => (b.metadata.creationTimestamp ?? '').localeCompare(a.metadata.creationTimestamp ?? ''))
    if (!pod) {
      if (seen) throw new CommandError(`${handle}: its pod was deleted`)
      continue
    }
    seen = true
    const note = unscheduled(pod)
    if (note !== told && note !== '') writeLine(io.stderr, `${handle} waits: ${note}`)
    told = note
    throwIfHopeless(pod, handle)
    yield pod
  }
  io.signal.throwIfAborted()
}

function unscheduled({ status }: Pod): string {
  const condition = status?.conditions?.find(({ type }) => type === 'PodScheduled')
  return condition?.status === 'False' ? (condition.message ?? condition.reason ?? '') : ''
}

function throwIfHopeless({ status }: Pod, handle: string): void {
  for (const { name, state } of [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])]) {
    const { reason, message = 'no message' } = state?.waiting ?? {}
    if (reason && HOPELESS.has(reason)) throw new CommandError(`${handle}: container ${name}: ${reason}: ${message}`)
  }
  const ran = status?.containerStatuses?.some(({ state }) => state?.terminated)
  if (status?.phase === 'Failed' && !ran)
    throw new CommandError(`${handle}: ${status.reason ?? 'Failed'}: ${status.message ?? 'no message'}`)
}

/** The exit code once all containers have ended: of the first that failed, in their order. */
export function exitCodeOf(pod: Pod, containers: readonly string[]): number | undefined {
  const ended = containers.map((name) => statusOf(pod, name)?.state?.terminated)
  // A container that failed may run again: only the pod's phase says that it will not.
  const over = pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'
  if (!over && (pod.spec?.restartPolicy !== 'Never' || ended.some((one) => !one))) return undefined
  return ended.find((one) => one && one.exitCode !== 0)?.exitCode ?? 0
}
