/** Names and uids that the server makes. */

/** Without vowels and look-alikes, so that no words come out: the alphabet of apimachinery's `rand`. */
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789'
const SUFFIX_LENGTH = 5
const MAX_GENERATED_NAME = 63

/** The prefix, cut where needed, and five random characters. */
export function generateName(prefix: string, random: (bytes: number) => Buffer): string {
  let suffix = ''
  for (const byte of random(SUFFIX_LENGTH)) suffix += ALPHABET[byte % ALPHABET.length]
  return prefix.slice(0, MAX_GENERATED_NAME - SUFFIX_LENGTH) + suffix
}

/** A random (version 4) UUID. */
export function newUid(random: (bytes: number) => Buffer): string {
  const bytes = random(16)
  bytes[6] = (bytes[6]! & 0x0f) | 0x40
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
