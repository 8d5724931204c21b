/** What keys and prefixes look like. A violation is a bug of the caller, not an answer of the store: it throws a RangeError. */

/** Longest key in bytes; the disk driver's pages take at most 1,978. */
export const MAX_KEY_BYTES = 1024

/** The table of a key or prefix: its first two segments with both slashes (`core/pods/`), or undefined where there are no two. */
export function tableOf(path: string): string | undefined {
  const first = path.indexOf('/')
  const second = first < 1 ? -1 : path.indexOf('/', first + 1)
  return second <= first + 1 ? undefined : path.slice(0, second + 1)
}

/** Throws unless `key` has a table, a name in it, no NUL and at most MAX_KEY_BYTES bytes. */
export function checkKey(key: string): void {
  const table = tableOf(key)
  if (table === undefined || table.length === key.length || key.endsWith('/'))
    throw new RangeError(`not a key: ${JSON.stringify(key)}`)
  if (key.includes('\0')) throw new RangeError(`a key has no NUL: ${JSON.stringify(key)}`)
  if (key.length * 3 > MAX_KEY_BYTES && Buffer.byteLength(key) > MAX_KEY_BYTES) {
    throw new RangeError(`a key has at most ${MAX_KEY_BYTES} bytes: ${JSON.stringify(key)}`)
  }
}

/** The table that `prefix` lies in. Throws unless it spans the first two segments and ends in a slash. */
export function tableOfPrefix(prefix: string): string {
  const table = tableOf(prefix)
  if (table === undefined || !prefix.endsWith('/')) {
    throw new RangeError(`a prefix spans two segments and ends in a slash, unlike ${JSON.stringify(prefix)}`)
  }
  return table
}

/** The smallest string above every key that starts with `prefix`, which ends in a slash: `0` follows `/`. */
export function endOfPrefix(prefix: string): string {
  return `${prefix.slice(0, -1)}0`
}
