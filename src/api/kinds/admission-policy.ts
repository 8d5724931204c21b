/** Validating and mutating admission policies and their bindings. */
import type { Column, Strategy } from '../definition.ts'
import type { KubeObject } from '../object.ts'
import { formatLabelSelector } from '../selectors.ts'
import {
  checkPolicy,
  checkPolicyBinding,
  checkPolicyStatus,
  defaultPolicy,
  defaultPolicyBinding,
} from './admission-policy-rules.ts'
import { ageColumn, column } from './columns.ts'
import { type DefinitionInput, statusStrategy } from './define.ts'
import { collect } from './rules.ts'

const shared = { namespaced: false, categories: ['api-extensions'] }

function paramKind(object: KubeObject): string {
  const kind = object.spec?.paramKind
  return kind ? `${kind.apiVersion}/${kind.kind}` : '<unset>'
}

function paramRef(object: KubeObject): string {
  const reference = object.spec?.paramRef
  if (!reference) return '<unset>'
  if (reference.name) return reference.namespace ? `${reference.namespace}/${reference.name}` : `*/${reference.name}`
  return formatLabelSelector(reference.selector)
}

const bindingColumns: readonly Column[] = [
  column('PolicyName', (object) => object.spec?.policyName ?? ''),
  column('ParamRef', paramRef),
  ageColumn,
]

function policyStrategy(work: 'validations' | 'mutations'): Strategy {
  return {
    defaults: defaultPolicy,
    validate: (object) => collect((errors) => checkPolicy(object, undefined, work, errors)),
    validateUpdate: (object, old) => collect((errors) => checkPolicy(object, old, work, errors)),
    countsGeneration: true,
    allowUnconditionalUpdate: false,
    async validateExpressions(object) {
      const { checkPolicyExpressions } = await import('../cel/policy-expressions.ts')
      return collect((errors) => checkPolicyExpressions(object.spec ?? {}, errors))
    },
  }
}

function bindingStrategy(validating: boolean): Strategy {
  const validate = (object: KubeObject) => collect((errors) => checkPolicyBinding(object, validating, errors))
  return {
    defaults: defaultPolicyBinding,
    validate,
    validateUpdate: validate,
    countsGeneration: true,
    allowUnconditionalUpdate: false,
  }
}

export const admissionPolicies: readonly DefinitionInput[] = [
  {
    ...shared,
    kind: 'MutatingAdmissionPolicy',
    plural: 'mutatingadmissionpolicies',
    columns: [
      column('Mutations', (object) => object.spec?.mutations?.length ?? 0, 'integer'),
      column('ParamKind', paramKind),
      ageColumn,
    ],
    strategy: policyStrategy('mutations'),
  },
  {
    ...shared,
    kind: 'MutatingAdmissionPolicyBinding',
    plural: 'mutatingadmissionpolicybindings',
    columns: bindingColumns,
    strategy: bindingStrategy(false),
  },
  {
    ...shared,
    kind: 'ValidatingAdmissionPolicy',
    plural: 'validatingadmissionpolicies',
    status: true,
    columns: [
      column('Validations', (object) => object.spec?.validations?.length ?? 0, 'integer'),
      column('ParamKind', paramKind),
      ageColumn,
    ],
    strategy: statusStrategy(() => ({}), {
      ...policyStrategy('validations'),
      validateStatusUpdate: (object) => collect((errors) => checkPolicyStatus(object, errors)),
    }),
  },
  {
    ...shared,
    kind: 'ValidatingAdmissionPolicyBinding',
    plural: 'validatingadmissionpolicybindings',
    columns: bindingColumns,
    strategy: bindingStrategy(true),
  },
]
