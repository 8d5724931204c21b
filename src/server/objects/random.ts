/** Random bytes in small amounts: the system is asked for many at once. */
import { randomFillSync } from 'node:crypto'

const POOL_BYTES = 8192
let pool = Buffer.alloc(0)
let used = 0

/** The bytes are the caller's. */
export function pooledRandomBytes(count: number): Buffer {
  if (used + count > pool.length) {
    pool = randomFillSync(Buffer.allocUnsafeSlow(Math.max(POOL_BYTES, count)))
    used = 0
  }
  const bytes = Buffer.from(pool.subarray(used, used + count))
  // What has been handed out is not to be found here again.
  pool.fill(0, used, used + count)
  used += count
  return bytes
}
