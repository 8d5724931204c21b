/** PodTemplate: a pod specification on its own. */

import { formatLabels } from '../selectors.ts'
import { column, templateColumns } from './columns.ts'
import type { DefinitionInput } from './define.ts'

export const podTemplate: DefinitionInput = {
  kind: 'PodTemplate',
  plural: 'podtemplates',
  columns: [
    ...templateColumns((object) => object.template?.spec).map((c) => ({ ...c, priority: 0 })),
    column('Pod Labels', (object) => formatLabels(object.template?.metadata?.labels)),
  ],
  strategy: { returnsDeleted: true },
}
