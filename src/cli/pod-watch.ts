/** The pods of a selection at every change, from the first list on, for as long as somebody asks. */
import { isExpired } from '../api/status.ts'
import type { Pod } from '../api/types.ts'
import type { ListParameters } from '../client/client.ts'
import { pods } from '../client/resources.ts'
import type { Place } from './session.ts'

export async function* watchPods(
  { client, namespace }: Place,
  selection: Pick<ListParameters, 'labelSelector' | 'fieldSelector'>,
  signal: AbortSignal,
): AsyncGenerator<readonly Pod[]> {
  while (!signal.aborted) {
    const list = await client.list(pods, { namespace, ...selection, signal })
    const known = new Map(list.items.map((pod) => [pod.metadata.name ?? '', pod]))
    yield [...known.values()]
    const { resourceVersion } = list.metadata
    try {
      for await (const batch of client.watch(pods, { namespace, ...selection, resourceVersion, signal })) {
        for (const { type, object } of batch) {
          if (type === 'DELETED') known.delete(object.metadata.name ?? '')
          else if (type !== 'BOOKMARK') known.set(object.metadata.name ?? '', object)
        }
        yield [...known.values()]
      }
    } catch (error) {
      if (!isExpired(error)) throw error
    }
  }
}
