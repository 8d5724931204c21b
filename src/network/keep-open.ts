/** Keeps something open until told otherwise: tries again while it cannot be opened. */
import { createBackoff } from '../base/backoff.ts'
import { type Clock, delay } from '../base/clock.ts'

const RETRY_INITIAL_MS = 50
const RETRY_MAX_MS = 5000

export interface Closable {
  close(): Promise<void>
}

export interface KeptOpen extends Closable {
  /** Resolves when the first attempt succeeded or failed. */
  readonly tried: Promise<void>
}

/** `failed` is told of the first failure only; the attempts go on, ever more slowly. */
export function keepOpen(options: { open: () => Promise<Closable>; clock: Clock; failed: (error: unknown) => void }): KeptOpen {
  const closing = new AbortController()
  const backoff = createBackoff({ initialMs: RETRY_INITIAL_MS, maxMs: RETRY_MAX_MS })
  let opened: Closable | undefined

  async function attempt(first: boolean): Promise<boolean> {
    try {
      opened = await options.open()
      return true
    } catch (error) {
      if (first) options.failed(error)
      return false
    }
  }
  async function retry(): Promise<void> {
    while (!closing.signal.aborted) {
      await delay(options.clock, backoff.next(), closing.signal)
      if (await attempt(false)) return
    }
  }
  const first = attempt(true)
  // The only rejection is that of the wait, when it is closed meanwhile.
  const settled = first.then((done) => (done ? undefined : retry().catch(() => {})))
  return {
    tried: first.then(() => {}),
    async close() {
      closing.abort()
      await settled
      await opened?.close()
    },
  }
}
