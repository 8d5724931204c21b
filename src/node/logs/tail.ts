/** Finds where the last lines of a log begin, from its end, without reading what comes before. */
import type { FileHandle } from 'node:fs/promises'
import { parseLine } from './line.ts'

const BLOCK_BYTES = 64 * 1024
const NEWLINE = 0x0a

/**
 * The offset at which the last `wanted` lines that `counts` begin, and how many were found (fewer when the file has not
 * as many). Pieces of one long line count as one.
 */
export async function tailOffset(
  file: FileHandle,
  size: number,
  wanted: number,
  counts: (stream: string) => boolean,
): Promise<{ offset: number; found: number }> {
  if (wanted === 0) return { offset: size, found: 0 }
  let found = 0
  // Bytes of the line whose beginning has not been read yet.
  let carry: Buffer = Buffer.alloc(0)
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - BLOCK_BYTES)
    const block = Buffer.concat([await readAt(file, start, end - start), carry])
    let lineEnd = block.length
    for (;;) {
      const newline = lineEnd < 1 ? -1 : block.lastIndexOf(NEWLINE, lineEnd - 1)
      if (newline < 0 && start > 0) break
      const line = parseLine(block.subarray(newline + 1, lineEnd))
      // The end of the file is no line of its own; a last line without its end is one.
      const last = start + lineEnd === size
      if (line && counts(line.stream) && (!line.partial || (last && found === 0))) {
        if (found === wanted) return { offset: start + lineEnd + 1, found }
        found += 1
      }
      if (newline < 0) return { offset: 0, found }
      lineEnd = newline
    }
    carry = Buffer.from(block.subarray(0, lineEnd))
    end = start
  }
  return { offset: 0, found }
}

export async function readAt(file: FileHandle, offset: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length)
  let filled = 0
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, offset + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return buffer.subarray(0, filled)
}
