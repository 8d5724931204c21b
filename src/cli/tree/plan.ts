/**
 * The tree around an object, from what is known of the world: its owners above it, what it owns below, and what belongs to it.
 * Pure; what it would have needed to know, the world remembers.
 */
import type { KubeObject } from '../../api/object.ts'
import type { EndpointSlice, Pod } from '../../api/types.ts'
import { type Candidate, candidateOf, handleOf } from '../names/candidate.ts'
import { isWorkload } from '../names/needs.ts'
import type { Selected } from '../select-objects.ts'
import { controllerOf, type Missing, type Related, type Relation, relationsOf } from './relations.ts'
import { containerState, type State, stateOf } from './state.ts'
import { keyOf, type ResourceKey, resourceKey, type World } from './world.ts'

export interface TreeNode {
  /** `deployment/web`; of a container `container/c`. */
  readonly handle: string
  /** To the node above; undefined for what that owns. */
  readonly relation?: Relation | undefined
  /** None for a container, and for what is not there. */
  readonly candidate?: Candidate | undefined
  /** Of what is not there. */
  readonly missing?: Missing | undefined
  readonly createdAt?: string | undefined
  readonly state: State
  readonly children: readonly TreeNode[]
  /** It is what was asked for. */
  readonly isNamed?: boolean
  /** It stands elsewhere in the tree, with all that belongs to it. */
  readonly isRepeated?: boolean
}

/** Nothing of them changes that their names would not say: their bodies are not read. */
const STATELESS: ReadonlySet<ResourceKey> = new Set<ResourceKey>([
  ...(['/configmaps', '/secrets', '/serviceaccounts', '/endpoints', '/limitranges', '/podtemplates'] as const),
  ...(['apps/controllerrevisions', 'coordination.k8s.io/leases'] as const),
  ...(['rbac.authorization.k8s.io/roles', 'rbac.authorization.k8s.io/rolebindings'] as const),
])

export function planTree({ resource, name, namespace }: Selected, world: World, nowMs: number): TreeNode {
  const planner = new Planner(world, nowMs)
  const known = world.named(resourceKey(resource), namespace, name)
  const candidate = known ?? candidateOf(resource, { name, namespace })
  return planner.withOwners(candidate, planner.named(candidate))
}

/** What one step into the tree brings along. */
interface Way {
  relation?: Relation | undefined
  below: Related['below']
  /** What belongs to the pods is told once, at what runs them. */
  withRelations: boolean
}

class Planner {
  readonly #world: World
  readonly #nowMs: number
  readonly #seen = new Set<string>()

  constructor(world: World, nowMs: number) {
    this.#world = world
    this.#nowMs = nowMs
  }

  named(candidate: Candidate): TreeNode {
    return { ...this.#node(candidate, { below: 'leading', withRelations: true }), isNamed: true }
  }

  /** Each owner with nothing below it but the way to what was asked for. */
  withOwners(candidate: Candidate, tree: TreeNode): TreeNode {
    const above = new Set([keyOf(candidate)])
    let top = tree
    for (let owner = controllerOf(candidate, this.#world); owner && !above.has(keyOf(owner)); ) {
      above.add(keyOf(owner))
      top = { ...this.#bare(owner), children: [top] }
      owner = controllerOf(owner, this.#world)
    }
    return top
  }

  #node(candidate: Candidate, way: Way): TreeNode {
    const { relation, below, withRelations } = way
    const key = keyOf(candidate)
    const bare = { ...this.#bare(candidate), relation }
    if (this.#seen.has(key)) return { ...bare, isRepeated: true }
    if (below === 'nothing') return bare
    this.#seen.add(key)
    // Only what leads to pods has more to tell further down.
    const isRunner = isWorkload(candidate.resource)
    const owned = this.#owned(candidate, withRelations && !isRunner)
    const isRelated = relation === undefined ? withRelations : below === 'leading'
    const related = isRelated ? relationsOf(candidate, relation, this.#world).map((one) => this.#related(one)) : []
    return { ...bare, children: [...this.#containers(candidate), ...owned, ...related] }
  }

  #owned(candidate: Candidate, withRelations: boolean): TreeNode[] {
    const owned = new Set([...this.#world.owned(candidate), ...this.#slices(candidate)])
    return [...owned].sort(inOrder).map((one) => this.#node(one, { below: 'owned', withRelations }))
  }

  #related({ relation, to, below }: Related): TreeNode {
    if (!('missing' in to)) return this.#node(to, { relation, below, withRelations: false })
    const health = to.why === 'not found' ? 'bad' : 'idle'
    return { handle: this.#missingHandle(to), relation, missing: to, state: { text: to.why, health }, children: [] }
  }

  #missingHandle({ missing, name }: Missing): string {
    const resource = this.#world.resource(missing)
    return resource ? handleOf({ resource, name }) : `${missing.replace(/^.*\//, '')}/${name}`
  }

  #bare(candidate: Candidate): TreeNode {
    const { resource, metadata } = candidate
    const object = STATELESS.has(resourceKey(resource)) ? undefined : this.#world.object(candidate)
    const slices = this.#slices(candidate).flatMap((one) => (this.#world.object(one) as EndpointSlice | undefined) ?? [])
    const state: State = object ? stateOf(object, slices, this.#nowMs) : { text: '', health: 'well' }
    return { handle: handleOf(candidate), candidate, createdAt: metadata.creationTimestamp, state, children: [] }
  }

  #slices(candidate: Candidate): readonly Candidate[] {
    return resourceKey(candidate.resource) === '/services' ? this.#world.slicesOf(candidate) : []
  }

  #containers(candidate: Candidate): TreeNode[] {
    if (resourceKey(candidate.resource) !== '/pods') return []
    const { spec, status } = (this.#world.object(candidate) ?? { metadata: {} }) as KubeObject as Pod
    const statuses = new Map(
      [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])].map((one) => [one.name, one]),
    )
    const node = (isInit: boolean) => (container: { name: string; image?: string | undefined }) => ({
      handle: `${isInit ? 'init-container' : 'container'}/${container.name}`,
      state: containerState(container.image ?? '', statuses.get(container.name), isInit),
      children: [],
    })
    return [...(spec?.initContainers ?? []).map(node(true)), ...(spec?.containers ?? []).map(node(false))]
  }
}

/** By kind; ReplicaSets and the like from the newest, pods by name. */
function inOrder(a: Candidate, b: Candidate): number {
  if (a.resource !== b.resource) return a.resource.plural < b.resource.plural ? -1 : 1
  const isHistory = a.resource.plural !== 'pods'
  const byAge = (b.metadata.creationTimestamp ?? '').localeCompare(a.metadata.creationTimestamp ?? '')
  if (isHistory && byAge !== 0) return byAge
  return a.name.localeCompare(b.name, 'en', { numeric: true })
}
