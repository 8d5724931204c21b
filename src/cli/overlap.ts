/** Joins a process's log with what was read from the process itself: where the one ends, the other may have begun. Pure. */

/** How many bytes at the end of `log` are the beginning of `stream`: the longest such, in time linear in both. */
export function overlap(log: Buffer, stream: Buffer): number {
  const tail = log.subarray(Math.max(0, log.length - stream.length))
  const shorter = borders(stream)
  let length = 0
  for (const byte of tail) {
    while (length > 0 && (length === stream.length || stream[length] !== byte)) length = shorter[length - 1]!
    if (stream[length] === byte) length++
  }
  return length
}

/** For each beginning of `bytes`, the longest shorter beginning that it ends with (Knuth, Morris and Pratt). */
function borders(bytes: Buffer): Uint32Array {
  const result = new Uint32Array(bytes.length)
  for (let at = 1, length = 0; at < bytes.length; at++) {
    while (length > 0 && bytes[length] !== bytes[at]) length = result[length - 1]!
    if (bytes[length] === bytes[at]) length++
    result[at] = length
  }
  return result
}
