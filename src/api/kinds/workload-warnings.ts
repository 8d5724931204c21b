/** Warnings of the kinds that make pods from a template. */
import type { KubeObject } from '../object.ts'
import type { JobSpec } from '../types.ts'
import { warnOfName, warnOfTemplate } from './pod-warnings.ts'

/** Where the name of a workload is used. */
export const IN_PODS = 'Pod names and hostnames'

/** Whether the object is new, or wants something else than before: a write that changes neither says nothing again. */
export function isReplaced(object: WithGeneration, old: WithGeneration | undefined): boolean {
  return !old || object.metadata?.generation !== old.metadata?.generation
}

interface WithGeneration {
  readonly metadata?: { readonly generation?: number | undefined } | undefined
}

export function templateWarnings(object: KubeObject, old?: KubeObject): string[] {
  const warnings: string[] = []
  if (isReplaced(object, old)) warnOfTemplate(object.spec?.template, 'spec.template', warnings)
  return warnings
}

/** Also of the name, which every pod's begins with. */
export function namedTemplateWarnings(object: KubeObject, old?: KubeObject): string[] {
  const warnings: string[] = []
  if (!old) warnOfName(object.metadata.name, IN_PODS, warnings)
  return [...warnings, ...templateWarnings(object, old)]
}

const MANY_INDEXES = 100_000
const MANY_AT_ONCE = 10_000
const TOO_MANY =
  'In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, ' +
  'Kubernetes might not be able to track completedIndexes when a big number of indexes fail'

export function warnOfJobSpec(spec: JobSpec | undefined, path: string, warnings: string[]): void {
  if (!spec) return
  const { completionMode, completions = 0, parallelism = 0 } = spec
  const many = completions > MANY_INDEXES && parallelism > MANY_AT_ONCE
  if (completionMode === 'Indexed' && many) warnings.push(`${path}: ${TOO_MANY}`)
  warnOfTemplate(spec.template, `${path}.template`, warnings)
}
