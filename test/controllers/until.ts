/** Waits for a condition, polling; fails with the last reason it did not hold. */
const POLL_MS = 5
const PATIENCE_MS = 30_000

export async function until<T>(check: () => T | Promise<T>, patienceMs = PATIENCE_MS): Promise<T> {
  const end = performance.now() + patienceMs
  for (;;) {
    try {
      return await check()
    } catch (error) {
      if (performance.now() > end) throw error
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    }
  }
}
