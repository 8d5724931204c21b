/** Objects that configure admission, by name and compiled once: kept up to date until the signal aborts. */
import type { KubeObject } from '../../api/object.ts'
import type { ObjectReader } from '../admission/contract.ts'

export class Configured<T> {
  readonly #compiled = new Map<string, T>()
  #sorted: readonly T[] | undefined

  constructor(
    reader: ObjectReader,
    { group, plural }: { group: string; plural: string },
    signal: AbortSignal,
    compile: (object: KubeObject) => T,
  ) {
    const put = (object: KubeObject, change: string) => {
      const name = object.metadata.name ?? ''
      if (change === 'deleted') this.#compiled.delete(name)
      else this.#compiled.set(name, compile(object))
      this.#sorted = undefined
    }
    for (const object of reader.list(group, plural)) put(object, 'created')
    signal.addEventListener('abort', reader.watch(group, plural, put), { once: true })
  }

  get isEmpty(): boolean {
    return this.#compiled.size === 0
  }

  get(name: string): T | undefined {
    return this.#compiled.get(name)
  }

  /** In the order of their names, which is the order they are asked in. */
  all(): readonly T[] {
    this.#sorted ??= [...this.#compiled].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value)
    return this.#sorted
  }
}
