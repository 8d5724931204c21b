/** Splits a byte stream into lines, however the bytes were cut; an unfinished line waits for its rest. */
export function createLineDecoder(): (chunk: Buffer) => string[] {
  let rest: Buffer[] = []
  return (chunk) => {
    const lines: string[] = []
    let start = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      const piece = chunk.subarray(start, end)
      const line = rest.length > 0 ? Buffer.concat([...rest, piece]) : piece
      rest = []
      if (line.length > 0) lines.push(line.toString('utf8'))
      start = end + 1
    }
    if (start < chunk.length) rest.push(chunk.subarray(start))
    return lines
  }
}
