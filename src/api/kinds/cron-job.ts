/** CronJob. */
import { ageColumn, column, selectorColumn, since, templateColumns } from './columns.ts'
import { type DefinitionInput, statusStrategy } from './define.ts'

export const cronJob: DefinitionInput = {
  kind: 'CronJob',
  plural: 'cronjobs',
  shortNames: ['cj'],
  categories: ['all'],
  status: true,
  columns: [
    column('Schedule', (object) => object.spec?.schedule ?? ''),
    column('Timezone', (object) => object.spec?.timeZone ?? '<none>'),
    column(
      'Suspend',
      (object) => (object.spec?.suspend === undefined ? '<unset>' : object.spec.suspend ? 'True' : 'False'),
      'boolean',
    ),
    column('Active', (object) => object.status?.active?.length ?? 0, 'integer'),
    column('Last Schedule', (object, { now }) =>
      object.status?.lastScheduleTime ? since(object.status.lastScheduleTime, now) : '<none>',
    ),
    ageColumn,
    ...templateColumns((object) => object.spec?.jobTemplate?.spec?.template?.spec),
    selectorColumn((object) => object.spec?.jobTemplate?.spec?.selector),
  ],
  strategy: statusStrategy(() => ({})),
}
