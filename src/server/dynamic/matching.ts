/** Which requests a webhook or a policy is for: rules, namespaces, objects. Pure. */
import { groupVersion, type ObjectKind, type ResourceDefinition } from '../../api/definition.ts'
import type { KubeObject } from '../../api/object.ts'
import { labelSelector } from '../../api/selectors.ts'
import { notFound } from '../../api/status.ts'
import type { LabelSelector, RuleWithOperations } from '../../api/types.ts'
import type { AdmissionRequest, ObjectReader } from '../admission/contract.ts'
import type { Registry, Resource } from '../registry.ts'

/** What webhooks, bindings of policies and the policies themselves have in common. */
export interface Match {
  readonly namespaceSelector?: LabelSelector | undefined
  readonly objectSelector?: LabelSelector | undefined
  readonly matchPolicy?: string | undefined
  readonly rules?: readonly NamedRule[] | undefined
  readonly excludeRules?: readonly NamedRule[] | undefined
}

type NamedRule = RuleWithOperations & { readonly resourceNames?: readonly string[] | undefined }

/** A rule that names another version of the resource sees the object in that version. */
export interface Matched {
  readonly definition: ResourceDefinition
  /** What the object is there. */
  readonly kind: ObjectKind
}

/** Undefined when it is not for this request. Throws a 404 when the request's namespace is not there. */
export function matchRequest(
  match: Match,
  request: AdmissionRequest,
  registry: Registry,
  reader: ObjectReader,
): Matched | undefined {
  const matched = matchRules(match, request, registry)
  if (!matched) return undefined
  if (!matchesNamespace(match.namespaceSelector, request, reader)) return undefined
  return matchesObject(match.objectSelector, request) ? matched : undefined
}

function matchRules(match: Match, request: AdmissionRequest, registry: Registry): Matched | undefined {
  const holds = (rules: readonly NamedRule[] | undefined, definition: ResourceDefinition) =>
    rules?.some((rule) => matchesRule(rule, request, definition)) ?? false
  const equivalents = match.matchPolicy === 'Exact' ? [] : equivalentsOf(request, registry)
  if ([request.definition, ...equivalents].some((definition) => holds(match.excludeRules, definition))) return undefined
  if (holds(match.rules, request.definition)) return { definition: request.definition, kind: request.kind }
  const definition = equivalents.find((one) => holds(match.rules, one))
  if (!definition) return undefined
  // What a subresource takes is the same in every version.
  return { definition, kind: request.kind === request.definition ? definition : request.kind }
}

/** The same objects in other versions and groups, where those have the subresource. */
function equivalentsOf({ definition, subresource }: AdmissionRequest, registry: Registry): ResourceDefinition[] {
  const own = registry.lookup(definition.group, definition.version, definition.plural)
  const found: Resource[] = []
  for (const resource of registry.resources()) if (resource !== own && resource.prefix === own?.prefix) found.push(resource)
  const has = ({ subresources }: ResourceDefinition) =>
    subresource === '' || subresources.some(({ name }) => name === subresource)
  return found.map((resource) => resource.definition).filter(has)
}

function matchesRule(rule: NamedRule, request: AdmissionRequest, definition: ResourceDefinition): boolean {
  const { operations = [], apiGroups = [], apiVersions = [], resources = [], resourceNames = [], scope = '*' } = rule
  const names = (list: readonly string[], value: string) => list.includes('*') || list.includes(value)
  if (!names(operations, request.operation)) return false
  if (!names(apiGroups, definition.group) || !names(apiVersions, definition.version)) return false
  if (resourceNames.length > 0 && !resourceNames.includes(request.name)) return false
  const inNamespace = definition.namespaced && request.namespace !== ''
  if (scope === 'Namespaced' ? !inNamespace : scope === 'Cluster' && inNamespace) return false
  return resources.some((text) => {
    const [resource = '', subresource = ''] = text.split('/', 2)
    const isResource = resource === '*' || resource === definition.plural
    return isResource && (subresource === '*' || subresource === request.subresource)
  })
}

function matchesNamespace(selector: LabelSelector | undefined, request: AdmissionRequest, reader: ObjectReader): boolean {
  const compiled = labelSelector(selector ?? {})
  if (compiled.isEverything) return true
  const isNamespace = request.definition.group === '' && request.definition.plural === 'namespaces'
  if (!isNamespace && request.namespace === '') return true
  const own = isNamespace && request.subresource === '' ? (request.object ?? request.old) : undefined
  const namespace = own ?? reader.get('', 'namespaces', '', request.namespace || request.name)
  if (!namespace) throw notFound({ group: '', plural: 'namespaces' }, request.namespace)
  return compiled.matches(namespace.metadata.labels)
}

function matchesObject(selector: LabelSelector | undefined, { object, old }: AdmissionRequest): boolean {
  const compiled = labelSelector(selector ?? {})
  if (compiled.isEverything) return true
  // Options of a CONNECT have no metadata, and so no labels to be selected by.
  const matches = (one: KubeObject | undefined) => one?.metadata !== undefined && compiled.matches(one.metadata.labels)
  return matches(object) || matches(old)
}

/** The object as the matched version has it; itself when that is its own. The result may share parts with it. */
export function inVersion(object: KubeObject, from: ObjectKind, to: ObjectKind): KubeObject {
  if (from === to) return object
  const stored = from.toStorage ? from.toStorage(object) : object
  const shown = to.fromStorage ? to.fromStorage(stored) : stored
  return { ...shown, kind: to.kind, apiVersion: groupVersion(to) }
}
