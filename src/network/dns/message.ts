/** DNS messages as bytes (RFC 1035, OPT of RFC 6891). Pure; malformed input gives `undefined`, never an exception. */
import { isIPv4 } from 'node:net'

export const TYPE = { A: 1, NS: 2, CNAME: 5, SOA: 6, PTR: 12, AAAA: 28, SRV: 33, OPT: 41, ANY: 255 } as const
export const RCODE = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5 } as const

const HEADER_BYTES = 12
const MAX_NAME_BYTES = 255
const MAX_LABEL_BYTES = 63
const CLASS_IN = 1
/** Largest answer by UDP for a client that does not say what it takes, and for any (a size that is not fragmented). */
const PLAIN_UDP_BYTES = 512
const MAX_UDP_BYTES = 1232
const FLAG_RESPONSE = 0x8000
const FLAG_AUTHORITATIVE = 0x0400
const FLAG_TRUNCATED = 0x0200
const FLAG_RECURSION_DESIRED = 0x0100
const FLAG_RECURSION_AVAILABLE = 0x0080

export type Labels = readonly string[]

export interface Query {
  id: number
  opcode: number
  recursionDesired: boolean
  /** Lower case, without the root. */
  name: Labels
  type: number
  class: number
  /** The question as it came, spelling and all. */
  question: Buffer
  /** Largest UDP answer the client takes; `extended` when it said so itself. */
  udpBytes: number
  extended: boolean
}

export type RecordData =
  | { type: typeof TYPE.A; address: string }
  | { type: typeof TYPE.CNAME | typeof TYPE.PTR; target: Labels }
  | { type: typeof TYPE.SRV; priority: number; weight: number; port: number; target: Labels }
  | { type: typeof TYPE.SOA; primary: Labels; mailbox: Labels; serial: number; minimumSeconds: number }

export type Record = RecordData & { name: Labels; ttlSeconds: number }

export interface Answer {
  rcode: number
  authoritative: boolean
  answers: readonly Record[]
  authority: readonly Record[]
}

/** `undefined` for what is no query with one well-formed question. */
export function decodeQuery(bytes: Buffer): Query | undefined {
  if (bytes.length < HEADER_BYTES) return undefined
  const flags = bytes.readUInt16BE(2)
  if (flags & FLAG_RESPONSE || bytes.readUInt16BE(4) !== 1) return undefined
  const name = readName(bytes, HEADER_BYTES)
  if (!name || name.end + 4 > bytes.length) return undefined
  const end = name.end + 4
  const sections = bytes.readUInt16BE(6) + bytes.readUInt16BE(8)
  const advertised = sections === 0 && bytes.readUInt16BE(10) > 0 ? readExtension(bytes, end) : undefined
  return {
    id: bytes.readUInt16BE(0),
    opcode: (flags >> 11) & 0xf,
    recursionDesired: (flags & FLAG_RECURSION_DESIRED) !== 0,
    name: name.labels,
    type: bytes.readUInt16BE(name.end),
    class: bytes.readUInt16BE(name.end + 2),
    question: bytes.subarray(HEADER_BYTES, end),
    udpBytes: Math.min(MAX_UDP_BYTES, Math.max(PLAIN_UDP_BYTES, advertised ?? 0)),
    extended: advertised !== undefined,
  }
}

function readName(bytes: Buffer, start: number): { labels: string[]; end: number } | undefined {
  const labels: string[] = []
  let at = start
  for (;;) {
    const length = bytes[at]
    if (length === undefined || length > MAX_LABEL_BYTES || at + length - start >= MAX_NAME_BYTES) return undefined
    at += 1
    if (length === 0) return { labels, end: at }
    if (at + length > bytes.length) return undefined
    labels.push(bytes.toString('latin1', at, at + length).toLowerCase())
    at += length
  }
}

/** The UDP size of an OPT record that comes first among the additional ones. */
function readExtension(bytes: Buffer, at: number): number | undefined {
  if (at + 11 > bytes.length || bytes[at] !== 0 || bytes.readUInt16BE(at + 1) !== TYPE.OPT) return undefined
  return bytes.readUInt16BE(at + 3)
}

