/** Which containers of a template a change is about. */
import type { Container, PodTemplateSpec } from '../../api/types.ts'
import { CommandError } from '../io.ts'

/** All of the template's containers, without those that only run before; or the named one, of either sort. */
export function chosenContainers(template: PodTemplateSpec, named: string | undefined, handle: string): Container[] {
  const containers = template.spec?.containers ?? []
  if (named === undefined) return containers
  return [containerNamed(template, named, handle)]
}

/** Throws CommandError with the names that there are. */
export function containerNamed(template: PodTemplateSpec, name: string, handle: string): Container {
  const { containers = [], initContainers = [] } = template.spec ?? {}
  const all = [...containers, ...initContainers]
  const found = all.find((one) => one.name === name)
  if (!found)
    throw new CommandError(
      `${handle} has no container ${JSON.stringify(name)} (it has: ${all.map((one) => one.name).join(', ')})`,
    )
  return found
}

/** Of a template with one container, that one. */
export function onlyContainer(template: PodTemplateSpec, handle: string, otherwise: string): Container {
  const [only, ...others] = template.spec?.containers ?? []
  if (!only) throw new CommandError(`${handle} has no container`)
  if (others.length > 0)
    throw new CommandError(
      `${handle} has several containers: ${[only, ...others].map(({ name }) => name).join(', ')}; ${otherwise}`,
    )
  return only
}
