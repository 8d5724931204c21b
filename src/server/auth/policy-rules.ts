/**
 * What an RBAC rule allows, and whether some rules cover others. Pure; the semantics and texts are those of
 * k8s.io/kubernetes `pkg/apis/rbac`. Knows no role, no binding and no user.
 */
import type { PolicyRule } from '../../api/types.ts'

/** The part of a resource request that rules are about. */
export interface ResourceAction {
  verb: string
  group: string
  resource: string
  subresource: string
  /** Undefined when the answer shall not depend on a name: rules that name objects then do not match. */
  name: string | undefined
}

export function allowsResource(rule: PolicyRule, action: ResourceAction): boolean {
  return (
    has(rule.verbs, action.verb) &&
    has(rule.apiGroups, action.group) &&
    matchesResource(rule.resources, action.resource, action.subresource) &&
    (!rule.resourceNames?.length || (action.name !== undefined && rule.resourceNames.includes(action.name)))
  )
}

/** Whether the rule would match if it were asked about one of the names it lists. */
export function allowsSomeNames(rule: PolicyRule, action: ResourceAction): boolean {
  if (!rule.resourceNames?.length) return false
  return allowsResource(rule, { ...action, name: rule.resourceNames[0] })
}

/** A URL of a rule may end in `*`. */
export function allowsPath(rule: PolicyRule, verb: string, path: string): boolean {
  return has(rule.verbs, verb) && (rule.nonResourceURLs ?? []).some((pattern) => matchesPath(pattern, path))
}

function has(values: readonly string[] | undefined, wanted: string): boolean {
  return values !== undefined && (values.includes(wanted) || values.includes('*'))
}

function matchesResource(resources: readonly string[] | undefined, resource: string, subresource: string): boolean {
  if (resources === undefined) return false
  if (resources.includes('*') || resources.includes(subresource ? `${resource}/${subresource}` : resource)) return true
  return subresource !== '' && resources.includes(`*/${subresource}`)
}

function matchesPath(pattern: string, path: string): boolean {
  if (pattern === '*' || pattern === path) return true
  return pattern.endsWith('*') && path.startsWith(pattern.slice(0, -1))
}

/** The parts of `wanted` that no rule of `held` covers: each about one verb, group, resource and name, or one URL. */
export function uncovered(held: readonly PolicyRule[], wanted: readonly PolicyRule[]): PolicyRule[] {
  return wanted.flatMap(breakDown).filter((part) => !held.some((rule) => covers(rule, part)))
}

function breakDown(rule: PolicyRule): PolicyRule[] {
  const parts: PolicyRule[] = []
  for (const group of rule.apiGroups ?? []) {
    for (const resource of rule.resources ?? []) {
      for (const verb of rule.verbs) {
        const part = { apiGroups: [group], resources: [resource], verbs: [verb] }
        if (!rule.resourceNames?.length) parts.push(part)
        else for (const name of rule.resourceNames) parts.push({ ...part, resourceNames: [name] })
      }
    }
  }
  for (const url of rule.nonResourceURLs ?? [])
    for (const verb of rule.verbs) parts.push({ nonResourceURLs: [url], verbs: [verb] })
  return parts
}

function covers(rule: PolicyRule, part: PolicyRule): boolean {
  if (!includesAll(rule.verbs, part.verbs)) return false
  if (part.nonResourceURLs)
    return part.nonResourceURLs.every((url) => (rule.nonResourceURLs ?? []).some((p) => matchesPath(p, url)))
  const named = !rule.resourceNames?.length || (part.resourceNames ?? ['']).every((name) => rule.resourceNames?.includes(name))
  return named && includesAll(rule.apiGroups, part.apiGroups ?? []) && includesResources(rule.resources, part.resources ?? [])
}

function includesAll(held: readonly string[] | undefined, wanted: readonly string[]): boolean {
  return held !== undefined && (held.includes('*') || wanted.every((value) => held.includes(value)))
}

function includesResources(held: readonly string[] | undefined, wanted: readonly string[]): boolean {
  if (includesAll(held, wanted)) return true
  return wanted.every((resource) => {
    const slash = resource.indexOf('/')
    return held?.includes(resource) || (slash >= 0 && held?.includes(`*${resource.slice(slash)}`))
  })
}

/** Joins the verbs of parts that differ in nothing else, and prints each as Kubernetes does, sorted. */
export function describeRules(parts: readonly PolicyRule[]): string[] {
  const merged = new Map<string, PolicyRule>()
  for (const part of parts) {
    const key = JSON.stringify([part.apiGroups, part.resources, part.resourceNames, part.nonResourceURLs])
    const same = part.nonResourceURLs ? undefined : merged.get(key)
    if (same) same.verbs = [...new Set([...same.verbs, ...part.verbs])]
    else merged.set(part.nonResourceURLs ? `${key}${part.verbs.join()}` : key, { ...part })
  }
  return [...merged.values()].map(describeRule).sort()
}

function describeRule(rule: PolicyRule): string {
  const fields: [string, readonly string[] | undefined][] = [
    ['APIGroups', rule.apiGroups],
    ['Resources', rule.resources],
    ['NonResourceURLs', rule.nonResourceURLs],
    ['ResourceNames', rule.resourceNames],
    ['Verbs', rule.verbs],
  ]
  return `{${fields.flatMap(([name, values]) => (values?.length ? [`${name}:${quoteList(values)}`] : [])).join(', ')}}`
}

/** A list of strings as Go's `%q` prints it. */
export function quoteList(values: readonly string[]): string {
  return `[${values.map((value) => JSON.stringify(value)).join(' ')}]`
}
