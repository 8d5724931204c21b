/** Carries out a roll between controllers: looks, asks the plan, acts, waits for a change. The plan decides; this only acts. */
import { isAlreadyExists, isConflict, isNotFound, StatusError } from '../api/status.ts'
import type { Course } from './family.ts'
import { createFollower, type Follower, laterOf } from './follow.ts'
import type { HeldLease } from './lease.ts'
import { observe } from './observe.ts'
import { createPatience, type Patience } from './patience.ts'
import { type Hands, markAll, perform } from './perform.ts'
import { type Action, type Observed, planRoll } from './plan.ts'
import { type Outcome, type Phase, type Progress, type RollbackOptions, RollError, type RollResult } from './progress.ts'
import { readRecord } from './record.ts'
import { type Controller, isObserved, nameOf, resourceOf } from './replica-kinds.ts'
import { countsOf, endOf, phaseOf, type Sides, sidesOf, textOf } from './tell.ts'
import { World } from './world.ts'

/** As long as a server's controller may take to see a change of ours before that is an error. */
const OBSERVE_TIMEOUT_MS = 60_000
/** As often as writes in a row may be refused because of what others wrote. */
const MAX_REFUSALS = 100
const PAUSE_ATTEMPTS = 10
/** After a refused write the watch mostly shows at once why; it is repeated anyway. */
const REFUSED_WAIT_MS = 1000

export async function* driveCourse(
  course: Course,
  lease: HeldLease,
  options: RollbackOptions,
): AsyncGenerator<Progress, RollResult> {
  const follower = createFollower(options)
  try {
    const informer = await follower.add(resourceOf(course.kind))
    const world = new World(informer, options.namespace)
    follower.alsoStop(world.follow())
    return yield* new Drive(course, lease, options, follower, world).run()
  } finally {
    follower.stop()
  }
}

class Drive {
  #course: Course
  readonly #lease: HeldLease
  readonly #options: RollbackOptions
  readonly #signal: AbortSignal | undefined
  readonly #follower: Follower
  readonly #world: World
  readonly #hands: Hands
  #changed = false
  #lastScaleMs = Number.NEGATIVE_INFINITY
  #best = { available: -1, left: Number.POSITIVE_INFINITY }

