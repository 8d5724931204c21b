/** The pods behind a word: a pod's name, or the kind/name of something that selects pods. */
import type { KubeObject } from '../api/object.ts'
import { isNotFound, notFound } from '../api/status.ts'
import type { Pod } from '../api/types.ts'
import type { ResourceRef } from '../client/client.ts'
import { pods } from '../client/resources.ts'
import { CommandError } from './io.ts'
import { NEEDS, type Needs } from './names/needs.ts'
import type { Session } from './session.ts'
import { findResource } from './targets.ts'

export interface Found {
  pods: Pod[]
  /** What the word named, when that was no pod. */
  owner?: KubeObject
}

/** Best first: ready before running before the rest, then the newest. Throws CommandError when there is none. */
export async function findPods(word: string, session: Session, needs: Needs = NEEDS.logs): Promise<Found> {
  const { client, namespace } = session
  const { resource, name, pod } = await findOwner(word, session, needs)
  if (pod) return { pods: [pod] }
  if (resource.kind === 'Pod' && resource.group === '') return { pods: [await client.get(pods, name, { namespace })] }
  if (!resource.namespaced) throw new CommandError(`${resource.plural} have no pods of their own`)
  const owner = await client.get(resource as ResourceRef<KubeObject>, name, { namespace })
  const labelSelector = selectorOf(owner)
  if (labelSelector === undefined) throw new CommandError(`${resource.plural}/${name} selects no pods`)
  const list = await client.list(pods, { namespace, labelSelector })
  if (list.items.length === 0) throw new CommandError(`${resource.plural}/${name} has no pods now`)
  return { pods: [...list.items].sort(better), owner }
}

/** A bare name is a pod's, as it always was; only where there is no such pod, whatever else leads to pods. */
async function findOwner(
  word: string,
  session: Session,
  needs: Needs,
): Promise<{ resource: ResourceRef; name: string; pod?: Pod }> {
  const slash = word.indexOf('/')
  const name = word.slice(slash + 1)
  if (slash >= 0) return { resource: await findResourceQuickly(word.slice(0, slash), session), name }
  try {
    return { resource: pods, name, pod: await session.client.get(pods, name, { namespace: session.namespace }) }
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
  const { resolveNames } = await import('./names/resolve.ts')
  const [found] = await resolveNames([name], needs, session)
  return found!
}

/** The usual word needs no question to the server. */
async function findResourceQuickly(kind: string, session: Session): Promise<ResourceRef> {
  if (['po', 'pod', 'pods'].includes(kind.toLowerCase())) return pods
  return findResource(kind, session.discovery)
}

/** The label selector of a Service, ReplicationController (a map) or of anything newer, as text. */
export function selectorOf(owner: KubeObject): string | undefined {
  const selector = owner.spec?.selector as Record<string, unknown> | undefined
  if (!selector) return undefined
  const { matchLabels, matchExpressions } = selector as {
    matchLabels?: Record<string, string>
    matchExpressions?: { key: string; operator: string; values?: string[] }[]
  }
  const plain = matchLabels ?? (matchExpressions ? {} : (selector as Record<string, string>))
  const parts = Object.entries(plain).map(([name, value]) => `${name}=${value}`)
  for (const { key, operator, values = [] } of matchExpressions ?? []) {
    if (operator === 'In') parts.push(`${key} in (${values.join(',')})`)
    else if (operator === 'NotIn') parts.push(`${key} notin (${values.join(',')})`)
    else parts.push(operator === 'Exists' ? key : `!${key}`)
  }
  return parts.length > 0 ? parts.join(',') : undefined
}

function better(a: Pod, b: Pod): number {
  const byRank = rank(b) - rank(a)
  return byRank !== 0 ? byRank : (b.metadata?.creationTimestamp ?? '').localeCompare(a.metadata?.creationTimestamp ?? '')
}

function rank(pod: Pod): number {
  if (pod.metadata?.deletionTimestamp) return 0
  const ready = pod.status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True')
  return ready ? 3 : pod.status?.phase === 'Running' ? 2 : 1
}

const DEFAULT_CONTAINER = 'kubectl.kubernetes.io/default-container'

/** The container that is meant when none is named; `note` says which were to choose from. Throws for a name the pod does not have. */
export function chooseContainer(pod: Pod, asked: string | undefined): { name: string; note?: string } {
  const all = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? []), ...(pod.spec?.ephemeralContainers ?? [])]
  const names = all.map((one) => one.name ?? '')
  const podName = pod.metadata?.name ?? ''
  if (asked !== undefined) {
    if (!names.includes(asked))
      throw new CommandError(`container ${asked} not found in pod ${podName} (it has: ${names.join(', ')})`)
    return { name: asked }
  }
  const [first] = names
  if (first === undefined) throw notFound({ group: '', plural: 'pods' }, podName)
  const preferred = pod.metadata?.annotations?.[DEFAULT_CONTAINER]
  if (preferred && names.includes(preferred)) return { name: preferred }
  return names.length === 1
    ? { name: first }
    : { name: first, note: `Defaulted container ${JSON.stringify(first)} out of: ${names.join(', ')}` }
}
