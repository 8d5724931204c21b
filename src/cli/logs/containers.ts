/** Which containers of a pod the logs are about. Decides, reads nothing. */
import { PRE_START_PREFIX, preStartName } from '../../api/extensions/pre-start.ts'
import type { Pod } from '../../api/types.ts'
import { chooseContainer } from '../find-pods.ts'
import { CommandError } from '../io.ts'

export interface ContainerChoice {
  /** A name, or a regular expression that the whole name must fit. */
  readonly container?: string | undefined
  readonly allContainers?: boolean | undefined
  /** `pre-start`: the hooks of the containers in their place. */
  readonly stage?: string | undefined
}

export interface Chosen {
  readonly names: readonly string[]
  /** Which there were to choose from, where nobody chose. */
  readonly note?: string
}

/** Throws CommandError. */
export function checkChoice({ container, allContainers, stage }: ContainerChoice): void {
  if (stage !== undefined && stage !== 'pre-start')
    throw new CommandError(`--stage ${JSON.stringify(stage)}: the only stage with a log of its own is pre-start`)
  if (stage !== undefined && allContainers) throw new CommandError('--stage and --all-containers cannot be given together')
  if (container !== undefined && allContainers)
    throw new CommandError('--container and --all-containers cannot be given together')
  if (container !== undefined) patternOf(container)
}

/** Empty when the pod has none that is meant. */
export function chosenContainers(pod: Pod, { container, allContainers, stage }: ContainerChoice): Chosen {
  const all = namesOf(pod)
  if (allContainers) return { names: all }
  if (stage !== undefined) return { names: hooksOf(pod, container) }
  if (container !== undefined) {
    const pattern = patternOf(container)
    return { names: all.filter((name) => pattern.test(name)) }
  }
  const { name, note } = chooseContainer(pod, undefined)
  return { names: [name], ...(note !== undefined && { note }) }
}

/** Why there is nothing to be read of a pod. */
export function noContainer(pod: Pod, { container, stage }: ContainerChoice): CommandError {
  const name = pod.metadata.name ?? ''
  if (stage === undefined)
    return new CommandError(`container ${container} not found in pod ${name} (it has: ${namesOf(pod).join(', ')})`)
  const missing = container ?? chooseContainer(pod, undefined).name
  return new CommandError(
    `container ${missing} of pod ${name} has no pre-start hook; see the annotation ${PRE_START_PREFIX}${missing}`,
  )
}

function namesOf({ spec }: Pod): string[] {
  const all = [...(spec?.initContainers ?? []), ...(spec?.containers ?? []), ...(spec?.ephemeralContainers ?? [])]
  return all.map(({ name }) => name ?? '')
}

function patternOf(text: string): RegExp {
  try {
    return new RegExp(`^(?:${text})$`)
  } catch (cause) {
    throw new CommandError(
      `--container ${JSON.stringify(text)} is neither a name nor a regular expression: ${(cause as Error).message}`,
      1,
      { cause },
    )
  }
}

/** The init containers that hooks became: of the containers that are meant, else of the default one, else of any that has one. */
function hooksOf(pod: Pod, container: string | undefined): string[] {
  const names = namesOf(pod)
  const hooked = names.filter((name) => names.includes(preStartName(name)))
  const isMeant = container === undefined ? isDefaultOf(pod) : (name: string) => patternOf(container).test(name)
  const meant = hooked.filter(isMeant)
  return (meant.length > 0 || container !== undefined ? meant : hooked).map(preStartName)
}

function isDefaultOf(pod: Pod): (name: string) => boolean {
  const { name } = chooseContainer(pod, undefined)
  return (other) => other === name
}
