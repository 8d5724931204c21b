/** Which names a definition gets, and what its conditions say of that: apiextensions' naming controller as a pure decision. */
import { APPROVED, protectedGroup } from '../../api/custom/approval.ts'
import { equal } from '../../api/equal.ts'
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionCondition,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionStatus,
} from '../../api/types.ts'

type Condition = Omit<CustomResourceDefinitionCondition, 'lastTransitionTime'>

/** `others`: the other definitions of the group. Undefined when the status says all that already. */
export function decideNames(
  crd: CustomResourceDefinition,
  others: readonly CustomResourceDefinition[],
  now: string,
): CustomResourceDefinitionStatus | undefined {
  const { acceptedNames, conflict } = acceptNames(crd, others)
  const accepted: Condition = conflict
    ? { type: 'NamesAccepted', status: 'False', ...conflict }
    : { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts', message: 'no conflicts found' }
  const conditions = [accepted, ...establishedNow(crd, !conflict), ...approval(crd)].reduce(
    (all, condition) => withCondition(all, condition, now),
    crd.status?.conditions ?? [],
  )
  const status = { ...crd.status, acceptedNames, conditions }
  return equal(status, crd.status) ? undefined : status
}

function establishedNow({ status }: CustomResourceDefinition, isAccepted: boolean): Condition[] {
  const before = status?.conditions?.find(({ type }) => type === 'Established')
  if (before?.status === 'True') return []
  const reason = isAccepted ? 'InitialNamesAccepted' : 'NotAccepted'
  const message = isAccepted ? 'the initial names have been accepted' : 'not all names are accepted'
  return [{ type: 'Established', status: isAccepted ? 'True' : 'False', reason, message }]
}

/** Groups of the Kubernetes project need its approval, which an annotation links to. */
function approval({ spec, metadata }: CustomResourceDefinition): Condition[] {
  const type = 'KubernetesAPIApprovalPolicyConformant'
  if (!protectedGroup(spec.group)) return []
  const value = metadata.annotations?.[APPROVED] ?? ''
  if (value.startsWith('unapproved')) {
    return [{ type, status: 'False', reason: 'UnapprovedAnnotation', message: `not approved: ${JSON.stringify(value)}` }]
  }
  return [{ type, status: 'True', reason: 'ApprovedAnnotation', message: `approved in ${value}` }]
}

interface Accepted {
  acceptedNames: CustomResourceDefinitionNames
  conflict: { reason: string; message: string } | undefined
}

/** A name is taken unless another definition of the group has it; what is not taken stays as it was accepted before. */
function acceptNames(crd: CustomResourceDefinition, others: readonly CustomResourceDefinition[]): Accepted {
  const wanted = crd.spec.names
  const before = crd.status?.acceptedNames ?? { plural: '', kind: '' }
  const taken = others.map((other) => other.status?.acceptedNames ?? { plural: '', kind: '' })
  const resources = new Set(taken.flatMap(({ plural, singular, shortNames }) => [plural, singular, ...(shortNames ?? [])]))
  const kinds = new Set(taken.flatMap(({ kind, listKind }) => [kind, listKind]))
  const acceptedNames: CustomResourceDefinitionNames = { ...before }
  // The last conflict is the one that is told.
  let conflict: Accepted['conflict']
  const take = (field: 'plural' | 'singular' | 'kind' | 'listKind', reason: string, used: ReadonlySet<string | undefined>) => {
    const name = wanted[field] ?? ''
    if (name === before[field] || !used.has(name)) acceptedNames[field] = name
    else conflict = { reason, message: inUse(name) }
  }
  take('plural', 'PluralConflict', resources)
  take('singular', 'SingularConflict', resources)
  const clashing = (wanted.shortNames ?? []).filter((name) => !before.shortNames?.includes(name) && resources.has(name))
  if (clashing.length === 0) acceptedNames.shortNames = wanted.shortNames
  else conflict = { reason: 'ShortNamesConflict', message: listed(clashing.map(inUse)) }
  take('kind', 'KindConflict', kinds)
  take('listKind', 'ListKindConflict', kinds)
  acceptedNames.categories = wanted.categories
  return { acceptedNames, conflict }
}

function inUse(name: string): string {
  return `${JSON.stringify(name)} is already in use`
}

function listed(messages: readonly string[]): string {
  return messages.length === 1 ? messages[0]! : `[${messages.join(', ')}]`
}

/** The conditions with this one among them; its time moves only with its status. */
export function withCondition(
  conditions: readonly CustomResourceDefinitionCondition[],
  condition: Condition,
  now: string,
): CustomResourceDefinitionCondition[] {
  const before = conditions.find(({ type }) => type === condition.type)
  const lastTransitionTime = before?.status === condition.status ? before.lastTransitionTime : now
  const { type, status, ...says } = condition
  const next = { type, status, lastTransitionTime, ...says }
  return before ? conditions.map((one) => (one === before ? next : one)) : [...conditions, next]
}
