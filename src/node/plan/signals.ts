/** Which signals a running container is due, by its pod's annotation and what it has been sent. Pure. */
import { readSignals, signalTokens, writeSignals } from '../../api/downward/container-requests.ts'
import type { ContainerState } from '../runtime/runtime.ts'
import { SIGNALS_LABEL } from './containers.ts'
import type { PlanInput } from './types.ts'

export function dueSignals(
  { pod, memory, jobs }: PlanInput,
  { id, name, state, labels }: ContainerState,
): { signals: string[]; text: string } | undefined {
  if (state !== 'Running' || jobs.stopping[id] !== undefined) return undefined
  const wanted = signalTokens(pod.metadata.annotations, name)
  if (wanted.size === 0) return undefined
  const sent = memory.containers[name]?.signalled
  const heard = readSignals(sent?.id === id ? sent.text : labels[SIGNALS_LABEL])
  const signals = [...wanted].filter(([signal, token]) => heard.get(signal) !== token).map(([signal]) => signal)
  return signals.length > 0 ? { signals, text: writeSignals(wanted) } : undefined
}
