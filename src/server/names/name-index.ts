/**
 * The objects of a name, whatever their kind. The store's keys end in names and are sorted, so they are the index: a look at one key for
 * each resource answers for a namespace, and nothing has to be built, kept up to date or held in memory for it.
 */
import type { Entry, Store } from '../../store/store.ts'
import { keyOf } from '../objects/keys.ts'
import type { Registry, Resource } from '../registry.ts'

export interface Match {
  readonly resource: Resource
  readonly entry: Entry
  readonly name: string
}

export interface NameIndex {
  /** In the order of the resources. An undefined namespace means all of them. What lies in no namespace is found either way. */
  find(name: string, namespace: string | undefined, wanted: Wanted): Match[]
  /** Of each resource the first `limit` objects whose names begin with the prefix. */
  withPrefix(prefix: string, namespace: string, wanted: Wanted, limit: number): Match[]
  /** Every object of the namespace, up to a limit. */
  all(namespace: string, wanted: Wanted): Iterable<Match>
  /** What could be found. */
  resources(wanted: Wanted): Resource[]
}

/** Which resources are looked at. */
export type Wanted = (resource: Resource) => boolean

/** Objects that one question may look through. */
export const MAX_LOOKED_THROUGH = 20_000

export function createNameIndex(store: Store, registry: Registry): NameIndex {
  let known: { generation: number; resources: Resource[] } | undefined
  const resources = (wanted: Wanted) => {
    if (known?.generation !== registry.generation) known = { generation: registry.generation, resources: stored(registry) }
    return known.resources.filter(wanted)
  }
  const namespaces = () => store.list('core/namespaces/').entries.map(({ key }) => nameOf(key))
  const place = (resource: Resource, namespace: string) =>
    resource.definition.namespaced ? `${resource.prefix}${namespace}/` : resource.prefix
  return {
    resources,
    find(name, namespace, wanted) {
      const within = namespace === undefined ? namespaces() : [namespace]
      return resources(wanted).flatMap((resource) => {
        const places = resource.definition.namespaced ? within : ['']
        return places.flatMap((one) => {
          const entry = store.get(keyOf(resource, one, name))
          return entry ? [{ resource, entry, name }] : []
        })
      })
    },
    withPrefix(prefix, namespace, wanted, limit) {
      return resources(wanted).flatMap((resource) => {
        const base = place(resource, namespace)
        const exact = prefix === '' ? undefined : store.get(base + prefix)
        const { entries } = store.list(base, { limit, ...(prefix !== '' && { after: base + prefix }) })
        const following = entries.filter(({ key }) => key.startsWith(base + prefix))
        return [...(exact ? [exact] : []), ...following].map((entry) => ({ resource, entry, name: nameOf(entry.key) }))
      })
    },
    *all(namespace, wanted) {
      let left = MAX_LOOKED_THROUGH
      for (const resource of resources(wanted)) {
        const { entries } = store.list(place(resource, namespace), { limit: left })
        left -= entries.length
        for (const entry of entries) yield { resource, entry, name: nameOf(entry.key) }
        if (left === 0) return
      }
    },
  }
}

/** Each resource once, in the version it is stored in, as far as it is stored and its objects can be read by name. */
function stored(registry: Registry): Resource[] {
  return [...registry.resources()].filter(
    (one) => one.storage === one && one.definition.verbs.includes('get') && !one.definition.computed,
  )
}

function nameOf(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1)
}
