/** What a review of access must ask, in Kubernetes' words. */
import { type Errors, forbidden, invalid, required } from '../../api/field-errors.ts'
import { obey } from '../../api/kinds/rules.ts'
import { labelValue, qualifiedName } from '../../api/names.ts'
import type { KubeObject } from '../../api/object.ts'
import type {
  FieldSelectorAttributes,
  FieldSelectorRequirement,
  LabelSelectorAttributes,
  LabelSelectorRequirement,
  NonResourceAttributes,
  SubjectAccessReviewSpec,
} from '../../api/types.ts'

/** Values appear as Go's own field names spell them. */
const shown = ({ path = '', verb = '' }: NonResourceAttributes) => ({ Path: path, Verb: verb })

export interface AccessQuestion {
  /** Whether it is about someone else. */
  namesUser: boolean
  /** The namespace it is asked in, for reviews that are asked in one. */
  namespace?: string
}

export function checkAccessReview(review: KubeObject, { namesUser, namespace }: AccessQuestion): Errors {
  const errors: Errors = []
  const spec: SubjectAccessReviewSpec = review.spec ?? {}
  const { resourceAttributes, nonResourceAttributes } = spec
  if (resourceAttributes && nonResourceAttributes) {
    const detail = 'cannot be specified in combination with resourceAttributes'
    errors.push(invalid('spec.nonResourceAttributes', shown(nonResourceAttributes), detail))
  }
  if (!resourceAttributes && !nonResourceAttributes) {
    const detail = 'exactly one of nonResourceAttributes or resourceAttributes must be specified'
    errors.push(invalid('spec.resourceAttributes', null, detail))
  }
  if (namesUser && !spec.user && !spec.groups?.length) {
    errors.push(invalid('spec.user', spec.user ?? '', 'at least one of user or group must be specified'))
  }
  checkSelection(resourceAttributes?.fieldSelector, 'spec.resourceAttributes.fieldSelector', errors, checkField)
  checkSelection(resourceAttributes?.labelSelector, 'spec.resourceAttributes.labelSelector', errors, checkLabel)
  checkMetadata(review, namespace !== undefined, errors)
  if (namespace !== undefined) checkLocal(spec, namespace, errors)
  return errors
}

/** A question is not stored, so it has no name. */
function checkMetadata({ metadata = {} }: KubeObject, local: boolean, errors: Errors): void {
  const given = Object.keys(metadata).filter((key) => key !== 'managedFields' && !(local && key === 'namespace'))
  if (given.length > 0) errors.push(invalid('metadata', metadata, local ? 'must be empty except for namespace' : 'must be empty'))
}

function checkLocal({ resourceAttributes, nonResourceAttributes }: SubjectAccessReviewSpec, namespace: string, errors: Errors) {
  const asked = resourceAttributes?.namespace ?? ''
  if (resourceAttributes && asked !== namespace) {
    errors.push(invalid('spec.resourceAttributes.namespace', asked, 'must match metadata.namespace'))
  }
  if (nonResourceAttributes) {
    errors.push(invalid('spec.nonResourceAttributes', shown(nonResourceAttributes), 'disallowed on this kind of request'))
  }
}

type Selection = FieldSelectorAttributes | LabelSelectorAttributes
type Requirement = FieldSelectorRequirement | LabelSelectorRequirement

/** Text or requirements, not both. Operators that nobody knows yet are let through. */
function checkSelection(
  selection: Selection | undefined,
  path: string,
  errors: Errors,
  checkOne: (requirement: Requirement, path: string, errors: Errors) => void,
): void {
  if (!selection) return
  const { rawSelector, requirements = [] } = selection
  if (rawSelector && requirements.length > 0) {
    errors.push(invalid(`${path}.rawSelector`, rawSelector, 'may not specified at the same time as requirements'))
  }
  if (!rawSelector && requirements.length === 0) {
    errors.push(required(`${path}.requirements`, `when ${path} is specified, requirements or rawSelector is required`))
  }
  requirements.forEach((requirement, index) => {
    checkOne(requirement, `${path}.requirements[${index}]`, errors)
  })
}

function checkField(requirement: Requirement, path: string, errors: Errors): void {
  if (!requirement.key) errors.push(required(`${path}.key`, 'must be specified'))
  checkValues(requirement, path, errors)
}

function checkLabel(requirement: Requirement, path: string, errors: Errors): void {
  checkValues(requirement, path, errors)
  obey(requirement.key ?? '', qualifiedName, `${path}.key`, errors)
  requirement.values?.forEach((value, index) => {
    obey(value, labelValue, `${path}.values[${index}]`, errors)
  })
}

function checkValues({ operator, values = [] }: Requirement, path: string, errors: Errors): void {
  const listed = operator === 'In' || operator === 'NotIn'
  if (listed && values.length === 0) {
    errors.push(required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'"))
  }
  if ((operator === 'Exists' || operator === 'DoesNotExist') && values.length > 0) {
    errors.push(forbidden(`${path}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"))
  }
}
