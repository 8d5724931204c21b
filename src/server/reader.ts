/** Reads committed objects straight from the store, for those who decide about requests and must not pass the verbs themselves. */
import type { KubeObject } from '../api/object.ts'
import type { Store } from '../store/store.ts'
import type { ObjectReader } from './admission/contract.ts'
import { decoded } from './objects/codec.ts'

/** Objects come in the version they are stored in. */
export function createReader(store: Store): ObjectReader {
  const prefixOf = (group: string, plural: string) => `${group || 'core'}/${plural}/`
  return {
    get(group, plural, namespace, name) {
      const entry = store.get(`${prefixOf(group, plural)}${namespace ? `${namespace}/` : ''}${name}`)
      return entry && decoded(entry)
    },
    list(group, plural, namespace) {
      const { entries } = store.list(`${prefixOf(group, plural)}${namespace ? `${namespace}/` : ''}`)
      return entries.map(decoded)
    },
    watch(group, plural, listener) {
      const watch = store.watch(prefixOf(group, plural), store.revision, (events) => {
        for (const event of events) listener(decoded(event.entry) as KubeObject, event.type)
      })
      return () => watch.stop()
    },
  }
}
