/** Of a pod's status: which run of a container its log is about, and whether that has ended. Decides, reads nothing. */
import type { ContainerStateTerminated, ContainerStatus, Pod } from '../../api/types.ts'

export interface Run {
  /** Tells one run of a container from the next. */
  readonly id: string
  /** How it ended, in words. */
  readonly ended?: string
  /** The run before it, as far as the status remembers it. */
  readonly before?: Run
}

/** Undefined while it has never run: there is no log yet. */
export function runOf({ status }: Pod, container: string): Run | undefined {
  const all = [status?.initContainerStatuses, status?.containerStatuses, status?.ephemeralContainerStatuses]
  const found = all.flatMap((statuses) => statuses ?? []).find(({ name }) => name === container)
  if (!found) return undefined
  const { running, terminated } = found.state ?? {}
  const before = found.lastState?.terminated && endedRun(found, found.lastState.terminated)
  if (running) return { id: idOf(found, found.containerID), ...(before && { before }) }
  // One that waits to run again still has the log of its last run.
  return terminated ? { ...endedRun(found, terminated), ...(before && { before }) } : before
}

function endedRun(status: ContainerStatus, { containerID, exitCode = 0, reason, signal }: ContainerStateTerminated): Run {
  const how = signal ? `signal ${signal}` : `exit code ${exitCode}`
  return { id: idOf(status, containerID ?? status.containerID), ended: reason ? `${how} (${reason})` : how }
}

function idOf({ restartCount }: ContainerStatus, containerId: string | undefined): string {
  return containerId || `run ${restartCount}`
}

/** Nothing of it will run again. */
export function hasFinished({ status }: Pod): boolean {
  return status?.phase === 'Succeeded' || status?.phase === 'Failed'
}
