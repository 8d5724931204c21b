/** Pod Security levels and how a namespace's labels ask for them. Pure. */
import { invalid } from '../../../api/field-errors.ts'
import type { FieldError } from '../../../api/status.ts'
import type { Pod, PodSpec } from '../../../api/types.ts'
import { baselineChecks } from './baseline.ts'
import { restrictedChecks } from './restricted.ts'

export type Mode = 'enforce' | 'audit' | 'warn'
export type Level = 'privileged' | 'baseline' | 'restricted'

export interface Policy {
  level: Level
  /** `latest` or `v1.24`; the checks are those of the newest version whichever is asked for. */
  version: string
}

const PREFIX = 'pod-security.kubernetes.io/'
const LEVELS = ['privileged', 'baseline', 'restricted']
const VERSION = /^v1\.(0|[1-9][0-9]*)$/
const MODES: readonly Mode[] = ['enforce', 'audit', 'warn']

type Labels = Readonly<Record<string, string>> | undefined

/** Undefined where the labels ask for nothing. An unknown level is read as the strictest one. */
export function policyFor(labels: Labels, mode: Mode): Policy | undefined {
  const level = labels?.[PREFIX + mode]
  if (level === undefined || level === 'privileged') return undefined
  const version = labels?.[`${PREFIX}${mode}-version`] ?? 'latest'
  return { level: level === 'baseline' ? 'baseline' : 'restricted', version }
}

/** Whether any of the modes is asked for: cheap enough for every write. */
export function hasPolicy(labels: Labels): boolean {
  return labels !== undefined && MODES.some((mode) => labels[PREFIX + mode] !== undefined)
}

export function checkLabels(labels: Labels): FieldError[] {
  const errors: FieldError[] = []
  for (const mode of MODES) {
    const level = labels?.[PREFIX + mode]
    const version = labels?.[`${PREFIX}${mode}-version`]
    const field = (key: string) => `metadata.labels[${PREFIX}${key}]`
    if (level !== undefined && !LEVELS.includes(level))
      errors.push(invalid(field(mode), level, `must be one of ${LEVELS.join(', ')}`))
    if (version !== undefined && version !== 'latest' && !VERSION.test(version)) {
      errors.push(invalid(field(`${mode}-version`), version, 'must be "latest" or "v1.x"'))
    }
  }
  return errors
}

/** Reasons with their details, joined as messages have them; undefined for a pod that keeps to the level. */
export function violation(level: Level, spec: PodSpec, metadata: Pod['metadata'] | undefined): string | undefined {
  const found = findingsOf(level, spec, metadata)
  return found.length > 0 ? found.map(({ reason, detail }) => `${reason} (${detail})`).join(', ') : undefined
}

/** Only the reasons: how a list of several pods names them. */
export function violatedReasons(level: Level, spec: PodSpec, metadata: Pod['metadata'] | undefined): string[] {
  return findingsOf(level, spec, metadata).map(({ reason }) => reason)
}

function findingsOf(level: Level, spec: PodSpec, metadata: Pod['metadata'] | undefined) {
  const strict = level === 'restricted'
  const checks = baselineChecks.filter(({ replaced }) => !(strict && replaced)).map(({ check }) => check)
  return [...checks, ...(strict ? restrictedChecks : [])].flatMap((check) => check(spec, metadata) ?? [])
}
