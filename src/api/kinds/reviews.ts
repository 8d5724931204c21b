/** authentication.k8s.io/v1 and authorization.k8s.io/v1: questions that are posted, answered and never stored. */
import { type DefinitionInput, defineGroup } from './define.ts'

function review(kind: string, namespaced = false): DefinitionInput {
  return { kind, plural: `${kind.toLowerCase()}s`, namespaced, verbs: ['create'], strategy: { nameRule: 'none' } }
}

export const reviewDefinitions = [
  ...defineGroup({ group: 'authentication.k8s.io', version: 'v1', package: 'authentication/v1' }, [
    review('SelfSubjectReview'),
    review('TokenReview'),
  ]),
  ...defineGroup({ group: 'authorization.k8s.io', version: 'v1', package: 'authorization/v1' }, [
    review('LocalSubjectAccessReview', true),
    review('SelfSubjectAccessReview'),
    review('SelfSubjectRulesReview'),
    review('SubjectAccessReview'),
  ]),
]
