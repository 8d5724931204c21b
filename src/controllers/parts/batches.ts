/** Many calls of one kind, without flooding a server that refuses them. */

/** Calls at work at once when nothing speaks against it. */
const MAX_PARALLEL = 100

/**
 * Runs `count` calls in batches of 1, 2, 4, … and stops after the first batch with a failure, so that a template nobody
 * admits costs one refused call and not thousands. Gives how many succeeded, and the first error.
 */
export async function inGrowingBatches(
  count: number,
  call: (index: number) => Promise<unknown>,
): Promise<{ succeeded: number; error?: unknown }> {
  let succeeded = 0
  for (let started = 0, size = 1; started < count; size = Math.min(size * 2, MAX_PARALLEL)) {
    const batch = Math.min(size, count - started)
    const results = await Promise.allSettled(Array.from({ length: batch }, (_, i) => call(started + i)))
    started += batch
    const failures = results.filter((result) => result.status === 'rejected')
    succeeded += batch - failures.length
    if (failures.length > 0) return { succeeded, error: failures[0]?.reason }
  }
  return { succeeded }
}

/** Runs `call` on every item, a bounded number at a time; all are tried, and the first error is thrown afterwards. */
export async function inParallel<T>(items: readonly T[], call: (item: T) => Promise<unknown>): Promise<void> {
  const errors: unknown[] = []
  let next = 0
  async function worker(): Promise<void> {
    for (let item = items[next++]; item !== undefined; item = items[next++]) {
      try {
        await call(item)
      } catch (error) {
        errors.push(error)
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(MAX_PARALLEL, items.length) }, worker))
  if (errors.length > 0) throw errors[0]
}
