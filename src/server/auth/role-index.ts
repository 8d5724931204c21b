/**
 * Who is bound to which rules, kept true by the reader's changes. Aggregated ClusterRoles are computed when asked for, from
 * whatever ClusterRoles there are, so that they hold with no controller running.
 */
import type { KubeObject } from '../../api/object.ts'
import { type LabelSelectorObject, labelSelector } from '../../api/selectors.ts'
import type { PolicyRule } from '../../api/types.ts'
import type { ObjectReader } from '../admission/contract.ts'
import type { UserInfo } from '../contract.ts'

export const RBAC_GROUP = 'rbac.authorization.k8s.io'

/** A role given to a subject, everywhere or in one namespace. */
export interface Grant {
  /** Empty for a ClusterRoleBinding. */
  readonly namespace: string
  readonly role: RoleRef
  /** `ClusterRoleBinding "b" of ClusterRole "r" to Group "g"`: as a decision's reason has it. */
  readonly description: string
}

export interface RoleRef {
  kind: string
  name: string
}

export interface RoleIndex {
  /** Grows with every change of a role or binding: what was decided before it must be decided again. */
  readonly generation: number
  /** Cluster-wide grants first, then those of `namespace`. */
  grantsOf(user: UserInfo, namespace: string): Grant[]
  /** Undefined when there is no such role. `namespace` is where a Role lives. */
  rulesOf(role: RoleRef, namespace: string): readonly PolicyRule[] | undefined
  stop(): void
}

const CLUSTER_SCOPE = ''
const NO_RULES: readonly PolicyRule[] = []

export function createRoleIndex(reader: ObjectReader): RoleIndex {
  const index = new Index(reader)
  for (const plural of ['clusterrolebindings', 'rolebindings']) {
    for (const binding of reader.list(RBAC_GROUP, plural)) index.put(binding)
  }
  return index
}

class Index implements RoleIndex {
  generation = 0
  private readonly reader: ObjectReader
  /** Grants by scope and subject. */
  private readonly grants = new Map<string, Map<string, Grant[]>>()
  /** What each binding put there, by uid-less key, to take it out again. */
  private readonly entries = new Map<string, { subject: string; grant: Grant }[]>()
  private readonly aggregated = new Map<string, readonly PolicyRule[]>()
  private readonly unsubscribe: (() => void)[]

  constructor(reader: ObjectReader) {
    this.reader = reader
    const rolesChanged = () => {
      this.aggregated.clear()
      this.generation++
    }
    const bindingChanged = (binding: KubeObject, change: string) => {
      if (change === 'deleted') this.remove(binding)
      else this.put(binding)
      this.generation++
    }
    this.unsubscribe = [
      reader.watch(RBAC_GROUP, 'clusterroles', rolesChanged),
      reader.watch(RBAC_GROUP, 'roles', rolesChanged),
      reader.watch(RBAC_GROUP, 'clusterrolebindings', bindingChanged),
      reader.watch(RBAC_GROUP, 'rolebindings', bindingChanged),
    ]
  }

  stop(): void {
    for (const stop of this.unsubscribe) stop()
  }

  put(binding: KubeObject): void {
    this.remove(binding)
    const scope = binding.metadata.namespace ?? CLUSTER_SCOPE
    const bySubject = getOrMake(this.grants, scope, () => new Map<string, Grant[]>())
    const made = (binding.subjects ?? []).flatMap((subject: BoundSubject) => grantFor(binding, subject, scope))
    for (const { subject, grant } of made) getOrMake(bySubject, subject, () => []).push(grant)
    this.entries.set(bindingKey(binding), made)
  }

