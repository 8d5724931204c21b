/** Feeds the garbage collector: one informer for each resource that can be deleted, as discovery and custom resources come and go. */
import type { KubeObject } from '../../api/object.ts'
import type { CustomResourceDefinition } from '../../api/types.ts'
import type { ResourceRef } from '../../client/client.ts'
import type { ReconcileContext } from '../../reconcile/reconciler.ts'
import { createInformer } from '../../watch/create-informer.ts'
import type { Change, Informer } from '../../watch/informer.ts'
import { type DiscoveredResource, discoverResources } from '../parts/discovery.ts'

export const customResourceDefinitions: ResourceRef<CustomResourceDefinition> = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  plural: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
  namespaced: false,
}

export interface Sources {
  /** Follows what discovery lists now; resolves when each new informer has listed once. */
  refresh(): Promise<void>
  /** The resource of an owner reference. */
  find(apiVersion: string, kind: string): ResourceRef<KubeObject> | undefined
}

interface Source {
  resource: ResourceRef<KubeObject>
  informer: Informer
  /** Undefined for built-in resources, whose informers are shared. */
  stop: (() => void) | undefined
}

export function createSources(
  context: ReconcileContext,
  changed: (resource: ResourceRef<KubeObject>, change: Change<KubeObject>) => void,
): Sources {
  const sources = new Map<string, Source>()
  const byKind = new Map<string, ResourceRef<KubeObject>>()

  function start(resource: DiscoveredResource, custom: boolean): void {
    const stopping = new AbortController()
    const informer: Informer = custom
      ? createInformer<KubeObject>({
          ...{ client: context.client, clock: context.clock, log: context.log, resource },
          signal: AbortSignal.any([context.signal, stopping.signal]),
        })
      : context.informer(resource)
    informer.subscribe((change) => changed(resource, change))
    const stop = custom ? () => stopping.abort(new Error('the resource was withdrawn')) : undefined
    sources.set(nameOf(resource), { resource, informer, stop })
  }

  function withdraw(name: string, { resource, informer, stop }: Source): void {
    stop?.()
    sources.delete(name)
    for (const object of informer.store.list()) changed(resource, { key: '', object: undefined, old: object })
  }

  return {
    async refresh() {
      const { resources, failures } = await discoverResources(context.client, context.signal)
      const customs = new Set(
        context
          .informer(customResourceDefinitions)
          .store.list()
          .map(({ spec }) => nameOf({ group: spec.group, plural: spec.names.plural })),
      )
      const present = new Set<string>()
      for (const resource of resources) {
        const name = nameOf(resource)
        present.add(name)
        byKind.set(kindKey(resource.group, resource.kind), resource)
        if (isCollected(resource) && !sources.has(name)) start(resource, customs.has(name))
      }
      // A group that could not be asked is not a group that is gone.
      if (failures.length === 0) {
        for (const [name, source] of [...sources]) if (source.stop && !present.has(name)) withdraw(name, source)
      }
      await Promise.all([...sources.values()].map(({ informer }) => informer.whenSynced(context.signal)))
    },
    find(apiVersion, kind) {
      const slash = apiVersion.indexOf('/')
      return byKind.get(kindKey(slash < 0 ? '' : apiVersion.slice(0, slash), kind))
    },
  }
}

/** Events are many, own nothing and are owned by nobody. */
function isCollected({ plural, group, verbs }: DiscoveredResource): boolean {
  if (plural === 'events' && (group === '' || group === 'events.k8s.io')) return false
  return ['delete', 'list', 'watch'].every((verb) => verbs.includes(verb))
}

function nameOf({ group, plural }: Pick<ResourceRef<KubeObject>, 'group' | 'plural'>): string {
  return `${plural}.${group}`
}

function kindKey(group: string, kind: string): string {
  return `${group}/${kind}`
}
