/** apiextensions.k8s.io/v1: CustomResourceDefinition. What its schemas mean is known elsewhere. */
import { type DefinitionInput, defineGroup, statusStrategy } from './define.ts'

const customResourceDefinition: DefinitionInput = {
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  shortNames: ['crd', 'crds'],
  categories: ['api-extensions'],
  namespaced: false,
  status: true,
  strategy: statusStrategy(() => ({}), { allowUnconditionalUpdate: false }),
}

export const apiextensionsDefinitions = defineGroup(
  { group: 'apiextensions.k8s.io', version: 'v1', package: 'apiextensions/v1' },
  [customResourceDefinition],
)
