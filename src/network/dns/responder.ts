/** One DNS message in, one out: the cluster's own names answered, the rest asked elsewhere. Knows no sockets. */
import type { Forwarder } from './forward.ts'
import {
  type Answer,
  decodeAddresses,
  decodeQuery,
  encodeAnswer,
  encodeQuery,
  type Labels,
  type Query,
  RCODE,
  type Record,
  TYPE,
} from './message.ts'
import type { Zone } from './zone.ts'

/** Aliases followed for one question. */
const MAX_ALIASES = 8
const ALIAS_TTL_SECONDS = 5
const MAX_TCP_BYTES = 65_535
const OPCODE_QUERY = 0
const CLASS_IN = 1

export type Respond = (message: Buffer, transport: 'udp' | 'tcp') => Promise<Buffer | undefined>

/** `undefined` for what deserves no answer: malformed messages, and answers. */
export function createResponder({ zone, forwarder }: { zone: Zone; forwarder: Forwarder }): Respond {
  return async (message, transport) => {
    const query = decodeQuery(message)
    if (!query) return undefined
    const encode = (answer: Answer) => encodeAnswer(query, answer, transport === 'tcp' ? MAX_TCP_BYTES : query.udpBytes)
    if (query.opcode !== OPCODE_QUERY) return encode(failure(RCODE.NOTIMP))
    const first = query.class === CLASS_IN ? zone.resolve(query.name, query.type) : ({ kind: 'foreign' } as const)
    if (first.kind === 'foreign') return (await forwarder.ask(message, transport)) ?? encode(failure(RCODE.SERVFAIL))
    if (first.kind === 'records') return encode({ ...first, authoritative: true })
    return encode(await followAlias(query, first.answers, first.target))
  }

  async function followAlias(query: Query, answers: Record[], start: Labels): Promise<Answer> {
    let target = start
    for (let followed = 0; followed < MAX_ALIASES; followed++) {
      const next = zone.resolve(target, query.type)
      if (next.kind === 'foreign') return foreignTarget(query, answers, target)
      answers = [...answers, ...next.answers]
      if (next.kind === 'records') return { ...next, answers, authoritative: true }
      target = next.target
    }
    return failure(RCODE.SERVFAIL)
  }

  // Of a name outside only its addresses are added; for other types the alias alone is the answer, and the client asks on.
  async function foreignTarget(query: Query, answers: Record[], target: Labels): Promise<Answer> {
    const alias: Answer = { rcode: RCODE.NOERROR, authoritative: true, answers, authority: [] }
    if (query.type !== TYPE.A) return alias
    const answer = await forwarder.ask(encodeQuery(query.id, target, TYPE.A), 'udp')
    if (!answer) return { ...alias, rcode: RCODE.SERVFAIL }
    const { rcode, addresses } = decodeAddresses(answer)
    const records = addresses.map((address): Record => ({ type: TYPE.A, address, name: target, ttlSeconds: ALIAS_TTL_SECONDS }))
    return { ...alias, rcode, answers: [...answers, ...records] }
  }
}

function failure(rcode: number): Answer {
  return { rcode, authoritative: false, answers: [], authority: [] }
}
