/**
 * Writes ASN.1 DER (ITU-T X.690): as much of it as certificates are made of. Certificates are read by `node:crypto`.
 * Node has no way to make one, and the libraries that have cost more at start-up than the whole cluster may.
 */

/** One value: tag, length, contents. */
export function tlv(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  let length = 0
  for (const part of contents) length += part.length
  return Buffer.concat([Buffer.from([tag, ...lengthBytes(length)]), ...contents])
}

function lengthBytes(length: number): number[] {
  if (length < 0x80) return [length]
  const bytes: number[] = []
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256)
  return [0x80 | bytes.length, ...bytes]
}

export const sequence = (...items: readonly Uint8Array[]): Buffer => tlv(0x30, ...items)
export const set = (...items: readonly Uint8Array[]): Buffer => tlv(0x31, ...items)
export const utf8String = (text: string): Buffer => tlv(0x0c, Buffer.from(text, 'utf8'))
export const octetString = (bytes: Uint8Array): Buffer => tlv(0x04, bytes)
export const bitString = (bytes: Uint8Array, unusedBits = 0): Buffer => tlv(0x03, Buffer.from([unusedBits]), bytes)
export const booleanTrue: Buffer = tlv(0x01, Buffer.from([0xff]))
/** A context-specific tag around whole values. */
export const explicit = (tag: number, ...contents: readonly Uint8Array[]): Buffer => tlv(0xa0 | tag, ...contents)
/** A context-specific tag in place of a primitive value's own. */
export const implicit = (tag: number, contents: Uint8Array): Buffer => tlv(0x80 | tag, contents)

/** A non-negative integer, from its big-endian bytes. */
export function integer(bytes: Uint8Array): Buffer {
  let start = 0
  while (start < bytes.length - 1 && bytes[start] === 0) start++
  const magnitude = bytes.subarray(start)
  // The top bit would make it negative.
  return (magnitude[0] ?? 0) & 0x80 ? tlv(0x02, Buffer.from([0]), magnitude) : tlv(0x02, magnitude)
}

/** An object identifier from its dotted form. */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const bytes: number[] = []
  for (const arc of [first * 40 + second, ...rest]) {
    const group = [arc & 0x7f]
    for (let high = Math.floor(arc / 128); high > 0; high = Math.floor(high / 128)) group.unshift((high & 0x7f) | 0x80)
    bytes.push(...group)
  }
  return tlv(0x06, Buffer.from(bytes))
}

/** UTCTime until 2049, GeneralizedTime from 2050 on, as RFC 5280 wants it; whole seconds. */
export function time(at: Date): Buffer {
  const digits = at.toISOString().replace(/[-:T]/g, '').slice(0, 14)
  return at.getUTCFullYear() < 2050 ? tlv(0x17, Buffer.from(`${digits.slice(2)}Z`)) : tlv(0x18, Buffer.from(`${digits}Z`))
}
