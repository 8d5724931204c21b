/** What one selector picks, kept change by change: however many objects there are, a change of one costs one look. */
import type { KubeObject } from '../../api/object.ts'
import { MET, type Verdict, verdictOf } from '../../api/requires/condition.ts'
import type { Requirement, SelectorTarget } from '../../api/requires/requirement.ts'
import { type LabelSelector, type Labels, parseLabelSelector } from '../../api/selectors.ts'

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

  /** Where `labelPlaces` has what it can pick; the namespace alone when no label says it. */
  place(namespace: string): string {
    const equal = this.#selector.requirements.find(
      ({ operator, values }) => (operator === '=' || operator === '==') && values.length === 1,
    )
    return equal ? `${namespace} ${equal.key}=${equal.values[0]}` : namespace
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
