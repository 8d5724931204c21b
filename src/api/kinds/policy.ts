/** policy/v1: PodDisruptionBudget. */
import { type Errors, invalid } from '../field-errors.ts'
import type { KubeObject } from '../object.ts'
import type { PodDisruptionBudget } from '../types.ts'
import { ageColumn, column } from './columns.ts'
import { type DefinitionInput, defineGroup, statusStrategy } from './define.ts'
import { checkAtMostAll, checkConditions, checkCountOrPercent, checkSelector, collect, nonNegative, oneOf } from './rules.ts'

const zeroStatus = () => ({ disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 })

function check(budget: PodDisruptionBudget, errors: Errors): void {
  const spec = budget.spec ?? {}
  if (spec.minAvailable !== undefined && spec.maxUnavailable !== undefined) {
    const value = { MinAvailable: spec.minAvailable, Selector: spec.selector ?? null, MaxUnavailable: spec.maxUnavailable }
    errors.push(invalid('spec', value, 'minAvailable and maxUnavailable cannot be both set'))
  }
  for (const field of ['minAvailable', 'maxUnavailable'] as const) {
    if (spec[field] === undefined) continue
    checkCountOrPercent(spec[field], `spec.${field}`, errors)
    checkAtMostAll(spec[field], `spec.${field}`, errors)
  }
  checkSelector(spec.selector, 'spec.selector', errors)
  oneOf(spec.unhealthyPodEvictionPolicy, ['AlwaysAllow', 'IfHealthyBudget'], 'spec.unhealthyPodEvictionPolicy', errors)
}

const COUNTS = ['disruptionsAllowed', 'currentHealthy', 'desiredHealthy', 'expectedPods']

const validate = (object: KubeObject) => collect((errors) => check(object as PodDisruptionBudget, errors))

const podDisruptionBudget: DefinitionInput = {
  kind: 'PodDisruptionBudget',
  plural: 'poddisruptionbudgets',
  shortNames: ['pdb'],
  status: true,
  columns: [
    column('Min Available', (object) => String(object.spec?.minAvailable ?? 'N/A')),
    column('Max Unavailable', (object) => String(object.spec?.maxUnavailable ?? 'N/A')),
    column('Allowed Disruptions', (object) => object.status?.disruptionsAllowed ?? 0, 'integer'),
    ageColumn,
  ],
  strategy: statusStrategy(zeroStatus, {
    validate,
    validateUpdate: validate,
    validateStatusUpdate: (object) =>
      collect((errors) => {
        checkConditions(object.status?.conditions, 'status.conditions', errors)
        for (const count of COUNTS) nonNegative(object.status?.[count], `status.${count}`, errors)
      }),
    allowUnconditionalUpdate: false,
  }),
}

export const policyDefinitions = defineGroup({ group: 'policy', version: 'v1', package: 'policy/v1' }, [podDisruptionBudget])
