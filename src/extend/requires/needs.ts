/** Who waits for what: pods by the things they need, so that a change wakes those it matters to and nobody else. */
export class Needs {
  readonly #podsOf = new Map<string, Set<string>>()
  readonly #needsOf = new Map<string, ReadonlySet<string>>()
  readonly #unneeded: (need: string) => void

  /** `unneeded` is called when the last pod no longer needs a thing. */
  constructor(unneeded: (need: string) => void) {
    this.#unneeded = unneeded
  }

  /** Replaces what the pod needs. */
  set(pod: string, needs: ReadonlySet<string>): void {
    const before = this.#needsOf.get(pod)
    for (const need of needs) {
      let pods = this.#podsOf.get(need)
      if (!pods) {
        pods = new Set()
        this.#podsOf.set(need, pods)
      }
      pods.add(pod)
    }
    for (const need of before ?? []) if (!needs.has(need)) this.#forget(need, pod)
    if (needs.size > 0) this.#needsOf.set(pod, needs)
    else this.#needsOf.delete(pod)
  }

  remove(pod: string): void {
    this.set(pod, new Set())
  }

  /** Every pod with what it needs. */
  all(): IterableIterator<[string, ReadonlySet<string>]> {
    return this.#needsOf.entries()
  }

  waiting(need: string): ReadonlySet<string> {
    return this.#podsOf.get(need) ?? NOBODY
  }

  #forget(need: string, pod: string): void {
    const pods = this.#podsOf.get(need)
    pods?.delete(pod)
    if (pods?.size !== 0) return
    this.#podsOf.delete(need)
    this.#unneeded(need)
  }
}

const NOBODY: ReadonlySet<string> = new Set()
