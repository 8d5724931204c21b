/** ResourceQuota: how much of what a namespace may hold. */
import { type Errors, notSupported } from '../field-errors.ts'
import type { KubeObject } from '../object.ts'
import type { ResourceQuota } from '../types.ts'
import { ageColumn, column } from './columns.ts'
import { type DefinitionInput, statusStrategy } from './define.ts'
import { checkAmount, checkQuotaResourceName } from './resource-rules.ts'
import { checkExpression, checkImmutable, collect } from './rules.ts'

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
  for (const scope of quota.spec?.scopes ?? []) {
    if (!SCOPES.includes(scope)) errors.push(notSupported('spec.scopes', scope, SCOPES))
  }
  quota.spec?.scopeSelector?.matchExpressions?.forEach((expression, index) => {
    const path = `spec.scopeSelector.matchExpressions[${index}]`
    if (!SCOPES.includes(expression.scopeName)) errors.push(notSupported(`${path}.scopeName`, expression.scopeName ?? '', SCOPES))
    checkExpression(expression, path, errors)
  })
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
        checkImmutable(object.spec?.scopes ?? [], old.spec?.scopes, 'spec.scopes', errors)
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
