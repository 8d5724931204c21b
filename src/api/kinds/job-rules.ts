/** Rules for Jobs and for the jobs that CronJobs make. */
import { equal } from '../equal.ts'
import type { Errors } from '../field-errors.ts'
import {
  duplicate,
  immutable,
  invalid,
  invalidWhole,
  notSupported,
  quote,
  required,
  sortedMap,
  tooMany,
} from '../field-errors.ts'
import { dnsLabel, qualifiedName } from '../names.ts'
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
import { checkImmutable, checkSelector, nonNegative, obey, oneOf } from './rules.ts'
import { checkLabelsMatch } from './workload-rules.ts'

const MAX_INDEXED = 100_000
/** What jobs with more completions than that may have. */
const MAX_OF_MANY = 10_000
const MAX_RULES = 20
const MAX_CONDITIONS = 20
const MAX_EXIT_CODES = 255
const ACTIONS = ['Count', 'FailIndex', 'FailJob', 'Ignore']

export function checkJob(job: Job, errors: Errors): void {
  const spec = job.spec as JobSpec
  checkGenerated(job, errors)
  if (!spec.selector) errors.push(required('spec.selector'))
  else {
    checkSelector(spec.selector, 'spec.selector', errors)
    checkMatch(spec, errors)
  }
  checkJobSpec(spec, 'spec', errors)
  checkHostNames(job, errors)
}

const GENERATED = ['controller-uid', 'job-name', 'batch.kubernetes.io/controller-uid', 'batch.kubernetes.io/job-name']

/** A selector that is the server's own finds this job's pods only: nobody else has put in those labels. */
function checkGenerated({ metadata, spec }: Job, errors: Errors): void {
  if (!spec || spec.manualSelector || !spec.selector) return
  const labels = spec.template?.metadata?.labels ?? {}
  const expected: Record<string, string> = {}
  for (const key of GENERATED) {
    const value = (key.endsWith('uid') ? metadata.uid : metadata.name) ?? ''
    expected[key] = value
    const path = `spec.template.metadata.labels[${key}]`
    if (labels[key] === undefined) errors.push(required(path, `must be '${value}'`))
    else if (labels[key] !== value) errors.push(invalid(path, sortedMap(labels), `must be '${value}'`))
  }
  try {
    if (labelSelector(spec.selector).matches(expected)) return
    errors.push(invalid('spec.selector', spec.selector, '`selector` not auto-generated'))
  } catch (error) {
    if (!(error instanceof SelectorError)) throw error
  }
}

/** The pods of an indexed job have the job's name and their index as host names. */
function checkHostNames({ metadata, spec }: Job, errors: Errors): void {
  const { completionMode, completions = 0 } = spec ?? {}
  if (completionMode !== 'Indexed' || completions <= 0) return
  const longest = `${metadata.name}-${completions - 1}`
  if (dnsLabel(longest).length === 0) return
  const detail = `will not able to create pod with invalid DNS label: ${longest}`
  errors.push(invalid('metadata.name', metadata.name ?? '', detail))
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
  const { completionMode: mode, backoffLimitPerIndex, maxFailedIndexes } = spec
  if (maxFailedIndexes !== undefined && backoffLimitPerIndex === undefined) {
    errors.push(required(`${path}.backoffLimitPerIndex`, 'when maxFailedIndexes is specified'))
  }
  if (mode === 'Indexed') checkIndexed(spec, path, errors)
  else if (mode !== undefined && mode !== 'NonIndexed') {
    errors.push(notSupported(`${path}.completionMode`, mode, ['NonIndexed', 'Indexed']))
  } else {
    for (const field of ['backoffLimitPerIndex', 'maxFailedIndexes'] as const) {
      if (spec[field] !== undefined) errors.push(invalid(`${path}.${field}`, spec[field], 'requires indexed completion mode'))
    }
  }
}

