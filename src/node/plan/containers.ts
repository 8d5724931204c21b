/** Which containers a pod has, in which role, what is known of each, and whether one that ended runs again. Pure. */
import { restartToken } from '../../api/downward/container-requests.ts'
import type { Container, Pod, PodSpec } from '../../api/types.ts'
import type { ContainerState } from '../runtime/runtime.ts'
import { isAwaited } from './stages.ts'
import type { PlanInput, Role } from './types.ts'

/** The label on a runtime's container that holds the hash of the definition it was made from. */
export const DEFINITION_LABEL = 'skiff.dev/container-definition'
/** The label that holds the signals that were asked for before the container was made: it has nothing to hear of them. */
export const SIGNALS_LABEL = 'skiff.dev/container-signals'

export function isSidecar(container: Container): boolean {
  return container.restartPolicy === 'Always'
}

export function roleOf(spec: PodSpec, name: string): Role | undefined {
  const init = spec.initContainers?.find((container) => container.name === name)
  if (init) return isSidecar(init) ? 'sidecar' : 'init'
  if (spec.containers.some((container) => container.name === name)) return 'main'
  return spec.ephemeralContainers?.some((container) => container.name === name) ? 'ephemeral' : undefined
}

export function findContainer(spec: PodSpec, name: string): Container | undefined {
  return allContainers(spec).find((container) => container.name === name)
}

function allContainers(spec: PodSpec): Container[] {
  return [...(spec.initContainers ?? []), ...spec.containers, ...(spec.ephemeralContainers ?? [])]
}

export const specOf = (pod: Pod): PodSpec => pod.spec ?? { containers: [] }

/** The newest instance in the current sandbox. */
export function instanceOf(input: PlanInput, name: string): ContainerState | undefined {
  return newest(input.sandboxes[0]?.containers ?? [], name)
}

/** The newest instance there ever was, in this sandbox or an earlier one. */
export function lastOf(input: PlanInput, name: string): ContainerState | undefined {
  return instanceOf(input, name) ?? input.memory.containers[name]?.last
}

export function newest(containers: readonly ContainerState[], name: string): ContainerState | undefined {
  let found: ContainerState | undefined
  for (const container of containers) {
    if (container.name === name && (!found || container.attempt > found.attempt)) found = container
  }
  return found
}

export const isLive = (state: ContainerState | undefined): boolean => state !== undefined && state.state !== 'Exited'

/** As the shell has it: the exit code, or 128 and the signal. */
export function exitCodeOf(state: ContainerState): number {
  return state.exitCode ?? (state.signal === undefined ? 137 : 128 + state.signal)
}

/** Whether an ended container is to run again, by its own policy and rules, else the pod's. */
function restarts(spec: PodSpec, container: Container, role: Role, state: ContainerState): boolean {
  if (role === 'sidecar') return true
  if (role === 'ephemeral') return false
  const exitCode = exitCodeOf(state)
  for (const rule of container.restartPolicyRules ?? []) {
    const listed = rule.exitCodes?.values?.includes(exitCode) ?? false
    const met = rule.exitCodes?.operator === 'In' ? listed : !listed
    if (met && rule.action === 'Restart') return true
  }
  const policy = container.restartPolicy ?? spec.restartPolicy ?? 'Always'
  if (policy === 'Never') return false
  return exitCode !== 0 || (policy === 'Always' && role === 'main')
}

/** The same for this pod's containers: a pre-start hook has a policy of its own. */
export function runsAgain(
  input: Pick<PlanInput, 'pod' | 'memory'>,
  container: Container,
  role: Role,
  state: ContainerState,
): boolean {
  const hook = role === 'init' ? input.memory.preStarts?.[container.name] : undefined
  if (hook) return hook.onFailure === 'retry' && exitCodeOf(state) !== 0
  return restarts(specOf(input.pod), container, role, state)
}

/** An init container after which the next may come: it succeeded, or its failure is not minded. */
export function isInitDone({ memory }: Pick<PlanInput, 'memory'>, state: ContainerState): boolean {
  if (state.state !== 'Exited') return false
  return exitCodeOf(state) === 0 || memory.preStarts?.[state.name]?.onFailure === 'ignore'
}

/** Identifies what a container was made from: a change of it (of the image, or of a token that asks for it) restarts the container. */
export function definitionOf(container: Container, { metadata }: Pick<Pod, 'metadata'>): string {
  const token = restartToken(metadata.annotations, container.name)
  return [container.name, container.image ?? '', ...(token ? [token] : [])].join('|')
}

export function isRedefined(container: Container, pod: Pod, state: ContainerState): boolean {
  const made = state.labels[DEFINITION_LABEL]
  return made !== undefined && made !== definitionOf(container, pod)
}

/** The started probe has passed, or there is none; who notifies has said that it is ready. */
export function isStarted(input: PlanInput, container: Container, state: ContainerState): boolean {
  if (isAwaited(input, state)) return false
  return input.memory.health[state.id]?.started ?? !container.startupProbe
}
