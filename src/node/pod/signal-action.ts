/** Sends a container the signals that its pod's annotation asks for, each once. */
import type { Action } from '../plan/types.ts'
import type { PodState } from './pod-state.ts'

export function signalContainer(
  { memory, context, pod }: PodState,
  { container, id, signals, text }: Extract<Action, { do: 'SignalContainer' }>,
): void {
  memory.containers[container] = { ...memory.containers[container], signalled: { id, text } }
  for (const signal of signals) {
    context.runtime.signalContainer(id, signal as NodeJS.Signals).then(
      () =>
        context.event(pod, {
          type: 'Normal',
          reason: 'Signalled',
          message: `Sent ${signal} to container ${container}`,
          container,
        }),
      (error: Error) => {
        const message = `${signal} not sent to container ${container}: ${error.message}`
        context.event(pod, { type: 'Warning', reason: 'FailedSignal', message, container })
      },
    )
  }
}
