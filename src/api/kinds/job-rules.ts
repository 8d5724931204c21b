/** Rules for Jobs and for the jobs that CronJobs make. */
import { equal } from '../equal.ts'
import type { Errors } from '../field-errors.ts'
import { duplicate, immutable, invalid, notSupported, required, tooMany } from '../field-errors.ts'
import { labelSelector, SelectorError } from '../selectors.ts'
import type {
  Job,
  JobSpec,
  PodFailurePolicy,
  PodFailurePolicyOnExitCodesRequirement,
  PodFailurePolicyRule,
  PodTemplateSpec,
} from '../types.ts'
import { checkManagedBy, checkSuccessPolicy } from './job-success-rules.ts'
import { checkTemplate } from './pod-rules.ts'
import { checkImmutable, checkSelector, nonNegative, oneOf } from './rules.ts'
import { checkLabelsMatch } from './workload-rules.ts'

const MAX_INDEXED = 100_000
const MAX_RULES = 20
const MAX_CONDITIONS = 20
const MAX_EXIT_CODES = 255
const ACTIONS = ['Count', 'FailIndex', 'FailJob', 'Ignore']

export function checkJob(job: Job, errors: Errors): void {
  const spec = job.spec as JobSpec
  if (!spec.selector) errors.push(required('spec.selector'))
  else {
    checkSelector(spec.selector, 'spec.selector', errors)
    checkMatch(spec, errors)
  }
  checkJobSpec(spec, 'spec', errors)
}

function checkMatch(spec: JobSpec, errors: Errors): void {
  try {
    checkLabelsMatch(spec.template, labelSelector(spec.selector), errors)
  } catch (error) {
    if (!(error instanceof SelectorError)) throw error
  }
}

const COUNTS = [
  ...(['parallelism', 'completions', 'activeDeadlineSeconds', 'backoffLimit', 'ttlSecondsAfterFinished'] as const),
  ...(['backoffLimitPerIndex', 'maxFailedIndexes'] as const),
]

export function checkJobSpec(spec: JobSpec, path: string, errors: Errors): void {
  for (const field of COUNTS) nonNegative(spec[field], `${path}.${field}`, errors)
  checkMode(spec, path, errors)
  checkTemplate(spec.template, `${path}.template`, errors)
  checkRestartPolicy(spec, path, errors)
  if (spec.podFailurePolicy) checkFailurePolicy(spec.podFailurePolicy, spec, `${path}.podFailurePolicy`, errors)
  const replacements = spec.podFailurePolicy ? ['Failed'] : ['Failed', 'TerminatingOrFailed']
  oneOf(spec.podReplacementPolicy, replacements, `${path}.podReplacementPolicy`, errors)
  checkSuccessPolicy(spec, `${path}.successPolicy`, errors)
  checkManagedBy(spec.managedBy, `${path}.managedBy`, errors)
}

function checkMode(spec: JobSpec, path: string, errors: Errors): void {
  const { completionMode: mode, completions, parallelism } = spec
  const indexed = mode === 'Indexed'
  if (mode !== undefined && mode !== 'NonIndexed' && !indexed) {
    errors.push(notSupported(`${path}.completionMode`, mode, ['Indexed', 'NonIndexed']))
  }
  if (indexed) {
    if (completions === undefined) errors.push(required(`${path}.completions`, 'when completion mode is Indexed'))
    if (parallelism !== undefined && parallelism > MAX_INDEXED) {
      const detail = `must be less than or equal to ${MAX_INDEXED} when completion mode is Indexed`
      errors.push(invalid(`${path}.parallelism`, parallelism, detail))
    }
  } else if (spec.backoffLimitPerIndex !== undefined) {
    errors.push(invalid(`${path}.backoffLimitPerIndex`, spec.backoffLimitPerIndex, 'requires indexed completion mode'))
  }
  if (spec.maxFailedIndexes === undefined) return
  if (spec.backoffLimitPerIndex === undefined) {
    errors.push(required(`${path}.backoffLimitPerIndex`, 'when maxFailedIndexes is specified'))
  } else if (completions !== undefined && spec.maxFailedIndexes > completions) {
    errors.push(invalid(`${path}.maxFailedIndexes`, spec.maxFailedIndexes, 'must be less than or equal to completions'))
  }
}

function checkRestartPolicy(spec: JobSpec, path: string, errors: Errors): void {
  const at = `${path}.template.spec.restartPolicy`
  const policy = spec.template?.spec?.restartPolicy
  if (policy === 'Always') errors.push(required(at, 'valid values: "OnFailure", "Never"'))
  else if (policy !== 'OnFailure' && policy !== 'Never') errors.push(notSupported(at, policy ?? '', ['OnFailure', 'Never']))
  else if (spec.podFailurePolicy && policy !== 'Never') {
    errors.push(invalid(at, policy, 'only "Never" is supported when podFailurePolicy is specified'))
  }
}