  constructor(course: Course, lease: HeldLease, options: RollbackOptions, follower: Follower, world: World) {
    this.#course = course
    this.#lease = lease
    this.#options = options
    this.#signal = options.onInterrupt === 'continue' ? undefined : options.signal
    this.#follower = follower
    this.#world = world
    const { client, clock, namespace, by, command, note } = options
    this.#hands = {
      ...{ client, clock, namespace, world, cause: { by, command, note } },
      observed: (controller, holds) => this.#whenObserved(controller, holds),
    }
  }

  async *run(): AsyncGenerator<Progress, RollResult> {
    const patience = createPatience(this.#options.clock, { ...this.#options, signal: this.#signal })
    let refusals = 0
    let repeated = { what: '', times: 0 }
    for (;;) {
      const gaveUp = patience.exhausted()
      if (gaveUp) return await this.#giveUp(gaveUp)
      const by = this.#takenOverBy()
      if (by) return this.#result(by, by === 'rolled-back' ? 'another client rolls it back' : 'another client took the roll over')
      const observed = observe(this.#course, this.#world)
      if (observed.maxSurge === 0 && observed.maxUnavailable === 0 && observed.desired > 0)
        throw new RollError('maxSurge and maxUnavailable are both 0: no pod could ever be replaced')
      const actions = this.#due(planRoll(observed))
      const what = JSON.stringify(actions.filter((action) => action.do !== 'scale'))
      repeated = { what, times: what !== '[]' && what === repeated.what ? repeated.times + 1 : 0 }
      if (repeated.times > MAX_REFUSALS) throw new RollError(`what was written does not stay: ${what}`)
      const isForward = this.#progressed(observed)
      if (isForward && actions.length === 0) yield this.#progress(this.#phaseNow(undefined), this.#counts())
      if (isForward || actions.some(({ do: what }) => what !== 'scale')) patience.progressed()
      let isRefused = false
      for (const action of actions) {
        const message = await this.#act(action)
        isRefused = message === undefined
        if (isRefused) break
        yield this.#progress(this.#phaseNow(action), message ?? '')
        if (action.do === 'finish') return this.#result('done', endOf(this.#course))
        if (action.do === 'pause') return this.#result('canary', `the canary runs: ${this.#counts()}`)
      }
      refusals = isRefused ? refusals + 1 : 0
      if (refusals > MAX_REFUSALS) throw new RollError('every write is refused because others write at the same time')
      if (isRefused || actions.length === 0 || actions.some(({ do: what }) => what === 'scale'))
        await this.#wait(patience, isRefused)
    }
  }

  async #wait(patience: Patience, isRefused: boolean): Promise<void> {
    const { clock, updatePeriodMs } = this.#pace()
    const dueMs = this.#lastScaleMs + updatePeriodMs - clock.monotonic()
    const leftMs = isRefused ? Math.min(REFUSED_WAIT_MS, patience.leftMs()) : patience.leftMs()
    await this.#follower.changed(dueMs > 0 ? Math.min(leftMs, dueMs) : leftMs, this.#signal)
  }

  #pace() {
    return { clock: this.#options.clock, updatePeriodMs: this.#course.settings.updatePeriodMs ?? 0 }
  }

  /** Without changes of counts before the update period is over. */
  #due(actions: Action[]): Action[] {
    const { clock, updatePeriodMs } = this.#pace()
    const waits = this.#lastScaleMs + updatePeriodMs > clock.monotonic()
    return waits ? actions.filter(({ do: what }) => what !== 'scale') : actions
  }

  /** Whether more new pods are available, or fewer old ones there, than ever before. */
  #progressed({ staying, leaving }: Observed): boolean {
    const available = staying?.available ?? 0
    const left = leaving.reduce((sum, { pods }) => sum + pods, 0)
    const { available: mostAvailable, left: fewestLeft } = this.#best
    this.#best = { available: Math.max(available, mostAvailable), left: Math.min(left, fewestLeft) }
    return available > mostAvailable || left < fewestLeft
  }

  /** Another client that goes on with these controllers says over which roll it does. */
  #takenOverBy(): 'rolled-back' | 'conflict' | undefined {
    const { rollId, direction, staying, leaving, settings } = this.#course
    const names = [staying, ...leaving, ...(settings.pet ? [settings.pet.name, settings.pet.clone] : [])]
    for (const name of names) {
      const controller = this.#world.get(name)
      const record = controller && readRecord(controller)
      if (!record || record.rollId === rollId || record.settings.over !== rollId) continue
      return record.direction !== 'forward' && direction === 'forward' ? 'rolled-back' : 'conflict'
    }
    return this.#lease.isLost() ? 'conflict' : undefined
  }

  /** What was done; undefined when somebody wrote in between: the next look shows what. */
  async #act(action: Action): Promise<string | undefined> {
    try {
      this.#changed = true
      this.#course = await perform(this.#hands, this.#course, action)
      if (action.do === 'scale') this.#lastScaleMs = this.#options.clock.monotonic()
      return textOf(this.#course, action, this.#sides())
    } catch (error) {
      if (isConflict(error) || isAlreadyExists(error) || (action.do === 'scale' && isFailedTest(error))) return undefined
      if (isNotFound(error)) {
        if ('name' in action) this.#world.forget(action.name)
        return undefined
      }
      // An interruption is looked at between two actions, which each are safe to repeat.
      if (this.#signal?.aborted && error === this.#signal.reason) return undefined
      throw error
    }
  }

  /** Resolves when the watch shows the object at least as new, seen by its controller, and as `holds` wants it; or gone. */
  async #whenObserved(controller: Controller, holds: (seen: Controller) => boolean = () => true): Promise<Controller> {
    const { clock } = this.#options
    const endMs = clock.monotonic() + OBSERVE_TIMEOUT_MS
    for (;;) {
      const shown = this.#world.shown(nameOf(controller))
      if (!shown && !this.#world.has(nameOf(controller))) return controller
      if (
        shown &&
        laterOf(controller, shown) === shown &&
        (isObserved(shown) || shown.metadata.deletionTimestamp) &&
        holds(shown)
      )
        return shown
      const leftMs = endMs - clock.monotonic()
      if (leftMs <= 0) throw new RollError(`${nameOf(controller)}: its controller does not act on it`)
      this.#signal?.throwIfAborted()
      await this.#follower.changed(leftMs, this.#signal)
    }
  }

  async #giveUp(outcome: 'no-progress' | 'deadline' | 'interrupted'): Promise<RollResult> {
    const { staying } = observe(this.#course, this.#world)
    // Before, and while a name is switched, the records say what is under way already.
    if (staying?.marked) await this.#pauseAll()
    const why = { 'no-progress': 'no progress', deadline: 'the deadline passed', interrupted: 'interrupted' }[outcome]
    return this.#result(outcome, `${why}; paused with ${this.#counts()}`)
  }

  /** Status changes all the time: a refused write is repeated on what there is then. */
  async #pauseAll(): Promise<void> {
    const { client, namespace } = this.#options
    const { kind, staying, leaving } = this.#course
    for (let attempt = 1; ; attempt++) {
      try {
        return await markAll(this.#hands, this.#course, 'Paused')
      } catch (error) {
        // The records say without it, too, that the roll is under way.
        if (isNotFound(error) || (isConflict(error) && attempt === PAUSE_ATTEMPTS)) return
        if (!isConflict(error)) throw error
      }
      for (const name of [staying, ...leaving])
        if (this.#world.has(name)) this.#world.wrote(await client.get(resourceOf(kind), name, { namespace }))
      if (this.#takenOverBy()) return
    }
  }

  #sides(): Sides {
    return sidesOf(this.#course, this.#world)
  }

  #counts(): string {
    return countsOf(this.#sides())
  }

  #phaseNow(action: Action | undefined): Phase {
    return phaseOf(this.#course, this.#world, action)
  }

  #progress(phase: Phase, message: string): Progress {
    return { phase, ...this.#sides(), changed: this.#changed, message }
  }

  #result(outcome: Outcome, message: string): RollResult {
    return { outcome, ...this.#sides(), changed: this.#changed, message }
  }
}

/** A patch whose tests did not hold: answered with 422. */
function isFailedTest(error: unknown): boolean {
  return error instanceof StatusError && error.code === 422
}
