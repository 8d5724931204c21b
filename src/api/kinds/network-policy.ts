/** NetworkPolicy. */
import { formatLabelSelector } from '../selectors.ts'
import { ageColumn, column } from './columns.ts'
import type { DefinitionInput } from './define.ts'

export const networkPolicy: DefinitionInput = {
  kind: 'NetworkPolicy',
  plural: 'networkpolicies',
  shortNames: ['netpol'],
  columns: [column('Pod-Selector', (object) => formatLabelSelector(object.spec?.podSelector)), ageColumn],
  strategy: { countsGeneration: true },
}
