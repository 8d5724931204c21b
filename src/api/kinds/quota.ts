/** ResourceQuota: how much of what a namespace may hold. */
import { equal } from '../equal.ts'
import { type Errors, immutable, invalid, required } from '../field-errors.ts'
import type { KubeObject } from '../object.ts'
import type { ResourceQuota, ScopedResourceSelectorRequirement } from '../types.ts'
import { ageColumn, column } from './columns.ts'
import { type DefinitionInput, statusStrategy } from './define.ts'
import { checkAmount, checkQuotaResourceName, isQuotaResource } from './resource-rules.ts'
import { collect } from './rules.ts'

const SCOPES = [
  ...['BestEffort', 'CrossNamespacePodAffinity', 'NotBestEffort', 'NotTerminating', 'PriorityClass', 'Terminating'],
  'VolumeAttributesClass',
]

/** `cpu: 1/2, …` of the resources that are limits, or of those that are not. */
function usage(quota: ResourceQuota, limits: boolean): string {
  const names = Object.keys(quota.status?.hard ?? {}).sort()
  return names
    .filter((name) => name.startsWith('limits') === limits)
    .map((name) => `${name}: ${quota.status?.used?.[name] ?? '0'}/${quota.status?.hard?.[name]}`)
    .join(', ')
}

function checkAmounts(amounts: Record<string, string> | undefined, path: string, errors: Errors): void {
  for (const name in amounts) {
    checkQuotaResourceName(name, `${path}[${name}]`, errors)
    checkAmount(name, amounts[name] ?? '0', `${path}[${name}]`, errors)
  }
}

function check(quota: ResourceQuota, errors: Errors): void {
  checkAmounts(quota.spec?.hard, 'spec.hard', errors)
  const { scopes = [], scopeSelector } = quota.spec ?? {}
  const hard = Object.keys(quota.spec?.hard ?? {}).sort()
  for (const scope of scopes) {
    if (!SCOPES.includes(scope)) errors.push(invalid('spec.scopes', scopes, 'unsupported scope'))
    for (const name of hard) {
      if (isQuotaResource(name) && !suits(scope, name))
        errors.push(invalid('spec.scopes', scopes, 'unsupported scope applied to resource'))
    }
  }
  checkConflicts(scopes, scopes, errors)
  const expressions = scopeSelector?.matchExpressions ?? []
  for (const expression of expressions) checkScope(expression, scopeSelector, hard, errors)
  checkConflicts(
    expressions.map((expression) => expression.scopeName),
    scopes,
    errors,
  )
}

const CONFLICTS = [
  ['BestEffort', 'NotBestEffort'],
  ['Terminating', 'NotTerminating'],
] as const

function checkConflicts(names: readonly string[], shown: readonly string[], errors: Errors): void {
  for (const pair of CONFLICTS) {
    if (pair.every((scope) => names.includes(scope))) errors.push(invalid('spec.scopes', shown, 'conflicting scopes'))
  }
}

const COMPUTE = new Set(['pods', 'cpu', 'memory', 'limits.cpu', 'limits.memory', 'requests.cpu', 'requests.memory'])
const STORAGE = new Set(['persistentvolumeclaims', 'requests.storage'])

/** Whether objects of a scope have anything to do with a resource. */
function suits(scope: string, resource: string): boolean {
  switch (scope) {
    case 'BestEffort':
      return resource === 'pods'
    case 'VolumeAttributesClass':
      return STORAGE.has(resource)
    default:
      return !SCOPES.includes(scope) || COMPUTE.has(resource)
  }
}

const EXISTS_ONLY = ['BestEffort', 'NotBestEffort', 'Terminating', 'NotTerminating', 'CrossNamespacePodAffinity']
const EXISTS_ONLY_DETAIL =
  "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, " +
  'ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity'

/** The path does not say which of the expressions it is. */
function checkScope(
  { scopeName, operator, values }: ScopedResourceSelectorRequirement,
  selector: unknown,
  hard: readonly string[],
  errors: Errors,
): void {
  const path = 'spec.scopeSelector.matchExpressions'
  if (!SCOPES.includes(scopeName)) errors.push(invalid(`${path}.scopeName`, scopeName ?? '', 'unsupported scope'))
  for (const name of hard) {
    if (isQuotaResource(name) && !suits(scopeName, name))
      errors.push(invalid(path, selector, 'unsupported scope applied to resource'))
  }
  if (EXISTS_ONLY.includes(scopeName) && operator !== 'Exists')
    errors.push(invalid(`${path}.operator`, operator ?? '', EXISTS_ONLY_DETAIL))
  const count = values?.length ?? 0
  if (operator === 'In' || operator === 'NotIn') {
    const detail = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
    if (count === 0) errors.push(required(`${path}.values`, detail))
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    const detail = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"
    if (count > 0) errors.push(invalid(`${path}.values`, values, detail))
  } else errors.push(invalid(`${path}.operator`, operator ?? '', 'not a valid selector operator'))
}

const quota = (object: KubeObject) => object as ResourceQuota

export const resourceQuota: DefinitionInput = {
  kind: 'ResourceQuota',
  plural: 'resourcequotas',
  shortNames: ['quota'],
  status: true,
  columns: [
    column('Request', (object) => usage(quota(object), false)),
    column('Limit', (object) => usage(quota(object), true)),
    ageColumn,
  ],
  strategy: statusStrategy(() => ({}), {
    prepareForStatusUpdate: (object, old) => {
      object.spec = old.spec
    },
    validate: (object) => collect((errors) => check(quota(object), errors)),
    validateUpdate: (object, old) =>
      collect((errors) => {
        check(quota(object), errors)
        const [now, then] = [object, old].map(({ spec }) => [...new Set<string>(spec?.scopes ?? [])].sort())
        if (!equal(now, then)) errors.push(immutable('spec.scopes', object.spec?.scopes ?? null))
      }),
    validateStatusUpdate: (object) =>
      collect((errors) => {
        checkAmounts(object.status?.hard, 'status.hard', errors)
        checkAmounts(object.status?.used, 'status.used', errors)
      }),
    returnsDeleted: true,
    countsGeneration: false,
  }),
}