function checkFailurePolicy(policy: PodFailurePolicy, spec: JobSpec, path: string, errors: Errors): void {
  const rules = policy.rules ?? []
  if (rules.length > MAX_RULES) errors.push(tooMany(`${path}.rules`, rules.length, MAX_RULES))
  const containers = new Set(
    [...(spec.template?.spec?.containers ?? []), ...(spec.template?.spec?.initContainers ?? [])].map((c) => c.name),
  )
  rules.forEach((rule, index) => {
    checkFailureRule(rule, spec, containers, `${path}.rules[${index}]`, errors)
  })
}

function checkFailureRule(
  rule: PodFailurePolicyRule,
  spec: JobSpec,
  containers: ReadonlySet<string>,
  path: string,
  errors: Errors,
): void {
  oneOf(rule.action, ACTIONS, `${path}.action`, errors, true)
  if (rule.action === 'FailIndex' && spec.backoffLimitPerIndex === undefined) {
    errors.push(invalid(`${path}.action`, rule.action, 'requires the backoffLimitPerIndex to be set'))
  }
  const { onExitCodes: codes, onPodConditions: conditions } = rule
  if (codes && conditions?.length) {
    errors.push(invalid(path, rule, 'specifying both OnExitCodes and OnPodConditions is not supported'))
  }
  if (!codes && !conditions?.length) {
    errors.push(invalid(path, rule, 'specifying one of OnExitCodes and OnPodConditions is required'))
  }
  if (codes) {
    const at = `${path}.onExitCodes`
    oneOf(codes.operator, ['In', 'NotIn'], `${at}.operator`, errors, true)
    checkExitCodes(codes, `${at}.values`, errors)
    if (codes.containerName !== undefined && !containers.has(codes.containerName)) {
      errors.push(
        invalid(
          `${at}.containerName`,
          codes.containerName,
          'must be one of the container or initContainer names in the pod template',
        ),
      )
    }
  }
  if (conditions && conditions.length > MAX_CONDITIONS) {
    errors.push(tooMany(`${path}.onPodConditions`, conditions.length, MAX_CONDITIONS))
  }
  conditions?.forEach((condition, index) => {
    const at = `${path}.onPodConditions[${index}]`
    if (!condition.type) errors.push(required(`${at}.type`))
    oneOf(condition.status, ['False', 'True', 'Unknown'], `${at}.status`, errors, true)
  })
}

function checkExitCodes(codes: PodFailurePolicyOnExitCodesRequirement, path: string, errors: Errors): void {
  const { operator } = codes
  const values = codes.values ?? []
  if (values.length === 0) errors.push(invalid(path, values, 'at least one value is required'))
  else if (values.length > MAX_EXIT_CODES) errors.push(tooMany(path, values.length, MAX_EXIT_CODES))
  const seen = new Set<number>()
  values.forEach((value, index) => {
    const at = `${path}[${index}]`
    if (operator === 'In' && value === 0) errors.push(invalid(at, value, 'must not be 0 for the In operator'))
    if (seen.has(value)) errors.push(duplicate(at, value))
    seen.add(value)
  })
  const ordered = values.every((value, index) => index === 0 || (values[index - 1] as number) <= value)
  if (!ordered) errors.push(invalid(path, values, 'must be ordered'))
}

export function checkJobUpdate(job: Job, old: Job, errors: Errors): void {
  checkJob(job, errors)
  const [spec, before] = [job.spec as JobSpec, old.spec as JobSpec]
  checkCompletions(spec, before, errors)
  for (const field of [
    'selector',
    'completionMode',
    'podFailurePolicy',
    'backoffLimitPerIndex',
    'managedBy',
    'successPolicy',
  ] as const) {
    checkImmutable(spec[field], before[field], `spec.${field}`, errors)
  }
  const template = before.suspend && !old.status?.startTime ? withDirectives(spec.template, before.template) : spec.template
  if (!equal(template, before.template)) errors.push(immutable('spec.template', spec.template))
}

/** An indexed job may grow and shrink, if parallelism follows. */
function checkCompletions(spec: JobSpec, before: JobSpec, errors: Errors): void {
  if (spec.completions === before.completions) return
  const elastic = spec.completionMode === 'Indexed' && spec.completions !== undefined && before.completions !== undefined
  if (!elastic) errors.push(immutable('spec.completions', spec.completions))
  else if (spec.completions !== spec.parallelism) {
    const detail = 'can only be modified in tandem with spec.parallelism'
    errors.push(invalid('spec.completions', spec.completions, detail))
  }
}

/** The template with its old scheduling directives: those of a job that never started may change. */
function withDirectives(template: PodTemplateSpec, before: PodTemplateSpec): PodTemplateSpec {
  const { nodeSelector, affinity, tolerations, schedulingGates } = before.spec ?? {}
  return {
    ...template,
    metadata: before.metadata,
    spec: { ...(template.spec ?? { containers: [] }), nodeSelector, affinity, tolerations, schedulingGates },
  }
}
