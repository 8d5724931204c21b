/** Which resources an API server has, by plain discovery: works with any Kubernetes. */
import type { KubeObject } from '../../api/object.ts'
import type { APIGroupList, APIResourceList } from '../../api/types.ts'
import type { Client, ResourceRef } from '../../client/client.ts'

export interface DiscoveredResource extends ResourceRef<KubeObject> {
  readonly verbs: readonly string[]
}

interface Discovered {
  /** Each resource once, in the version its group prefers. No subresources. */
  resources: DiscoveredResource[]
  /** Groups that could not be asked: their resources are missing above. */
  failures: { groupVersion: string; error: unknown }[]
}

export async function discoverResources(client: Client, signal?: AbortSignal): Promise<Discovered> {
  const get = async <T>(path: string): Promise<T> =>
    (await client.transport.request({ method: 'GET', path, ...(signal && { signal }) })).object as unknown as T
  const groups = (await get<APIGroupList>('/apis')).groups
  const found: Discovered = { resources: [], failures: [] }
  const core = readGroup(get, found, '', ['v1'])
  await Promise.all([
    core,
    ...groups.map(({ name, versions, preferredVersion }) => {
      const preferred = preferredVersion?.version
      const others = versions.map(({ version }) => version).filter((version) => version !== preferred)
      return readGroup(get, found, name, [...(preferred ? [preferred] : []), ...others])
    }),
  ])
  return found
}

/** The preferred version first; a resource that it lacks is taken from the next one that has it. */
async function readGroup(
  get: <T>(path: string) => Promise<T>,
  found: Discovered,
  group: string,
  versions: readonly string[],
): Promise<void> {
  const seen = new Set<string>()
  for (const version of versions) {
    const path = group ? `/apis/${group}/${version}` : `/api/${version}`
    try {
      const list = await get<APIResourceList>(path)
      for (const { name, kind, namespaced, verbs } of list.resources) {
        if (name.includes('/') || seen.has(name)) continue
        seen.add(name)
        found.resources.push({ group, version, plural: name, kind, namespaced, verbs })
      }
    } catch (error) {
      found.failures.push({ groupVersion: group ? `${group}/${version}` : version, error })
    }
  }
}
