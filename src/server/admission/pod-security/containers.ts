/** What the Pod Security checks share: all containers of a pod, and how findings name them. */
import type { Container, EphemeralContainer, PodSpec } from '../../../api/types.ts'

export type AnyContainer = Container | EphemeralContainer

export function allContainers(spec: PodSpec): AnyContainer[] {
  return [...(spec.initContainers ?? []), ...(spec.containers ?? []), ...(spec.ephemeralContainers ?? [])]
}

/** One finding: `allowPrivilegeEscalation != false` and, in parentheses, who and what must change. */
export interface Finding {
  reason: string
  detail: string
}

export function quoted(values: Iterable<string>): string {
  return [...values].map((value) => JSON.stringify(value)).join(', ')
}

/** `container "a"`, `containers "a", "b"`. */
export function named(containers: readonly AnyContainer[]): string {
  return `${containers.length === 1 ? 'container' : 'containers'} ${quoted(containers.map((container) => container.name))}`
}

export function plural(count: number, one: string, many: string): string {
  return count === 1 ? one : many
}
