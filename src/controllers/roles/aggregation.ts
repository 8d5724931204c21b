/** Writes into every aggregated ClusterRole the rules of the ClusterRoles it gathers, so that readers see what it allows. */
import { type LabelSelectorObject, labelSelector } from '../../api/selectors.ts'
import type { ClusterRole, PolicyRule } from '../../api/types.ts'
import { clusterRoles } from '../../client/resources.ts'
import type { Reconciler } from '../../reconcile/reconciler.ts'

export function clusterRoleAggregationController(): Reconciler {
  return {
    name: 'clusterrole-aggregation-controller',
    concurrency: 1,
    setup(context, enqueue) {
      const informer = context.informer(clusterRoles)
      informer.subscribe(() => {
        for (const role of informer.store.list()) if (role.aggregationRule) enqueue(role.metadata.name ?? '')
      })
    },
    async reconcile(name, context) {
      const { store } = context.informer(clusterRoles)
      const role = store.get(name)
      if (!role?.aggregationRule) return
      const rules = planRules(role, store.list())
      if (JSON.stringify(rules) === JSON.stringify(role.rules ?? [])) return
      await context.client.update(clusterRoles, { ...role, rules })
    },
  }
}

/** The rules of all that its selectors pick, each rule once, in order of the roles' names. */
export function planRules(role: ClusterRole, all: readonly ClusterRole[]): PolicyRule[] {
  const selectors = (role.aggregationRule?.clusterRoleSelectors ?? []).map((each) => labelSelector(each as LabelSelectorObject))
  const parts = all
    .filter((other) => other.metadata.name !== role.metadata.name && selectors.some((s) => s.matches(other.metadata.labels)))
    .sort((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1))
  const rules = new Map<string, PolicyRule>()
  for (const rule of parts.flatMap((part) => part.rules ?? [])) rules.set(JSON.stringify(rule), rule)
  return [...rules.values()]
}
