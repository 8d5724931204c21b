/** Rules for where a pod may run: node selectors, affinity, tolerations, spreading, gates. */
import type { Errors } from '../field-errors.ts'
import { duplicate, forbidden, invalid, notSupported, required } from '../field-errors.ts'
import { dnsLabel, dnsSubdomain, labelValue, qualifiedName } from '../names.ts'
import type {
  Affinity,
  NodeSelector,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodAffinity,
  PodAffinityTerm,
  PodSchedulingGate,
  Toleration,
  TopologySpreadConstraint,
} from '../types.ts'
import { checkExpression, checkSelector, obey, oneOf } from './rules.ts'

export const TAINT_EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute']

export function checkTolerations(tolerations: Toleration[] | undefined, path: string, errors: Errors): void {
  for (let index = 0; index < (tolerations?.length ?? 0); index++) {
    checkToleration(tolerations?.[index] as Toleration, `${path}[${index}]`, errors)
  }
}

function checkToleration(toleration: Toleration, path: string, errors: Errors): void {
  const { key = '', operator = '', value = '', effect = '', tolerationSeconds } = toleration
  if (key !== '') obey(key, qualifiedName, `${path}.key`, errors)
  else if (operator !== 'Exists') {
    const detail = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
    errors.push(invalid(`${path}.operator`, operator, detail))
  }
  if (tolerationSeconds !== undefined && effect !== 'NoExecute') {
    errors.push(invalid(`${path}.effect`, effect, "effect must be 'NoExecute' when `tolerationSeconds` is set"))
  }
  if (operator === '' || operator === 'Equal') {
    const complaints = labelValue(value)
    if (complaints.length > 0) errors.push(invalid(`${path}.operator`, value, complaints.join(';')))
  } else if (operator === 'Exists') {
    if (value !== '') errors.push(invalid(`${path}.operator`, value, "value must be empty when `operator` is 'Exists'"))
  } else errors.push(notSupported(`${path}.operator`, operator, ['Equal', 'Exists']))
  oneOf(effect, TAINT_EFFECTS, `${path}.effect`, errors)
}

export function checkAffinity(affinity: Affinity | undefined, path: string, errors: Errors): void {
  if (!affinity) return
  const { nodeAffinity } = affinity
  if (nodeAffinity) {
    const { requiredDuringSchedulingIgnoredDuringExecution: must, preferredDuringSchedulingIgnoredDuringExecution: wish } =
      nodeAffinity
    const at = `${path}.nodeAffinity`
    if (must) checkNodeSelector(must, `${at}.requiredDuringSchedulingIgnoredDuringExecution`, errors)
    wish?.forEach((term, index) => {
      const place = `${at}.preferredDuringSchedulingIgnoredDuringExecution[${index}]`
      checkWeight(term.weight, `${place}.weight`, errors)
      checkNodeTerm(term.preference, `${place}.preference`, errors, true)
    })
  }
  checkPodAffinity(affinity.podAffinity, `${path}.podAffinity`, errors)
  checkPodAffinity(affinity.podAntiAffinity, `${path}.podAntiAffinity`, errors)
}

export function checkNodeSelector(selector: NodeSelector, path: string, errors: Errors): void {
  if (!selector.nodeSelectorTerms?.length) {
    errors.push(required(`${path}.nodeSelectorTerms`, 'must have at least one node selector term'))
  }
  selector.nodeSelectorTerms?.forEach((term, index) => {
    checkNodeTerm(term, `${path}.nodeSelectorTerms[${index}]`, errors)
  })
}

/** A preference may name values that no label can have. */
function checkNodeTerm(term: NodeSelectorTerm | undefined, path: string, errors: Errors, anyValue = false): void {
  if (!term) return
  term.matchExpressions?.forEach((expression, index) => {
    const at = `${path}.matchExpressions[${index}]`
    checkExpression(expression, at, errors, true)
    obey(expression.key ?? '', qualifiedName, `${at}.key`, errors)
    if (!anyValue)
      expression.values?.forEach((value, i) => {
        obey(value, labelValue, `${at}.values[${i}]`, errors)
      })
  })
  term.matchFields?.forEach((requirement, index) => {
    checkNodeField(requirement, `${path}.matchFields[${index}]`, errors)
  })
}

/** Nodes are selected by one field only, their name. */
function checkNodeField(requirement: NodeSelectorRequirement, path: string, errors: Errors): void {
  const { key, operator, values = [] } = requirement
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length !== 1) {
      const detail = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
      errors.push(required(`${path}.values`, detail))
    }
  } else errors.push(invalid(`${path}.operator`, operator ?? '', 'not a valid selector operator'))
  if (key !== 'metadata.name') errors.push(invalid(`${path}.key`, key ?? '', 'not a valid field selector key'))
  else
    values.forEach((value, index) => {
      obey(value, dnsSubdomain, `${path}.values[${index}]`, errors)
    })
}

function checkWeight(weight: number, path: string, errors: Errors): void {
  if (!(weight >= 1 && weight <= 100)) errors.push(invalid(path, weight ?? 0, 'must be in the range 1-100'))
}

function checkPodAffinity(affinity: PodAffinity | undefined, path: string, errors: Errors): void {
  affinity?.requiredDuringSchedulingIgnoredDuringExecution?.forEach((term, index) => {
    checkPodTerm(term, `${path}.requiredDuringSchedulingIgnoredDuringExecution[${index}]`, errors)
  })
  affinity?.preferredDuringSchedulingIgnoredDuringExecution?.forEach((term, index) => {
    const at = `${path}.preferredDuringSchedulingIgnoredDuringExecution[${index}]`
    checkWeight(term.weight, `${at}.weight`, errors)
    checkPodTerm(term.podAffinityTerm, `${at}.podAffinityTerm`, errors)
  })
}

