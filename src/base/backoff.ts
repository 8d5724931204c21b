/** Exponential delay with a ceiling: `initialMs`, doubled at every failure, never above `maxMs`. */
export interface Backoff {
  /** The delay to wait now; counts the failure. */
  next(): number
  reset(): void
}

export function createBackoff(options: {
  initialMs: number
  maxMs: number
  factor?: number
  jitter?: number
  random?: () => number
}): Backoff {
  const { initialMs, maxMs, factor = 2, jitter = 0, random = Math.random } = options
  let failures = 0
  return {
    next() {
      const plain = Math.min(maxMs, initialMs * factor ** failures)
      failures += 1
      return plain * (1 + jitter * random())
    },
    reset() {
      failures = 0
    },
  }
}
