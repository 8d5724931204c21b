/** What a pod may require before it starts. */

export const ON_TIMEOUT = ['Wait', 'Fail', 'Proceed'] as const
export const ON_LOSS = ['ignore', 'restart', 'stop'] as const
export const PROBE_SCHEMES = ['tcp', 'http', 'https', 'grpc'] as const

export type ProbeScheme = (typeof PROBE_SCHEMES)[number]

/** One object by its kind and name; the kind as the user wrote it: a plural, singular, short name or kind, with or without its group. */
export interface ObjectTarget {
  type: 'object'
  kind: string
  name: string
  namespace?: string
}

/** Every object of a kind that a label selector picks; at least one, and all of them. */
export interface SelectorTarget {
  type: 'selector'
  kind: string
  selector: string
  namespace?: string
}

/** Something that answers at an address, a Service's name among them. */
export interface ProbeTarget {
  type: 'probe'
  scheme: ProbeScheme
  host: string
  port: number
  /** Of http and https; for grpc the service whose health is asked for, empty for the server's. */
  path: string
}

export type Target = ObjectTarget | SelectorTarget | ProbeTarget

export interface Requirement {
  /** As it was written, without the options: how messages name it. */
  text: string
  target: Target
  /** A condition's type, `Ready`, `Exists`, or `jsonpath={…}=VALUE`; absent: what is usual for the kind. */
  condition?: string
  /** An object that is not there is no obstacle; one that is there must hold. */
  optional?: boolean
  timeoutMs?: number
  /** The timeout is that of the pod's stage `requires`, not its own. */
  byStage?: boolean
  /** Default `Wait`. */
  onTimeout?: (typeof ON_TIMEOUT)[number]
  /** When it no longer holds while the pod runs; default `ignore`. */
  onLoss?: (typeof ON_LOSS)[number]
  /** Not written by anybody: found in what the pod refers to. */
  inferred?: boolean
}

/** How messages name it, with its condition. */
export function describe({ text, condition }: Pick<Requirement, 'text' | 'condition'>): string {
  return condition === undefined ? text : `${text}: ${condition}`
}