function checkPodTerm(term: PodAffinityTerm, path: string, errors: Errors): void {
  checkSelector(term.labelSelector, `${path}.labelSelector`, errors)
  checkSelector(term.namespaceSelector, `${path}.namespaceSelector`, errors)
  for (const name of term.namespaces ?? []) obey(name, dnsLabel, `${path}.namespace`, errors)
  checkLabelKeys(term, path, errors)
  if (!term.topologyKey) errors.push(required(`${path}.topologyKey`, 'can not be empty'))
  obey(term.topologyKey ?? '', qualifiedName, `${path}.topologyKey`, errors)
}

function checkLabelKeys(term: PodAffinityTerm, path: string, errors: Errors): void {
  for (const keys of ['matchLabelKeys', 'mismatchLabelKeys'] as const) {
    if (!term[keys]?.length) continue
    if (!term.labelSelector) errors.push(forbidden(`${path}.${keys}`, 'must not be specified when labelSelector is not set'))
    else
      term[keys]?.forEach((key, index) => {
        obey(key, qualifiedName, `${path}.${keys}[${index}]`, errors)
      })
  }
  term.matchLabelKeys?.forEach((key, index) => {
    // The selector that these keys make is in the expressions by now: what else names the key is the user's.
    const written = term.labelSelector?.matchLabels?.[key] !== undefined
    const expressions = (term.labelSelector?.matchExpressions ?? []).filter((expression) => expression.key === key)
    if (expressions.length > (written ? 0 : 1))
      errors.push(invalid(`${path}[${index}]`, key, 'exists in both matchLabelKeys and labelSelector'))
    if (term.mismatchLabelKeys?.includes(key))
      errors.push(invalid(`${path}.matchLabelKeys[${index}]`, key, 'exists in both matchLabelKeys and mismatchLabelKeys'))
  })
}

export function checkSpread(constraints: TopologySpreadConstraint[] | undefined, path: string, errors: Errors): void {
  constraints?.forEach((constraint, index) => {
    const at = `${path}[${index}]`
    const { maxSkew, topologyKey, whenUnsatisfiable, minDomains } = constraint
    if (!(maxSkew > 0)) errors.push(invalid(`${at}.maxSkew`, maxSkew ?? 0, 'must be greater than zero'))
    if (!topologyKey) errors.push(required(`${at}.topologyKey`, 'can not be empty'))
    if (whenUnsatisfiable !== 'DoNotSchedule' && whenUnsatisfiable !== 'ScheduleAnyway') {
      errors.push(notSupported(`${at}.whenUnsatisfiable`, whenUnsatisfiable ?? '', ['DoNotSchedule', 'ScheduleAnyway']))
    }
    const same = (other: TopologySpreadConstraint) =>
      other.topologyKey === topologyKey && other.whenUnsatisfiable === whenUnsatisfiable
    if (constraints.slice(index + 1).some(same)) {
      errors.push(duplicate(`${at}.{topologyKey, whenUnsatisfiable}`, `{${topologyKey ?? ''}, ${whenUnsatisfiable ?? ''}}`))
    }
    if (minDomains !== undefined) checkMinDomains(minDomains, whenUnsatisfiable, `${at}.minDomains`, errors)
    oneOf(constraint.nodeAffinityPolicy, ['Honor', 'Ignore'], `${at}.nodeAffinityPolicy`, errors)
    oneOf(constraint.nodeTaintsPolicy, ['Honor', 'Ignore'], `${at}.nodeTaintsPolicy`, errors)
    checkSpreadKeys(constraint, `${at}.matchLabelKeys`, errors)
    checkSelector(constraint.labelSelector, `${at}.labelSelector`, errors)
  })
}

function checkSpreadKeys({ matchLabelKeys, labelSelector }: TopologySpreadConstraint, path: string, errors: Errors): void {
  if (!matchLabelKeys?.length) return
  if (!labelSelector) errors.push(forbidden(path, 'must not be specified when labelSelector is not set'))
  const named = new Set([
    ...Object.keys(labelSelector?.matchLabels ?? {}),
    ...(labelSelector?.matchExpressions ?? []).map((expression) => expression.key),
  ])
  matchLabelKeys.forEach((key, index) => {
    obey(key, qualifiedName, `${path}[${index}]`, errors)
    if (named.has(key)) errors.push(invalid(`${path}[${index}]`, key, 'exists in both matchLabelKeys and labelSelector'))
  })
}

function checkMinDomains(minDomains: number, action: string, path: string, errors: Errors): void {
  if (minDomains <= 0) errors.push(invalid(path, minDomains, 'must be greater than zero'))
  if (action !== 'DoNotSchedule') {
    const detail = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${action}`
    errors.push(invalid(path, minDomains, detail))
  }
}

export function checkGates(gates: PodSchedulingGate[] | undefined, path: string, errors: Errors): void {
  const seen = new Set<string>()
  gates?.forEach((gate, index) => {
    const at = `${path}[${index}]`
    obey(gate.name ?? '', qualifiedName, at, errors)
    if (seen.has(gate.name)) errors.push(duplicate(at, gate.name))
    seen.add(gate.name)
  })
}
