/** Ctrl-p ctrl-q, typed on a terminal, leaves the process behind it running, as docker has it. */

const FIRST = 0x10
const SECOND = 0x11

export class DetachKeys {
  readonly #leave: () => void
  #isHalf = false

  constructor(leave: () => void) {
    this.#leave = leave
  }

  /** What of the typed is for the process: a ctrl-p is held back until the next key tells what it was. */
  pass(typed: Buffer): Buffer {
    const passed: number[] = []
    for (const key of typed) {
      if (this.#isHalf && key === SECOND) {
        this.#leave()
        return Buffer.from(passed)
      }
      if (this.#isHalf) passed.push(FIRST)
      this.#isHalf = key === FIRST
      if (!this.#isHalf) passed.push(key)
    }
    return Buffer.from(passed)
  }
}
