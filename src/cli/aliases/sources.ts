/** All aliases that count here: the user's, those in ConfigMaps of the namespace and of the cluster, and what kinds declare. */
import type { ConfigMap } from '../../api/types.ts'
import { configMaps } from '../../client/resources.ts'
import { isUnavailable } from '../names/metadata.ts'
import type { Session } from '../session.ts'
import { type Alias, type AliasScope, BUILT_IN, expand, type KindSet } from './alias.ts'
import { readUserAliases } from './user-file.ts'

/** ConfigMaps with this label hold aliases: a name and its kinds in each line of data. skiff's own is one of them; tools bring theirs. */
export const ALIAS_LABEL = 'skiff.dev/aliases'
/** The one that `skiff alias set` writes. */
export const ALIAS_MAP = 'skiff-aliases'
/** Readable by everybody, as far as the cluster lets them. */
export const CLUSTER_NAMESPACE = 'kube-public'

/** What a word stands for, by the first scope that knows it. Undefined when it is no alias. */
export async function findAlias(word: string, session: Session): Promise<KindSet | undefined> {
  const own = (await readUserAliases(session.env)).get(word)
  if (own) return expand({ name: word, scope: 'user', members: own }, session.discovery)
  const [inNamespace, inCluster] = await Promise.all([mapsOf('namespace', session), mapsOf('cluster', session)])
  const stored = [...inNamespace, ...inCluster].find(({ name }) => name === word)
  if (stored) return expand(stored, session.discovery)
  const builtIn = BUILT_IN.find(({ name }) => name === word)
  if (builtIn) return expand(builtIn, session.discovery)
  const declared = await expand({ name: word, scope: 'declared', members: [`category:${word}`] }, session.discovery)
  return declared.resources.length > 0 ? declared : undefined
}

/** In the order in which they are asked; a later one of the same name does not count. */
export async function allAliases(session: Session): Promise<Alias[]> {
  const [own, inNamespace, inCluster, resources] = await Promise.all([
    readUserAliases(session.env),
    mapsOf('namespace', session),
    mapsOf('cluster', session),
    session.discovery.resources(),
  ])
  const user = [...own].map(([name, members]): Alias => ({ name, scope: 'user', members }))
  const categories = [...new Set(resources.flatMap((one) => one.categories))].sort()
  const taken = new Set(BUILT_IN.map(({ name }) => name))
  const declared = categories
    .filter((name) => !taken.has(name))
    .map((name): Alias => ({ name, scope: 'declared', members: [`category:${name}`] }))
  return [...user, ...inNamespace, ...inCluster, ...declared, ...BUILT_IN]
}

async function mapsOf(scope: 'namespace' | 'cluster', session: Session): Promise<Alias[]> {
  const namespace = scope === 'cluster' ? CLUSTER_NAMESPACE : session.namespace
  const labelSelector = `${ALIAS_LABEL}=true`
  try {
    // What a server has in its cache is new enough: whoever just set an alias waits for it no longer than that.
    const { items } = await session.client.list(configMaps, { namespace, labelSelector, resourceVersion: '0' })
    return items.flatMap((map) => aliasesOf(map, scope))
  } catch (error) {
    // Aliases that one may not read are none; the kinds they stand for can be named.
    if (!isUnavailable(error)) throw error
    return []
  }
}

function aliasesOf({ data = {} }: ConfigMap, scope: AliasScope): Alias[] {
  return Object.entries(data).map(([name, text]) => ({ name, scope, members: text.split(/[\s,]+/).filter(Boolean) }))
}
