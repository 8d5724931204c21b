/** Makes audit events (`audit.k8s.io/v1`) of requests, as far as the policy asks for them. Where they go is the sink's. */
import type { KubeObject } from '../../api/object.ts'
import type { Status } from '../../api/status.ts'
import type { Clock } from '../../base/clock.ts'
import { microTimestamp } from '../../base/clock.ts'
import type { UserInfo } from '../contract.ts'
import { newUid } from '../objects/names.ts'
import type { Answer } from '../request/request.ts'
import { isLongRunning, type Target } from '../request/target.ts'
import { type AuditPolicy, type Decision, decide, type Stage } from './policy.ts'

/** Takes one event at a time and never throws. */
export type AuditSink = (event: object) => void

export interface AuditOptions {
  policy: AuditPolicy
  sink: AuditSink
  clock: Clock
  random: (bytes: number) => Buffer
}

export interface AuditedCall {
  target: Target
  requestUri: string
  /** Who it really is; undefined when that could not be found out. */
  user: UserInfo | undefined
  sourceIp: string
  userAgent: string
  /** Bytes or, in process, the object; undefined when it was not read. */
  body: () => Promise<Uint8Array | object | undefined>
}

/** One request's entry: nothing when the policy does not want it. */
export interface AuditEntry {
  readonly annotations: Record<string, string>
  /** Whom the user acts as. */
  actsAs(user: UserInfo): void
  /** The answer begins. Told of long-running requests only, whose end is told by `complete`. */
  started(code: number): void
  /** `answer` is absent for an upgraded connection. */
  complete(answer: Answer | Status | undefined, code: number): Promise<void>
}

const DECISION = 'authorization.k8s.io/decision'

export class Audit {
  readonly #options: AuditOptions

  constructor(options: AuditOptions) {
    this.#options = options
  }

  begin(call: AuditedCall): AuditEntry | undefined {
    const decision = decide(this.#options.policy, call.user, call.target)
    if (!decision) return undefined
    const entry = new Entry(this.#options, call, decision)
    entry.received()
    return entry
  }

  /** Nobody could be found to have sent this: all that is told of it is the answer. */
  unauthenticated(call: AuditedCall, message: string): void {
    const decision = decide(this.#options.policy, undefined, call.target)
    if (decision) new Entry(this.#options, call, decision).refused({ metadata: {}, message, code: 401 })
  }
}

class Entry implements AuditEntry {
  readonly annotations: Record<string, string> = {}
  readonly #options: AuditOptions
  readonly #call: AuditedCall
  readonly #decision: Decision
  readonly #fixed: object
  #impersonated: UserInfo | undefined
  #hasStarted = false

  constructor(options: AuditOptions, call: AuditedCall, decision: Decision) {
    this.#options = options
    this.#call = call
    this.#decision = decision
    this.#fixed = {
      kind: 'Event',
      apiVersion: 'audit.k8s.io/v1',
      level: decision.level,
      auditID: newUid(options.random),
      requestURI: call.requestUri,
      verb: call.target.verb,
      user: call.user ? userOf(call.user) : {},
      sourceIPs: [call.sourceIp],
      ...(call.userAgent && { userAgent: call.userAgent }),
      ...(call.target.resource && { objectRef: referenceOf(call.target) }),
      requestReceivedTimestamp: microTimestamp(options.clock),
    }
  }

  received(): void {
    this.#emit('RequestReceived', {})
  }

  actsAs(user: UserInfo): void {
    this.#impersonated = user
  }

  started(code: number): void {
    if (this.#hasStarted || !isLongRunning(this.#call.target)) return
    this.#hasStarted = true
    this.#emit('ResponseStarted', { responseStatus: { metadata: {}, code } })
  }

  refused(responseStatus: object): void {
    this.#emit('ResponseStarted', { responseStatus })
  }

  async complete(answer: Answer | Status | undefined, code: number): Promise<void> {
    const { level } = this.#decision
    this.started(code)
    const bodies = {
      ...(level !== 'Metadata' && { requestObject: await this.#requestObject() }),
      ...(level === 'RequestResponse' && { responseObject: this.#without(responseOf(answer)) }),
    }
    this.#emit('ResponseComplete', { responseStatus: statusOf(answer, code), ...bodies })
  }

  #emit(stage: Stage, more: object): void {
    if (this.#decision.omitStages.has(stage)) return
    const annotations = DECISION in this.annotations ? { annotations: { ...this.annotations } } : {}
    const impersonated = this.#impersonated && { impersonatedUser: userOf(this.#impersonated) }
    this.#options.sink({
      ...this.#fixed,
      ...impersonated,
      stage,
      stageTimestamp: microTimestamp(this.#options.clock),
      ...more,
      ...annotations,
    })
  }

  /** What was sent, as far as it is an object; undefined otherwise, and for who sent nothing. */
  async #requestObject(): Promise<unknown> {
    const body = await this.#call.body()
    if (body === undefined) return undefined
    return this.#without(body instanceof Uint8Array ? await parsed(Buffer.from(body)) : body)
  }

  #without(object: unknown): unknown {
    if (!this.#decision.omitManagedFields) return object
    const { metadata, items } = (object ?? {}) as Partial<KubeObject> & { items?: KubeObject[] }
    if (Array.isArray(items)) return { ...(object as object), items: items.map((item) => this.#without(item)) }
    if (!metadata?.managedFields) return object
    const { managedFields: _, ...rest } = metadata
    return { ...(object as object), metadata: rest }
  }
}

async function parsed(bytes: Buffer): Promise<unknown> {
  if (bytes.length === 0) return undefined
  try {
    if (bytes.subarray(0, 4).toString('latin1') !== 'k8s\0') return JSON.parse(bytes.toString())
    const { decodeProtobuf } = await import('../../api/protobuf/envelope.ts')
    return decodeProtobuf(bytes)
  } catch (error) {
    // What is no object is not shown as one: the answer says what was wrong with it.
    if (error instanceof SyntaxError || (error as Error).name === 'ProtobufError') return undefined
    throw error
  }
}

const isAnswer = (value: Answer | Status): value is Answer => 'type' in value

function responseOf(answer: Answer | Status | undefined): unknown {
  if (!answer || !isAnswer(answer)) return answer
  return answer.type === 'object' ? answer.object() : undefined
}

function statusOf(answer: Answer | Status | undefined, code: number): object {
  if (!answer || isAnswer(answer)) return { metadata: {}, code }
  const { status, message, reason, details } = answer
  return { metadata: {}, status, message, reason, ...(details && { details }), code }
}

function userOf({ name, uid, groups, extra }: UserInfo): object {
  return { username: name, ...(uid && { uid }), groups, ...(extra && { extra }) }
}

function referenceOf(target: Extract<Target, { resource: true }>): object {
  const { plural, namespace, name, group, version, subresource } = target
  return {
    resource: plural,
    ...(namespace && { namespace }),
    ...(name && { name }),
    ...(group && { apiGroup: group }),
    apiVersion: version,
    ...(subresource && { subresource }),
  }
}
