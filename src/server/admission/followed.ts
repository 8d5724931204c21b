/** Objects of one resource at hand by namespace, for plugins that ask for them with every write. */
import type { KubeObject } from '../../api/object.ts'
import type { ObjectReader } from './contract.ts'

const NONE: readonly KubeObject[] = []

/** Kept true until the signal aborts. The lists are shared: read-only. */
export function followByNamespace(
  reader: ObjectReader,
  group: string,
  plural: string,
  signal: AbortSignal,
): (namespace: string) => readonly KubeObject[] {
  const byNamespace = new Map<string, readonly KubeObject[]>()
  const without = (object: KubeObject) =>
    (byNamespace.get(object.metadata.namespace ?? '') ?? NONE).filter((other) => other.metadata.name !== object.metadata.name)
  const change = (object: KubeObject, kind: string) => {
    const list = kind === 'deleted' ? without(object) : [...without(object), object]
    if (list.length > 0) byNamespace.set(object.metadata.namespace ?? '', list)
    else byNamespace.delete(object.metadata.namespace ?? '')
  }
  for (const object of reader.list(group, plural)) change(object, 'created')
  signal.addEventListener('abort', reader.watch(group, plural, change), { once: true })
  return (namespace) => byNamespace.get(namespace) ?? NONE
}
