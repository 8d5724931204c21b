/**
 * The list+watch state machine and the cache it fills. A reader sees levels (what is) and is told keys that changed;
 * nothing here knows why anything changed.
 */
import type { KubeObject } from '../api/object.ts'

export interface Informer<T extends KubeObject = KubeObject> {
  readonly store: Cache<T>
  /** True once the first list has been delivered. */
  readonly synced: boolean
  whenSynced(signal?: AbortSignal): Promise<void>
  /** Called with every change, after the cache has it. `old` is absent for what is new, `object` for what is gone. Returns the unsubscriber. Objects already cached are replayed to a late subscriber. */
  subscribe(listener: (change: Change<T>) => void): () => void
}

export interface Change<T> {
  key: string
  object: T | undefined
  old: T | undefined
}

/** Objects by key (`namespace/name`, or `name`), with indexes kept up to date. Objects are shared: read-only. */
export interface Cache<T extends KubeObject = KubeObject> {
  get(key: string): T | undefined
  list(namespace?: string): readonly T[]
  /** Objects whose index function gave `value`. Throws for an index that was not declared. */
  byIndex(index: string, value: string): readonly T[]
  /** Declares an index; may be called at any time, by several users with the same name and meaning. */
  addIndex(name: string, valuesOf: (object: T) => readonly string[]): void
  readonly size: number
}

/** `namespace/name` or `name`. */
export function keyOf(object: KubeObject): string {
  const { namespace, name } = object.metadata
  return namespace ? `${namespace}/${name}` : (name ?? '')
}

/** Splits what `keyOf` made. */
export function splitKey(key: string): { namespace: string; name: string } {
  const slash = key.indexOf('/')
  return slash < 0 ? { namespace: '', name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) }
}
