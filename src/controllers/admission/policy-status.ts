/** Writes into the status of each ValidatingAdmissionPolicy what is odd about its expressions, given the types of what it is for. */
import { type CheckedKind, typeCheck } from '../../api/cel/type-check.ts'
import { groupVersion } from '../../api/definition.ts'
import type { NamedRuleWithOperations, ValidatingAdmissionPolicy } from '../../api/types.ts'
import { validatingAdmissionPolicies } from '../../client/resources.ts'
import type { Reconciler } from '../../reconcile/reconciler.ts'
import { type KindName, OpenApiTypes } from './openapi-types.ts'

const NAME = 'validatingadmissionpolicy-status-controller'
/** Kinds of one rule that are looked at, as in Kubernetes. */
const MAX_KINDS = 10

export function policyStatusController(): Reconciler {
  return {
    name: NAME,
    setup(context, enqueue) {
      context.informer(validatingAdmissionPolicies).subscribe(({ key }) => enqueue(key))
    },
    async reconcile(name, { client, signal, informer }) {
      const policy = informer(validatingAdmissionPolicies).store.get(name)
      const generation = policy?.metadata.generation ?? 0
      if (!policy || generation <= (policy.status?.observedGeneration ?? 0)) return
      const types = new OpenApiTypes(client, signal)
      const expressionWarnings = await warningsOf(policy, types)
      const status = {
        observedGeneration: generation,
        typeChecking: expressionWarnings.length > 0 ? { expressionWarnings } : {},
      }
      const { group, version, kind } = validatingAdmissionPolicies
      const patch = { apiVersion: `${group}/${version}`, kind, metadata: { name }, status }
      const parameters = { subresource: 'status', fieldManager: NAME, force: true, signal }
      await client.patch(validatingAdmissionPolicies, name, 'apply', patch, parameters)
    },
  }
}

async function warningsOf({ spec }: ValidatingAdmissionPolicy, types: OpenApiTypes) {
  if (!spec) return []
  const kinds: CheckedKind[] = []
  for (const one of await kindsOf(spec.matchConstraints?.resourceRules ?? [], types)) {
    const type = await types.typeOf(one)
    if (type) kinds.push({ apiVersion: groupVersion(one), kind: one.kind, type })
  }
  const { apiVersion = '', kind = '' } = spec.paramKind ?? {}
  const [version = '', group = ''] = apiVersion.split('/').reverse()
  const params = spec.paramKind && (await types.typeOf({ group, version, kind }))
  return typeCheck(spec, kinds, params)
}

/** What the rules name, in order of group, version and kind. Rules that stand for whatever there is name nothing. */
async function kindsOf(rules: readonly NamedRuleWithOperations[], types: OpenApiTypes): Promise<KindName[]> {
  const found = new Map<string, KindName>()
  for (const { apiGroups = [], apiVersions = [], resources = [] } of rules) {
    if ([...apiGroups, ...apiVersions].some((text) => text.includes('*'))) continue
    const plurals = resources.filter((text) => !/[*/]/.test(text))
    const named = [...apiGroups].sort().flatMap((group) => [...apiVersions].sort().map((version) => ({ group, version })))
    const places = named.flatMap((place) => plurals.sort().map((plural) => ({ ...place, plural })))
    let count = 0
    for (const { group, version, plural } of places) {
      for (const kind of await types.kindsOf(group, version, plural)) {
        found.set(`${group} ${version} ${kind.kind}`, kind)
        count += 1
      }
      if (count >= MAX_KINDS) return inOrder(found)
    }
  }
  return inOrder(found)
}

function inOrder(found: ReadonlyMap<string, KindName>): KindName[] {
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, kind]) => kind)
}