  private remove(binding: KubeObject): void {
    const key = bindingKey(binding)
    const bySubject = this.grants.get(binding.metadata.namespace ?? CLUSTER_SCOPE)
    for (const { subject, grant } of this.entries.get(key) ?? []) {
      const left = bySubject?.get(subject)?.filter((other) => other !== grant) ?? []
      if (left.length) bySubject?.set(subject, left)
      else bySubject?.delete(subject)
    }
    if (bySubject?.size === 0) this.grants.delete(binding.metadata.namespace ?? CLUSTER_SCOPE)
    this.entries.delete(key)
  }

  grantsOf(user: UserInfo, namespace: string): Grant[] {
    const found: Grant[] = []
    for (const scope of namespace === CLUSTER_SCOPE ? [CLUSTER_SCOPE] : [CLUSTER_SCOPE, namespace]) {
      const bySubject = this.grants.get(scope)
      if (!bySubject) continue
      found.push(...(bySubject.get(`u:${user.name}`) ?? []))
      for (const group of user.groups) found.push(...(bySubject.get(`g:${group}`) ?? []))
    }
    return found
  }

  rulesOf(role: RoleRef, namespace: string): readonly PolicyRule[] | undefined {
    if (role.kind === 'Role') {
      const stored = this.reader.get(RBAC_GROUP, 'roles', namespace, role.name)
      return stored && (stored.rules ?? NO_RULES)
    }
    const stored = this.reader.get(RBAC_GROUP, 'clusterroles', '', role.name)
    if (!stored) return undefined
    if (!stored.aggregationRule) return stored.rules ?? NO_RULES
    return getOrMake(this.aggregated, role.name, () => this.aggregate(stored))
  }

  /** Rules of every ClusterRole that a selector picks. One that is aggregated itself adds its own parts. */
  private aggregate(role: KubeObject, seen: Set<string> = new Set()): readonly PolicyRule[] {
    seen.add(role.metadata.name ?? '')
    const selectors = ((role.aggregationRule?.clusterRoleSelectors ?? []) as LabelSelectorObject[]).map(labelSelector)
    const parts = this.reader
      .list(RBAC_GROUP, 'clusterroles')
      .filter((other) => !seen.has(other.metadata.name ?? '') && selectors.some((s) => s.matches(other.metadata.labels)))
    return parts.flatMap((other) => (other.aggregationRule ? this.aggregate(other, seen) : (other.rules ?? [])))
  }
}

interface BoundSubject {
  kind: string
  name: string
  namespace?: string
}

/** Nothing for a subject that stands for nobody, such as a ServiceAccount of no namespace. */
function grantFor(binding: KubeObject, subject: BoundSubject, scope: string): { subject: string; grant: Grant }[] {
  const role: RoleRef = { kind: binding.roleRef?.kind ?? '', name: binding.roleRef?.name ?? '' }
  const account = subject.kind === 'ServiceAccount' ? (subject.namespace ?? scope) : ''
  const key = subjectKey(subject, account)
  if (key === undefined) return []
  const who = `${subject.kind} ${JSON.stringify(account ? `${subject.name}/${account}` : subject.name)}`
  const [kind, name] = scope
    ? ['RoleBinding', `${binding.metadata.name}/${scope}`]
    : ['ClusterRoleBinding', binding.metadata.name ?? '']
  const description = `${kind} ${JSON.stringify(name)} of ${role.kind} ${JSON.stringify(role.name)} to ${who}`
  return [{ subject: key, grant: { namespace: scope, role, description } }]
}

function subjectKey(subject: BoundSubject, accountNamespace: string): string | undefined {
  switch (subject.kind) {
    case 'User':
      return `u:${subject.name}`
    case 'Group':
      return `g:${subject.name}`
    case 'ServiceAccount':
      return accountNamespace ? `u:system:serviceaccount:${accountNamespace}:${subject.name}` : undefined
    default:
      return undefined
  }
}

function bindingKey(binding: KubeObject): string {
  return `${binding.metadata.namespace ?? CLUSTER_SCOPE}/${binding.metadata.name}`
}

function getOrMake<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = make()
  map.set(key, made)
  return made
}
