/** How a container's process ended, in its state. */
import type { ContainerState } from '../runtime.ts'
import type { ProcessEnd } from './running-process.ts'

const MAX_MESSAGE = 1024

export function finish(state: ContainerState, end: ProcessEnd, nowMs: number): void {
  state.state = 'Exited'
  state.finishedAtMs = nowMs
  state.exitCode = end.failure === undefined ? end.code : 128
  if (end.code > 128 && end.failure === undefined) state.signal = end.code - 128
  state.reason = end.oomKilled
    ? 'OOMKilled'
    : end.failure !== undefined
      ? 'ContainerCannotRun'
      : end.code === 0
        ? 'Completed'
        : 'Error'
  if (end.failure !== undefined) state.message = end.failure.slice(0, MAX_MESSAGE)
}
