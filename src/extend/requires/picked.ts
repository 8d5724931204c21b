/** What one selector picks, kept change by change: however many objects there are, a change of one costs one look. */
import type { KubeObject } from '../../api/object.ts'
import { MET, type Verdict, verdictOf } from '../../api/requires/condition.ts'
import type { Requirement, SelectorTarget } from '../../api/requires/requirement.ts'
import { type LabelSelector, type Labels, parseLabelSelector } from '../../api/selectors.ts'
import type { Cache } from '../../watch/informer.ts'

export class Picked {
  readonly #selector: LabelSelector
  readonly #condition: string | undefined
  readonly #optional: boolean
  readonly #keys = new Set<string>()
  /** Of those, the ones that do not hold, and why. The first is the one that is told of. */
  readonly #unmet = new Map<string, string>()

  constructor({ selector }: SelectorTarget, { condition, optional = false }: Requirement) {
    this.#selector = parseLabelSelector(selector)
    this.#condition = condition
    this.#optional = optional
  }

  /** Where `labelPlaces` has what it can pick. */
  place(namespace: string): string {
    return placeOf(this.#selector, namespace)
  }

  /** The object as it is now; undefined when it is gone. */
  see(key: string, object: KubeObject | undefined): void {
    if (!object || !this.#selector.matches(object.metadata.labels)) {
      this.#keys.delete(key)
      this.#unmet.delete(key)
      return
    }
    this.#keys.add(key)
    const { met, why } = verdictOf(object, this.#condition)
    if (met) this.#unmet.delete(key)
    else this.#unmet.set(key, `${object.metadata.name}: ${why}`)
  }

  keys(): string[] {
    return [...this.#keys]
  }

  verdict(): Verdict {
    if (this.#keys.size === 0) return this.#optional ? MET : { met: false, why: 'there is none' }
    for (const why of this.#unmet.values()) return { met: false, why }
    return MET
  }
}

/** The places of an object: its namespace, and each of its labels there. */
export function labelPlaces(namespace: string, labels: Labels | undefined): string[] {
  return [namespace, ...Object.entries(labels ?? {}).map(([key, value]) => `${namespace} ${key}=${value}`)]
}

/** Where an object that the selector picks has to be among them: the namespace alone when no label says it. */
function placeOf({ requirements }: LabelSelector, namespace: string): string {
  const equal = requirements.find(({ operator, values }) => (operator === '=' || operator === '==') && values.length === 1)
  return equal ? `${namespace} ${equal.key}=${equal.values[0]}` : namespace
}

const INDEX = 'requires/labels'

/** What may be at the place. The first question has the cache indexed. */
export function objectsAt<T extends KubeObject>(store: Cache<T>, place: string): readonly T[] {
  store.addIndex(INDEX, ({ metadata }) => labelPlaces(metadata.namespace ?? '', metadata.labels))
  return store.byIndex(INDEX, place)
}

/** The objects of a cache that the selector picks. */
export function pickedFrom<T extends KubeObject>(store: Cache<T>, namespace: string, selector: LabelSelector): T[] {
  return objectsAt(store, placeOf(selector, namespace)).filter(({ metadata }) => selector.matches(metadata.labels))
}
