/** policy/v1: PodDisruptionBudget. */
import { ageColumn, column } from './columns.ts'
import { type DefinitionInput, defineGroup, statusStrategy } from './define.ts'

const zeroStatus = () => ({ disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 })

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
  strategy: statusStrategy(zeroStatus, { allowUnconditionalUpdate: false }),
}

export const policyDefinitions = defineGroup({ group: 'policy', version: 'v1', package: 'policy/v1' }, [podDisruptionBudget])
