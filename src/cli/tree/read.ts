/** Reads what a tree is made of: metadata where that is enough, objects where they tell more, in few requests. */
import type { KubeObject } from '../../api/object.ts'
import { qualified } from '../../api/status.ts'
import type { DiscoveredResource } from '../../client/discovery.ts'
import { collectionPath, objectPath } from '../../client/paths.ts'
import { type Candidate, candidateOf } from '../names/candidate.ts'
import { inParallel, isUnavailable, namedResources } from '../names/metadata.ts'
import { contentsOf } from '../owned.ts'
import type { Selected } from '../select-objects.ts'
import type { Session } from '../session.ts'
import { type ResourceKey, resourceKey, World } from './world.ts'

/** What points at others says so in its body: these are read whole. */
const POINTING: ReadonlySet<ResourceKey> = new Set<ResourceKey>([
  '/services',
  'networking.k8s.io/ingresses',
  'networking.k8s.io/networkpolicies',
  'policy/poddisruptionbudgets',
  'autoscaling/horizontalpodautoscalers',
])
/** What these have around them is not what they own, and may lie anywhere. */
const POINTED: ReadonlySet<ResourceKey> = new Set<ResourceKey>(['/nodes', '/persistentvolumes', '/namespaces'])
/** As many objects of a kind are read one by one; more with one list. */
const MAX_SINGLE = 3
/** More labels would only make the selector longer. */
const MAX_LABELS = 5

export interface Surroundings {
  readonly world: World
  /** Kinds that the user may not list. */
  readonly unreadable: readonly string[]
}

export async function readSurroundings(selected: readonly Selected[], session: Session): Promise<Surroundings> {
  const resources = await namedResources(session)
  const world = new World(resources)
  const unreadable = new Set<string>()
  const inside = selected.filter(({ resource }) => resourceKey(resource) === '/namespaces').map(({ name }) => name)
  const namespaces = new Set([...inside, ...selected.flatMap(({ namespace }) => namespace ?? [])])
  const namespaced = resources.filter((one) => one.namespaced)
  const pointing = namespaced.filter((one) => POINTING.has(resourceKey(one)))
  const others = namespaced.filter((one) => !POINTING.has(resourceKey(one)))
  // Objects of the whole cluster may own something in any namespace, and what lies in none.
  const ownsAnywhere = selected.some(({ resource }) => !resource.namespaced && !POINTED.has(resourceKey(resource)))
  const [contents, everything] = await Promise.all([
    contentsOf(namespaces, others, session),
    contentsOf(ownsAnywhere ? [undefined] : [], resources, session),
    readPointing([...namespaces], pointing, world, unreadable, session),
    readPodsOfNodes(selected, world, session),
  ])
  for (const candidate of [...contents.all, ...everything.all]) world.add(candidate)
  for (const kind of [...contents.unreadable, ...everything.unreadable]) unreadable.add(kind)
  for (const namespace of namespaces)
    for (const resource of namespaced) world.markListed(resource, namespace, unreadable.has(qualified(resource)))
  for (const { resource, object } of selected) if (object) world.add(candidateOf(resource, object.metadata), object)
  return { world, unreadable: [...unreadable].sort() }
}

async function readPointing(
  namespaces: readonly string[],
  resources: readonly DiscoveredResource[],
  world: World,
  unreadable: Set<string>,
  session: Session,
): Promise<void> {
  const questions = namespaces.flatMap((namespace) => resources.map((resource) => ({ resource, namespace })))
  await inParallel(questions, async ({ resource, namespace }) => {
    const { objects, isForbidden } = await readObjects(collectionPath(resource, namespace), {}, session)
    if (isForbidden) unreadable.add(qualified(resource))
    for (const object of objects) world.add(candidateOf(resource, object.metadata), object)
  })
}

/** Of the nodes among what was asked for, wherever the pods lie. */
async function readPodsOfNodes(selected: readonly Selected[], world: World, session: Session): Promise<void> {
  const pods = world.resource('/pods')
  const nodes = selected.filter(({ resource }) => resourceKey(resource) === '/nodes')
  if (!pods) return
  await inParallel(nodes, async ({ name }) => {
    const { objects } = await readObjects(collectionPath(pods), { fieldSelector: `spec.nodeName=${name}` }, session)
    for (const object of objects) world.add(candidateOf(pods, object.metadata), object)
  })
}

/** Objects of one kind and namespace share a request when there are several. */
export async function readLacking(lacking: readonly Candidate[], world: World, session: Session): Promise<void> {
  const groups = new Map<string, Candidate[]>()
  for (const candidate of lacking) {
    const key = `${resourceKey(candidate.resource)}@${candidate.namespace ?? ''}`
    const group = groups.get(key)
    if (group) group.push(candidate)
    else groups.set(key, [candidate])
  }
  const questions = [...groups.values()].flatMap((group) => (isListed(group) ? [group] : group.map((one) => [one])))
  await inParallel(questions, async (group) => {
    const [{ resource, name, namespace }] = group as [Candidate]
    const { objects } =
      group.length > 1
        ? await readObjects(collectionPath(resource, namespace), labelsOf(group), session)
        : await readObjects(objectPath(resource, name, namespace), {}, session)
    const byName = new Map(objects.map((object) => [object.metadata.name, object]))
    for (const candidate of group) {
      const object = byName.get(candidate.name)
      if (object) world.add(candidateOf(resource, object.metadata), object)
      else world.markAbsent(candidate)
    }
  })
}

function isListed(group: readonly Candidate[]): boolean {
  return group.length > MAX_SINGLE && group.every(({ metadata }) => metadata.uid !== undefined)
}

/** A selector that all of them meet, and as little as possible besides. */
export function labelsOf(group: readonly Candidate[]): Record<string, string> {
  const [first, ...others] = group
  const shared = Object.entries(first?.metadata.labels ?? {}).filter(([name, value]) =>
    others.every(({ metadata }) => metadata.labels?.[name] === value),
  )
  const selector = shared.slice(0, MAX_LABELS).map(([name, value]) => `${name}=${value}`)
  return selector.length > 0 ? { labelSelector: selector.join(',') } : {}
}

interface ObjectsRead {
  readonly objects: readonly KubeObject[]
  readonly isForbidden: boolean
}

/** Of a collection or one object. None when there are none to be had. */
async function readObjects(path: string, query: Record<string, string>, { quiet }: Session): Promise<ObjectsRead> {
  try {
    const { object } = await quiet.request({ method: 'GET', path, query })
    const isList = Array.isArray(object.items) && object.metadata.uid === undefined
    return { objects: isList ? (object.items as KubeObject[]) : [object], isForbidden: false }
  } catch (error) {
    if (!isUnavailable(error)) throw error
    return { objects: [], isForbidden: (error as { code?: number }).code === 403 }
  }
}