function checkIndexed(spec: JobSpec, path: string, errors: Errors): void {
  const { completions, parallelism, maxFailedIndexes } = spec
  const refuse = (field: 'parallelism' | 'maxFailedIndexes', detail: string) =>
    errors.push(invalid(`${path}.${field}`, spec[field], `must be less than or equal to ${detail}`))
  if (completions === undefined) errors.push(required(`${path}.completions`, 'when completion mode is Indexed'))
  if (isAbove(parallelism, MAX_INDEXED)) refuse('parallelism', `${MAX_INDEXED} when completion mode is Indexed`)
  if (isAbove(maxFailedIndexes, completions)) refuse('maxFailedIndexes', 'completions')
  if (isAbove(maxFailedIndexes, MAX_INDEXED)) refuse('maxFailedIndexes', String(MAX_INDEXED))
  if (!isAbove(completions, MAX_INDEXED) || spec.backoffLimitPerIndex === undefined) return
  if (maxFailedIndexes === undefined) {
    errors.push(required(`${path}.maxFailedIndexes`, `must be specified when completions is above ${MAX_INDEXED}`))
  }
  const context = `${MAX_OF_MANY} when completions are above ${MAX_INDEXED} and used with backoff limit per index`
  if (isAbove(parallelism, MAX_OF_MANY)) refuse('parallelism', context)
  if (isAbove(maxFailedIndexes, MAX_OF_MANY)) refuse('maxFailedIndexes', context)
}

const isAbove = (value: number | undefined, limit: number | undefined) =>
  value !== undefined && limit !== undefined && value > limit

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
  requireOneOf(rule.action, ACTIONS, `${path}.action`, errors)
  if (rule.action === 'FailIndex' && spec.backoffLimitPerIndex === undefined) {
    errors.push(invalid(`${path}.action`, rule.action, 'requires the backoffLimitPerIndex to be set'))
  }
  const { onExitCodes: codes, onPodConditions: conditions } = rule
  if (codes && conditions?.length) {
    errors.push(invalidWhole(path, 'specifying both OnExitCodes and OnPodConditions is not supported'))
  }
  if (!codes && !conditions?.length) {
    errors.push(invalidWhole(path, 'specifying one of OnExitCodes and OnPodConditions is required'))
  }
  if (codes) {
    const at = `${path}.onExitCodes`
    requireOneOf(codes.operator, ['In', 'NotIn'], `${at}.operator`, errors)
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
    obey(condition.type ?? '', qualifiedName, `${at}.type`, errors)
    requireOneOf(condition.status, ['False', 'True', 'Unknown'], `${at}.status`, errors)
  })
}

/** What is missing is told what it may be. */
function requireOneOf(value: string | undefined, allowed: readonly string[], path: string, errors: Errors): void {
  if (!value) errors.push(required(path, `valid values: [${allowed.map(quote).join(' ')}]`))
  else oneOf(value, allowed, path, errors)
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
  checkTemplateKept(job, old, errors)
}

/** A job that is suspended and never started may be sent elsewhere. */
function checkTemplateKept(job: Job, old: Job, errors: Errors): void {
  const [template, before] = [job.spec?.template ?? {}, old.spec?.template ?? {}]
  const suspended = old.spec?.suspend ?? false
  const allowed = suspended && !old.status?.startTime ? withDirectives(before, template) : before
  if (!equal(template, allowed)) errors.push(immutable('spec.template', template))
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

/** A template with the scheduling directives of another. */
function withDirectives(template: PodTemplateSpec, { metadata, spec }: PodTemplateSpec): PodTemplateSpec {
  const { nodeSelector, affinity, tolerations, schedulingGates } = spec ?? {}
  const { nodeAffinity: _, ...others } = template.spec?.affinity ?? {}
  const kept = affinity?.nodeAffinity ? { ...others, nodeAffinity: affinity.nodeAffinity } : others
  return {
    ...template,
    metadata: { ...template.metadata, annotations: metadata?.annotations, labels: metadata?.labels },
    spec: {
      ...(template.spec ?? { containers: [] }),
      ...{ nodeSelector, tolerations, schedulingGates },
      affinity: affinity === undefined && Object.keys(kept).length === 0 ? undefined : kept,
    },
  }
}
