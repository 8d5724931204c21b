/** Reads ASN.1 DER (ITU-T X.690), as far as certificate requests (RFC 2986) are made of it. */

export interface DerValue {
  readonly tag: number
  /** Without tag and length. */
  readonly contents: Buffer
  /** The whole value, to be put elsewhere as it is. */
  readonly whole: Buffer
}

export class DerError extends Error {
  override name = 'DerError'
}

/** The value that begins `bytes`. Throws DerError. */
export function readDer(bytes: Buffer, at = 0): DerValue {
  const tag = bytes[at]
  const first = bytes[at + 1]
  if (tag === undefined || first === undefined) throw new DerError('the data ends too early')
  let length = first
  let start = at + 2
  if (first >= 0x80) {
    const count = first & 0x7f
    if (count === 0 || count > 4 || start + count > bytes.length) throw new DerError('a length is malformed')
    length = bytes.readUIntBE(start, count)
    start += count
  }
  if (start + length > bytes.length) throw new DerError('the data ends too early')
  return { tag, contents: bytes.subarray(start, start + length), whole: bytes.subarray(at, start + length) }
}

/** The values inside a constructed one. Throws DerError. */
export function derMembers({ contents }: DerValue): DerValue[] {
  const members: DerValue[] = []
  for (let at = 0; at < contents.length; ) {
    const member = readDer(contents, at)
    members.push(member)
    at += member.whole.length
  }
  return members
}

/** An object identifier in its dotted form. */
export function oidOf({ contents }: DerValue): string {
  const arcs: number[] = []
  let arc = 0
  for (const byte of contents) {
    arc = arc * 128 + (byte & 0x7f)
    if (byte & 0x80) continue
    if (arcs.length === 0) arcs.push(Math.min(2, Math.floor(arc / 40)), arc - 40 * Math.min(2, Math.floor(arc / 40)))
    else arcs.push(arc)
    arc = 0
  }
  return arcs.join('.')
}
