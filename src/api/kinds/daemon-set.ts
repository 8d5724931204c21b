/** DaemonSet. */
import { formatLabels } from '../selectors.ts'
import { ageColumn, column, selectorColumn, templateColumns } from './columns.ts'
import { type DefinitionInput, statusStrategy } from './define.ts'

const zeroStatus = () => ({ currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0 })

export const daemonSet: DefinitionInput = {
  kind: 'DaemonSet',
  plural: 'daemonsets',
  shortNames: ['ds'],
  categories: ['all'],
  status: true,
  columns: [
    column('Desired', (object) => object.status?.desiredNumberScheduled ?? 0, 'integer'),
    column('Current', (object) => object.status?.currentNumberScheduled ?? 0, 'integer'),
    column('Ready', (object) => object.status?.numberReady ?? 0, 'integer'),
    column('Up-to-date', (object) => object.status?.updatedNumberScheduled ?? 0, 'integer'),
    column('Available', (object) => object.status?.numberAvailable ?? 0, 'integer'),
    column('Node Selector', (object) => formatLabels(object.spec?.template?.spec?.nodeSelector)),
    ageColumn,
    ...templateColumns((object) => object.spec?.template?.spec),
    selectorColumn((object) => object.spec?.selector),
  ],
  strategy: statusStrategy(zeroStatus),
}
