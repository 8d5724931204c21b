/**
 * Nobody hands out what he does not hold: refuses roles with rules the writer lacks, and bindings to roles the writer lacks,
 * unless he may `escalate` or `bind` that role. An admission plugin, although Kubernetes has it in the registry.
 */
import type { KubeObject } from '../../api/object.ts'
import { forbidden, notFound, type ResourceName } from '../../api/status.ts'
import type { PolicyRule } from '../../api/types.ts'
import type { AdmissionPlugin, AdmissionRequest } from '../admission/contract.ts'
import type { UserInfo } from '../contract.ts'
import { EVERYTHING, type RbacAuthorizer } from './authorize.ts'
import { describeRules, quoteList, uncovered } from './policy-rules.ts'
import { RBAC_GROUP, type RoleIndex } from './role-index.ts'

const GUARDED = new Set(['roles', 'clusterroles', 'rolebindings', 'clusterrolebindings'])

export function createEscalationPlugin(index: RoleIndex, authorizer: RbacAuthorizer): AdmissionPlugin {
  return {
    name: 'RBACEscalation',
    handles: ({ definition, operation }) =>
      definition.group === RBAC_GROUP && GUARDED.has(definition.plural) && (operation === 'CREATE' || operation === 'UPDATE'),
    mutate(request) {
      if (!request.object || (request.old && sameGrant(request.object, request.old))) return
      if (request.definition.plural.endsWith('roles')) checkRole(request, request.object, authorizer)
      else checkBinding(request, request.object, index, authorizer)
    },
  }
}

/** Whether a write leaves alone what it grants. */
function sameGrant(object: KubeObject, old: KubeObject): boolean {
  const granted = ({ rules, aggregationRule, roleRef, subjects }: KubeObject) =>
    JSON.stringify([rules ?? [], aggregationRule ?? null, roleRef ?? null, subjects ?? []])
  return granted(object) === granted(old)
}

function checkRole(request: AdmissionRequest, role: KubeObject, authorizer: RbacAuthorizer): void {
  const { plural } = request.definition
  if (may(authorizer, request, 'escalate', plural, request.name)) return
  const aggregationChanged = JSON.stringify(role.aggregationRule ?? null) !== JSON.stringify(request.old?.aggregationRule ?? null)
  // Whoever decides what is gathered decides about every rule there is or will be.
  if (aggregationChanged) checkHeld(request, EVERYTHING, authorizer)
  checkHeld(request, role.rules ?? [], authorizer)
}

function checkBinding(request: AdmissionRequest, binding: KubeObject, index: RoleIndex, authorizer: RbacAuthorizer): void {
  const { kind, name } = (binding.roleRef ?? {}) as { kind?: string; name?: string }
  if (!kind || !name) return
  if (may(authorizer, request, 'bind', kind === 'Role' ? 'roles' : 'clusterroles', name)) return
  const rules = index.rulesOf({ kind, name }, request.namespace)
  if (!rules) throw notFound(resourceOf(request), name)
  checkHeld(request, rules, authorizer)
}

function may(authorizer: RbacAuthorizer, request: AdmissionRequest, verb: string, resource: string, name: string): boolean {
  const namespace = resource === 'roles' ? request.namespace : ''
  return authorizer.authorize({ user: request.user, verb, group: RBAC_GROUP, version: 'v1', resource, namespace, name }).allowed
}

function checkHeld(request: AdmissionRequest, wanted: readonly PolicyRule[], authorizer: RbacAuthorizer): void {
  const lacking = uncovered(authorizer.heldRules(request.user, request.namespace), wanted)
  if (lacking.length === 0) return
  const why = `${describeUser(request.user)} is attempting to grant RBAC permissions not currently held`
  throw forbidden(resourceOf(request), request.name, `${why}:\n${describeRules(lacking).join('\n')}`)
}

function describeUser({ name, groups }: UserInfo): string {
  return `user ${JSON.stringify(name)} (groups=${quoteList(groups)})`
}

function resourceOf({ definition }: AdmissionRequest): ResourceName {
  return { group: definition.group, plural: definition.plural }
}
