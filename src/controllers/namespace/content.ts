/** Deletes what is in a namespace, whatever it is, and says what is left. */
import type { KubeObject } from '../../api/object.ts'
import { isNotFound, StatusError } from '../../api/status.ts'
import type { Client } from '../../client/client.ts'
import { inParallel } from '../parts/batches.ts'
import { type DiscoveredResource, discoverResources } from '../parts/discovery.ts'
import { messageOf } from '../parts/failures.ts'
import type { Findings } from './conditions.ts'

interface Pass {
  undiscovered: string[]
  undeleted: string[]
  remaining: Map<string, number>
  finalizers: Map<string, number>
}

/** One pass. Pods come first: what they may need while they stop is deleted when they are gone. */
export async function deleteContent(client: Client, namespace: string, signal: AbortSignal): Promise<Findings> {
  const { resources, failures } = await discoverResources(client, signal)
  const pass: Pass = {
    undiscovered: failures.map(({ groupVersion, error }) => `${groupVersion}: ${messageOf(error)}`),
    undeleted: [],
    remaining: new Map(),
    finalizers: new Map(),
  }
  const content = resources.filter(({ namespaced, verbs }) => namespaced && verbs.includes('delete') && verbs.includes('list'))
  const isPods = ({ group, plural }: DiscoveredResource) => group === '' && plural === 'pods'
  await inParallel(content.filter(isPods), (resource) => deleteAll(client, namespace, resource, pass))
  if (pass.remaining.size > 0) return pass
  await inParallel(
    content.filter((resource) => !isPods(resource)),
    (resource) => deleteAll(client, namespace, resource, pass),
  )
  return pass
}

async function deleteAll(client: Client, namespace: string, resource: DiscoveredResource, pass: Pass): Promise<void> {
  const name = `${resource.plural}.${resource.group}`
  try {
    const before = await client.list<KubeObject>(resource, { namespace })
    if (before.items.length === 0) return
    if (resource.verbs.includes('deletecollection')) {
      await client.deleteCollection(resource, { namespace, propagationPolicy: 'Background' })
    } else {
      await inParallel(before.items, ({ metadata }) =>
        client.delete(resource, metadata.name ?? '', { namespace, propagationPolicy: 'Background' }).catch((error: unknown) => {
          if (!isNotFound(error)) throw error
        }),
      )
    }
    const { items } = await client.list<KubeObject>(resource, { namespace })
    if (items.length > 0) pass.remaining.set(name, items.length)
    for (const { metadata } of items)
      for (const finalizer of metadata.finalizers ?? []) pass.finalizers.set(finalizer, (pass.finalizers.get(finalizer) ?? 0) + 1)
  } catch (error) {
    // A resource that was withdrawn meanwhile has no content.
    if (isNotFound(error) || (error instanceof StatusError && error.reason === 'MethodNotAllowed')) return
    pass.undeleted.push(`${name}: ${messageOf(error)}`)
  }
}