/** Over `maxBytes` the records are left out and the answer is marked as truncated, so that the client asks again by TCP. */
export function encodeAnswer(query: Query, answer: Answer, maxBytes: number): Buffer {
  const extension = query.extended ? [extensionRecord()] : []
  const records = [...answer.answers, ...answer.authority].map(encodeRecord)
  const whole = Buffer.concat([Buffer.alloc(HEADER_BYTES), query.question, ...records, ...extension])
  const fits = whole.length <= maxBytes
  const bytes = fits ? whole : Buffer.concat([Buffer.alloc(HEADER_BYTES), query.question, ...extension])
  let flags = FLAG_RESPONSE | FLAG_RECURSION_AVAILABLE | (query.opcode << 11) | answer.rcode
  if (answer.authoritative) flags |= FLAG_AUTHORITATIVE
  if (query.recursionDesired) flags |= FLAG_RECURSION_DESIRED
  if (!fits) flags |= FLAG_TRUNCATED
  bytes.writeUInt16BE(query.id, 0)
  bytes.writeUInt16BE(flags, 2)
  bytes.writeUInt16BE(1, 4)
  bytes.writeUInt16BE(fits ? answer.answers.length : 0, 6)
  bytes.writeUInt16BE(fits ? answer.authority.length : 0, 8)
  bytes.writeUInt16BE(extension.length, 10)
  return bytes
}

function encodeRecord(record: Record): Buffer {
  const data = encodeData(record)
  const middle = Buffer.alloc(10)
  middle.writeUInt16BE(record.type, 0)
  middle.writeUInt16BE(CLASS_IN, 2)
  middle.writeUInt32BE(record.ttlSeconds, 4)
  middle.writeUInt16BE(data.length, 8)
  return Buffer.concat([encodeName(record.name), middle, data])
}

function encodeData(record: RecordData): Buffer {
  switch (record.type) {
    case TYPE.A:
      if (!isIPv4(record.address)) throw new Error(`not an IPv4 address: ${record.address}`)
      return Buffer.from(record.address.split('.').map(Number))
    case TYPE.CNAME:
    case TYPE.PTR:
      return encodeName(record.target)
    case TYPE.SRV: {
      const head = Buffer.alloc(6)
      head.writeUInt16BE(record.priority, 0)
      head.writeUInt16BE(record.weight, 2)
      head.writeUInt16BE(record.port, 4)
      return Buffer.concat([head, encodeName(record.target)])
    }
    case TYPE.SOA: {
      const tail = Buffer.alloc(20)
      const [refresh, retry, expire] = [7200, 1800, 86_400]
      for (const [i, value] of [record.serial, refresh, retry, expire, record.minimumSeconds].entries())
        tail.writeUInt32BE(value, i * 4)
      return Buffer.concat([encodeName(record.primary), encodeName(record.mailbox), tail])
    }
  }
}

/** Throws for a name no message can hold: the caller's data was validated by the API. */
function encodeName(labels: Labels): Buffer {
  const parts: Buffer[] = []
  for (const label of labels) {
    const bytes = Buffer.from(label, 'latin1')
    if (bytes.length === 0 || bytes.length > MAX_LABEL_BYTES) throw new Error(`not a DNS label: "${label}"`)
    parts.push(Buffer.from([bytes.length]), bytes)
  }
  const name = Buffer.concat([...parts, Buffer.from([0])])
  if (name.length > MAX_NAME_BYTES) throw new Error(`not a DNS name: "${labels.join('.')}"`)
  return name
}

/** A query of our own, for one name. */
export function encodeQuery(id: number, name: Labels, type: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES)
  header.writeUInt16BE(id, 0)
  header.writeUInt16BE(FLAG_RECURSION_DESIRED, 2)
  header.writeUInt16BE(1, 4)
  const tail = Buffer.alloc(4)
  tail.writeUInt16BE(type, 0)
  tail.writeUInt16BE(CLASS_IN, 2)
  return Buffer.concat([header, encodeName(name), tail])
}

function extensionRecord(): Buffer {
  const record = Buffer.alloc(11)
  record.writeUInt16BE(TYPE.OPT, 1)
  record.writeUInt16BE(MAX_UDP_BYTES, 3)
  return record
}

/** The addresses of a foreign answer: its A records, whatever they are named. Malformed: none. */
export function decodeAddresses(bytes: Buffer): { rcode: number; addresses: string[] } {
  const addresses: string[] = []
  if (bytes.length < HEADER_BYTES) return { rcode: RCODE.SERVFAIL, addresses }
  let at = HEADER_BYTES
  for (let i = bytes.readUInt16BE(4); i > 0; i--) at = skipName(bytes, at) + 4
  for (let i = bytes.readUInt16BE(6); i > 0; i--) {
    at = skipName(bytes, at)
    if (at + 10 > bytes.length) break
    const length = bytes.readUInt16BE(at + 8)
    if (bytes.readUInt16BE(at) === TYPE.A && length === 4 && at + 14 <= bytes.length)
      addresses.push(bytes.subarray(at + 10, at + 14).join('.'))
    at += 10 + length
  }
  return { rcode: bytes.readUInt16BE(2) & 0xf, addresses }
}

function skipName(bytes: Buffer, start: number): number {
  let at = start
  for (;;) {
    const length = bytes[at]
    if (length === undefined) return bytes.length
    if (length === 0) return at + 1
    if (length > MAX_LABEL_BYTES) return at + 2
    at += 1 + length
  }
}
