/** The four bytes in front of every Kubernetes protobuf body. */
export const MAGIC = Buffer.from([0x6b, 0x38, 0x73, 0x00])

export function isEnvelope(bytes: Buffer): boolean {
  return bytes.length >= 4 && bytes.compare(MAGIC, 0, 4, 0, 4) === 0
}
