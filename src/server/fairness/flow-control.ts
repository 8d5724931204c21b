/**
 * Priority and fairness: how many requests are at work at once, and who waits for whom, by the FlowSchemas and
 * PriorityLevelConfigurations in the store. A watch keeps its seat until it has begun; what else runs long (logs, streams into
 * containers, proxies) has none, as in Kubernetes. Both, and requests of exempt levels, have limits too, but wide ones: they keep
 * the process alive.
 */
import { tooManyRequests } from '../../api/status.ts'
import type { FlowSchema, PriorityLevelConfiguration } from '../../api/types.ts'
import type { Clock } from '../../base/clock.ts'
import type { ObjectReader } from '../admission/contract.ts'
import type { UserInfo } from '../contract.ts'
import { isLongRunning, type Target } from '../request/target.ts'
import { flowOf, inOrder, matches } from './flows.ts'
import { Level, type Seats } from './level.ts'

/** Seats of all limited levels together, shared out by their shares. */
const MAX_LIMITED_REQUESTS = 600
/** Requests at work and waiting, of everybody and of one user; exempt ones count. */
const MAX_REQUESTS = 10_000
const MAX_REQUESTS_OF_USER = 5_000
/** A request waits no longer than this for a seat. */
const MAX_WAIT_MS = 15_000
const RETRY_AFTER_SECONDS = 1
const GROUP = 'flowcontrol.apiserver.k8s.io'
const EXEMPT = 'exempt'
export type Release = () => void

interface Plan {
  schemas: readonly FlowSchema[]
  levels: ReadonlyMap<string, Level>
}

export interface FlowControlOptions {
  reader: ObjectReader
  clock: Clock
  /** For tests: fewer seats. */
  seats?: number
}

export class FlowControl {
  readonly #options: FlowControlOptions
  readonly #stops: (() => void)[]
  #plan: Plan | undefined
  #levels = new Map<string, Level>()
  #known = new WeakMap<UserInfo, { plan: Plan; schemas: Map<string, FlowSchema | undefined> }>()
  #total = 0
  #byUser = new Map<string, number>()

  constructor(options: FlowControlOptions) {
    this.#options = options
    const forget = () => {
      this.#plan = undefined
    }
    this.#stops = ['flowschemas', 'prioritylevelconfigurations'].map((plural) => options.reader.watch(GROUP, plural, forget))
  }

