/** The cache behind an informer: objects by key and by declared index. Knows nothing of lists or watches. */
import type { KubeObject } from '../api/object.ts'
import { type Cache, keyOf } from './informer.ts'

interface Index<T> {
  valuesOf: (object: T) => readonly string[]
  entries: Map<string, Map<string, T>>
}

/** The name under which every cache indexes objects by namespace. */
const NAMESPACE_INDEX = 'namespace'

export class ObjectCache<T extends KubeObject> implements Cache<T> {
  readonly #objects = new Map<string, T>()
  readonly #indexes = new Map<string, Index<T>>()

  constructor() {
    this.addIndex(NAMESPACE_INDEX, (object) => (object.metadata.namespace ? [object.metadata.namespace] : []))
  }

  get size(): number {
    return this.#objects.size
  }

  get(key: string): T | undefined {
    return this.#objects.get(key)
  }

  keys(): IterableIterator<string> {
    return this.#objects.keys()
  }

  list(namespace?: string): readonly T[] {
    return namespace ? this.byIndex(NAMESPACE_INDEX, namespace) : [...this.#objects.values()]
  }

  byIndex(index: string, value: string): readonly T[] {
    const found = this.#indexes.get(index)
    if (!found) throw new TypeError(`no index ${JSON.stringify(index)} was declared`)
    const objects = found.entries.get(value)
    return objects ? [...objects.values()] : []
  }

  addIndex(name: string, valuesOf: (object: T) => readonly string[]): void {
    if (this.#indexes.has(name)) return
    const index: Index<T> = { valuesOf, entries: new Map() }
    this.#indexes.set(name, index)
    for (const [key, object] of this.#objects) addTo(index, key, object)
  }

  /** Puts an object in; returns the one it replaces. */
  set(object: T): T | undefined {
    const key = keyOf(object)
    const old = this.#objects.get(key)
    this.#objects.set(key, object)
    for (const index of this.#indexes.values()) {
      if (old) removeFrom(index, key, old)
      addTo(index, key, object)
    }
    return old
  }

  delete(key: string): T | undefined {
    const old = this.#objects.get(key)
    if (!old) return undefined
    this.#objects.delete(key)
    for (const index of this.#indexes.values()) removeFrom(index, key, old)
    return old
  }
}

function addTo<T>(index: Index<T>, key: string, object: T): void {
  for (const value of index.valuesOf(object)) {
    const objects = index.entries.get(value)
    if (objects) objects.set(key, object)
    else index.entries.set(value, new Map([[key, object]]))
  }
}

function removeFrom<T>(index: Index<T>, key: string, object: T): void {
  for (const value of index.valuesOf(object)) {
    const objects = index.entries.get(value)
    objects?.delete(key)
    if (objects?.size === 0) index.entries.delete(value)
  }
}
