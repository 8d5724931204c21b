/** Logs in whole lines, so that those of several containers do not mix. */

const NEWLINE = 10

/** Each line, ended by a newline, also the last one. */
export async function* wholeLines(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let parts: Buffer[] = []
  for await (const chunk of stream) {
    let rest = Buffer.from(chunk)
    for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE)) {
      yield Buffer.concat([...parts, rest.subarray(0, end + 1)])
      parts = []
      rest = rest.subarray(end + 1)
    }
    if (rest.length > 0) parts.push(rest)
  }
  if (parts.length > 0) yield Buffer.concat([...parts, Buffer.of(NEWLINE)])
}

export async function* prefixLines(stream: AsyncIterable<Uint8Array>, prefix: string): AsyncGenerator<Buffer> {
  const start = Buffer.from(prefix)
  for await (const line of wholeLines(stream)) yield Buffer.concat([start, line])
}