  stop(): void {
    for (const stop of this.#stops) stop()
  }

  /**
   * Takes a seat, at once or after a while. The function that comes back gives it up again, and must be called. Throws a 429 when
   * there is none to be had, and the reason of `signal` when the client has gone meanwhile.
   */
  take(user: UserInfo, target: Target, signal: () => AbortSignal): Release | Promise<Release> {
    const mine = this.#byUser.get(user.name) ?? 0
    if (this.#total >= MAX_REQUESTS || mine >= MAX_REQUESTS_OF_USER) throw refusal()
    const leave = this.#enter(user.name, mine)
    if (isLongRunning(target) && target.verb !== 'watch') return leave
    try {
      const plan = this.#planNow()
      const schema = this.#schemaOf(user, target, plan)
      const level = schema && plan.levels.get(schema.spec?.priorityLevelConfiguration?.name ?? '')
      if (!level) return leave
      if (!level.waiting && this.#mayStart(level, plan)) return this.#seated(level, leave)
      return this.#wait(level, flowOf(schema, user, target), leave, signal())
    } catch (error) {
      leave()
      throw error
    }
  }

  #enter(name: string, before: number): Release {
    this.#total += 1
    this.#byUser.set(name, before + 1)
    return () => {
      this.#total -= 1
      const count = (this.#byUser.get(name) ?? 1) - 1
      if (count === 0) this.#byUser.delete(name)
      else this.#byUser.set(name, count)
    }
  }

  /** Within the level's own seats, or on those that others leave free. */
  #mayStart(level: Level, { levels }: Plan): boolean {
    if (level.executing < level.seats.nominal) return true
    if (level.borrowed >= level.seats.borrowable) return false
    let free = 0
    for (const other of levels.values()) free += other.idle - other.borrowed
    return free > 0
  }

  #seated(level: Level, leave: Release): Release {
    level.executing += 1
    return () => {
      level.executing -= 1
      leave()
      this.#dispatch()
    }
  }

  /** A seat that has become free may be anybody's. */
  #dispatch(): void {
    const plan = this.#planNow()
    for (const level of plan.levels.values()) {
      while (level.waiting && this.#mayStart(level, plan)) level.startNext()
    }
  }

  #wait(level: Level, flow: string, leave: Release, signal: AbortSignal): Promise<Release> {
    return new Promise((resolve, reject) => {
      const settle = () => {
        cancel()
        signal.removeEventListener('abort', onAbort)
      }
      const start = () => {
        settle()
        resolve(this.#seated(level, leave))
      }
      const giveUp = (reason: unknown) => {
        settle()
        quit?.()
        leave()
        reject(reason)
      }
      const onAbort = () => giveUp(signal.reason)
      const quit = level.wait(flow, { start })
      if (!quit) {
        leave()
        reject(refusal())
        return
      }
      const cancel = this.#options.clock.after(MAX_WAIT_MS, () => giveUp(refusal()), { unref: true })
      signal.addEventListener('abort', onAbort)
    })
  }

  /** Remembered for each user until the configuration changes: users are shared objects. */
  #schemaOf(user: UserInfo, target: Target, plan: Plan): FlowSchema | undefined {
    let known = this.#known.get(user)
    if (!known || known.plan !== plan || known.schemas.size > MAX_REMEMBERED) {
      known = { plan, schemas: new Map() }
      this.#known.set(user, known)
    }
    const key = target.resource
      ? `${target.verb} ${target.group} ${target.plural} ${target.subresource} ${target.namespace}`
      : `${target.verb} ${target.path}`
    if (!known.schemas.has(key))
      known.schemas.set(
        key,
        plan.schemas.find((schema) => matches(schema, user, target)),
      )
    return known.schemas.get(key)
  }

  #planNow(): Plan {
    if (this.#plan) return this.#plan
    const { reader, seats = MAX_LIMITED_REQUESTS } = this.#options
    const schemas = inOrder(reader.list(GROUP, 'flowschemas') as unknown as FlowSchema[])
    const configurations = reader.list(GROUP, 'prioritylevelconfigurations') as unknown as PriorityLevelConfiguration[]
    const limited = configurations.filter(({ metadata, spec }) => metadata.name !== EXEMPT && spec?.limited)
    const shares = limited.reduce((sum, { spec }) => sum + (spec?.limited?.nominalConcurrencyShares ?? 0), 0) || 1
    const levels = new Map<string, Level>()
    for (const { metadata, spec } of limited) {
      const name = metadata.name ?? ''
      const { limitResponse = { type: 'Reject' }, ...numbers } = spec?.limited ?? {}
      const own = seatsOf(numbers, seats / shares)
      const level = this.#levels.get(name) ?? new Level(own, limitResponse)
      level.configure(own, limitResponse)
      levels.set(name, level)
    }
    this.#levels = levels
    this.#plan = { schemas, levels }
    return this.#plan
  }
}

/** Kinds of requests that are remembered for one user. */
const MAX_REMEMBERED = 4096

function seatsOf(
  numbers: {
    nominalConcurrencyShares?: number | undefined
    lendablePercent?: number | undefined
    borrowingLimitPercent?: number | undefined
  },
  seatsOfShare: number,
): Seats {
  const nominal = Math.ceil((numbers.nominalConcurrencyShares ?? 0) * seatsOfShare)
  const limit = numbers.borrowingLimitPercent
  return {
    nominal,
    lendable: Math.round((nominal * (numbers.lendablePercent ?? 0)) / 100),
    borrowable: limit === undefined ? Number.POSITIVE_INFINITY : Math.round((nominal * limit) / 100),
  }
}

function refusal(): Error {
  return tooManyRequests('Too many requests, please try again later.', RETRY_AFTER_SECONDS)
}
