/** PodTemplate: a pod specification on its own. */

import type { KubeObject } from '../object.ts'
import { formatLabels } from '../selectors.ts'
import { column, templateColumns } from './columns.ts'
import type { DefinitionInput } from './define.ts'
import { defaultTemplate } from './pod-defaults.ts'
import { checkTemplate } from './pod-rules.ts'
import { warnOfTemplate } from './pod-warnings.ts'
import { collect } from './rules.ts'

const check = (object: KubeObject) => collect((errors) => checkTemplate(object.template, 'template', errors))

export const podTemplate: DefinitionInput = {
  kind: 'PodTemplate',
  plural: 'podtemplates',
  columns: [
    ...templateColumns((object) => object.template?.spec).map((c) => ({ ...c, priority: 0 })),
    column('Pod Labels', (object) => formatLabels(object.template?.metadata?.labels)),
  ],
  strategy: {
    defaults: (object) => {
      object.template ??= {}
      defaultTemplate(object.template)
    },
    validate: check,
    validateUpdate: check,
    warnings: ({ template }) => {
      const warnings: string[] = []
      warnOfTemplate(template, 'template', warnings)
      return warnings
    },
    countsGeneration: true,
    returnsDeleted: true,
  },
}
