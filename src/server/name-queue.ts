/** Names of objects that are to be looked at: one at a time, and once for all the times a name was added before its turn. */
import type { Core } from './core.ts'

export interface NameQueueOptions {
  core: Core
  /** Looks at the object as it is now. What it throws is logged, and the next `add` goes on. */
  look: (name: string) => Promise<void>
  /** What the log says when that failed. */
  failure: string
}

export class NameQueue {
  readonly #options: NameQueueOptions
  readonly #waiting = new Set<string>()
  #working = false

  constructor(options: NameQueueOptions) {
    this.#options = options
  }

  add(name: string): void {
    this.#waiting.add(name)
    if (this.#working) return
    this.#working = true
    const { core, failure } = this.#options
    this.#work().catch((error: unknown) => core.log.error(failure, { error }))
  }

  async #work(): Promise<void> {
    try {
      for (const name of this.#waiting) {
        this.#waiting.delete(name)
        if (!this.#options.core.closing.aborted) await this.#options.look(name)
      }
    } finally {
      this.#working = false
    }
  }
}
