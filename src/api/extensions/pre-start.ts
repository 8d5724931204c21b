/**
 * `skiff.dev/pre-start.CONTAINER: ["cmd", …]` runs in that container's image before it starts, as an init container that
 * admission makes of it; `skiff.dev/pre-start-failure.CONTAINER: retry|abort|ignore` says what its failure means. Pure.
 */
import { dnsLabel } from '../names.ts'
import type { Pod } from '../types.ts'
import type { AnnotationProblem } from './names.ts'

export const PRE_START_PREFIX = 'skiff.dev/pre-start.'
export const PRE_START_FAILURE_PREFIX = 'skiff.dev/pre-start-failure.'

/** `retry` until it succeeds (the default), `abort` the pod, or `ignore` and go on. */
const FAILURE_POLICIES = ['retry', 'abort', 'ignore'] as const
export type FailurePolicy = (typeof FAILURE_POLICIES)[number]

export interface PreStart {
  /** The container it is for. */
  container: string
  command: readonly string[]
  onFailure: FailurePolicy
}

export interface PreStartWishes {
  hooks: readonly PreStart[]
  problems: readonly AnnotationProblem[]
}

/** The name of the init container that a hook becomes. */
export function preStartName(container: string): string {
  const name = `pre-start-${container}`
  return dnsLabel(name).length === 0 ? name : `pre-start-${container.slice(0, 44).replace(/-+$/, '')}-${shortHash(container)}`
}

export function preStartWishes({ metadata, spec }: Pick<Pod, 'metadata' | 'spec'>): PreStartWishes {
  const annotations = metadata.annotations ?? {}
  const hooks: PreStart[] = []
  const problems: AnnotationProblem[] = []
  const known = new Set((spec?.containers ?? []).map(({ name }) => name))
  for (const [annotation, value] of Object.entries(annotations)) {
    const prefix = [PRE_START_FAILURE_PREFIX, PRE_START_PREFIX].find((each) => annotation.startsWith(each))
    if (!prefix) continue
    const container = annotation.slice(prefix.length)
    const complain = (message: string) => problems.push({ annotation, message })
    if (!known.has(container)) complain(`the pod has no container ${JSON.stringify(container)}`)
    else if (prefix === PRE_START_PREFIX) {
      const command = parseCommand(value)
      const policy = annotations[PRE_START_FAILURE_PREFIX + container] ?? 'retry'
      if (!command) complain('must be a list of strings, such as ["sh", "-c", "echo hello"]')
      else hooks.push({ container, command, onFailure: FAILURE_POLICIES.find((each) => each === policy) ?? 'retry' })
    } else if (!FAILURE_POLICIES.some((policy) => policy === value))
      complain(`must be ${FAILURE_POLICIES.join(', ')}, not ${JSON.stringify(value)}`)
    else if (annotations[PRE_START_PREFIX + container] === undefined) complain(`there is no ${PRE_START_PREFIX}${container}`)
  }
  return { hooks, problems }
}

function parseCommand(text: string): string[] | undefined {
  try {
    const command: unknown = JSON.parse(text)
    const isCommand = Array.isArray(command) && command.length > 0 && command.every((word) => typeof word === 'string')
    return isCommand ? (command as string[]) : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** FNV-1a, enough to keep long names apart. */
function shortHash(text: string): string {
  let hash = 0x811c9dc5
  for (const char of text) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193) >>> 0
  return hash.toString(36)
}
