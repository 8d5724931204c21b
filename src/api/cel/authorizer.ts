/** Expressions may ask whether somebody may do something: `authorizer.group('apps').resource('deployments').check('create').allowed()`. */
import { type Overload, overload } from './functions.ts'
import { Opaque, type Value } from './values.ts'

export interface Subject {
  readonly name: string
  readonly groups: readonly string[]
}
/** What is asked, field by field as the calls name it. */
export type Question = Readonly<Record<string, string>>
/** Answers at once. */
export type Ask = (question: object) => { readonly allowed: boolean; readonly reason?: string | undefined }

interface Asking {
  readonly ask: Ask
  readonly user: Subject
  readonly question: Question
}

const PREFIX = 'kubernetes.authorization.'
const make = (type: string, asking: Asking | object): Opaque => new Opaque(`${PREFIX}${type}`, JSON.stringify(asking), asking)
const asking = (value: Opaque) => value.data as Asking

export function authorizerFor(ask: Ask, user: Subject): Value {
  return make('Authorizer', { ask, user, question: {} })
}

export function resourceCheck(ask: Ask, user: Subject, question: Question): Value {
  return make('ResourceCheck', { ask, user, question })
}

function asked(value: Opaque, verb: string): Value {
  const { ask, user, question } = asking(value)
  const { allowed, reason = '' } = ask({ user, verb, ...question })
  return make('Decision', { allowed, reason })
}

/** The same question with one more thing said. */
function saying(type: string, field: string) {
  return (value: Opaque, said: string): Value => {
    const known = asking(value)
    return make(type, { ...known, question: { ...known.question, [field]: said } })
  }
}

function asServiceAccount(value: Opaque, namespace: string, name: string): Value {
  const groups = ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated']
  return make('Authorizer', { ...asking(value), user: { name: `system:serviceaccount:${namespace}:${name}`, groups } })
}

const A = `${PREFIX}Authorizer`
const G = `${PREFIX}GroupCheck`
const R = `${PREFIX}ResourceCheck`
const P = `${PREFIX}PathCheck`
const D = `${PREFIX}Decision`

/** The receiver's type has dots of its own, so these are put together by hand. */
function on(receiver: string, name: string, args: string, result: string, run: (...args: never[]) => Value): Overload {
  const made = overload(`x.${name}(${args}): ${result}`, run)
  return { ...made, args: [{ kind: 'opaque', name: receiver }, ...made.args.slice(1)] }
}

export const authorizerLibrary: readonly Overload[] = [
  on(A, 'path', 'string', P, saying('PathCheck', 'path')),
  on(A, 'group', 'string', G, saying('GroupCheck', 'group')),
  on(A, 'serviceAccount', 'string, string', A, asServiceAccount),
  on(G, 'resource', 'string', R, saying('ResourceCheck', 'resource')),
  on(R, 'subresource', 'string', R, saying('ResourceCheck', 'subresource')),
  on(R, 'namespace', 'string', R, saying('ResourceCheck', 'namespace')),
  on(R, 'name', 'string', R, saying('ResourceCheck', 'name')),
  on(R, 'check', 'string', D, asked),
  on(P, 'check', 'string', D, asked),
  on(D, 'allowed', '', 'bool', (value: Opaque) => (value.data as { allowed: boolean }).allowed),
  on(D, 'reason', '', 'string', (value: Opaque) => (value.data as { reason: string }).reason),
  on(D, 'errored', '', 'bool', () => false),
  on(D, 'error', '', 'string', () => ''),
]
