/** Starts and stops the probes of a pod's containers as they come and go. */
import type { Container } from '../../api/types.ts'
import { findContainer, roleOf, specOf } from '../plan/containers.ts'
import { isAwaited, notifyOf } from '../plan/stages.ts'
import { ContainerProbes, type ProbeKind } from '../probe/container-probes.ts'
import { runProbe } from '../probe/run-probe.ts'
import type { ProbeResult } from '../probe/target.ts'
import type { ContainerState } from '../runtime/runtime.ts'
import type { PodState } from './pod-state.ts'
import { probeTarget } from './probe-target.ts'

const TITLES: Record<ProbeKind, string> = { startup: 'Startup', liveness: 'Liveness', readiness: 'Readiness' }

/** `wake` is called when a verdict has changed. */
export function keepProbes(state: PodState, wake: () => void): void {
  const running = new Set<string>()
  const spec = specOf(state.pod)
  for (const container of state.sandboxes[0]?.containers ?? []) {
    if (container.state !== 'Running') continue
    running.add(container.id)
    const definition = findContainer(spec, container.name)
    if (!definition || !hasProbes(definition) || roleOf(spec, container.name) === 'init') continue
    if (isAwaited(state, container)) continue
    if (state.probes.has(container.id) || state.memory.containers[container.name]?.starting) continue
    if (state.memory.health[container.id]?.failed) continue
    begin(state, definition, container, wake)
  }
  for (const [id, probes] of state.probes) {
    if (running.has(id)) continue
    probes.stop()
    state.probes.delete(id)
  }
  for (const id of Object.keys(state.memory.health)) if (!running.has(id)) delete state.memory.health[id]
}

function hasProbes(container: Container): boolean {
  return Boolean(container.startupProbe || container.livenessProbe || container.readinessProbe)
}

function begin(state: PodState, container: Container, instance: ContainerState, wake: () => void): void {
  const { clock, runtime, event } = state.context
  const probes = new ContainerProbes({
    container,
    // Its clocks stand still until it says that it is ready.
    startedAtMs: notifyOf(state, instance)?.readyAtMs ?? instance.startedAtMs ?? clock.now(),
    heldUntilMs: () => notifyOf(state, instance)?.extendedUntilMs ?? 0,
    clock,
    known: knownHealth(state, instance),
    async run(kind, probe, signal) {
      if (!runtime.probe) return runProbe(probe, probeTarget(state, container, instance.id), clock, signal)
      const { ok, message } = await runtime.probe(instance.id, kind)
      return { outcome: ok ? 'Success' : 'Failure', message }
    },
    onTrouble: (kind, result) => event(state.pod, { ...trouble(kind, result), container: container.name }),
    onVerdict(health) {
      // A container whose hook failed stays condemned whatever its probes say.
      const failed = state.memory.health[instance.id]?.failed
      state.memory.health[instance.id] = failed ? { ...health, failed } : health
      wake()
    },
  })
  state.probes.set(instance.id, probes)
  state.memory.health[instance.id] = { ...probes.current }
}

function trouble(kind: ProbeKind, { outcome, message }: ProbeResult): { type: 'Warning'; reason: string; message: string } {
  const text =
    outcome === 'Error'
      ? `${TITLES[kind]} probe errored and resulted in unknown state: ${message}`
      : `${TITLES[kind]} probe failed: ${message}`
  return { type: 'Warning', reason: 'Unhealthy', message: text }
}

/** What the API's status says of this very instance: an agent that comes back does not make pods unready. */
function knownHealth(state: PodState, instance: ContainerState): { started: boolean; ready: boolean } {
  const status = state.pod.status
  const all = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])]
  const known = all.find((s) => s.containerID?.endsWith(`//${instance.id}`) && s.state?.running)
  return { started: known?.started ?? false, ready: known?.ready ?? false }
}
