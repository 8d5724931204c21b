/** Carries out a roll between two controllers: looks, asks the plan, acts, waits for a change. The plan decides; this only acts. */
import { isConflict } from '../api/status.ts'
import type { Informer } from '../watch/informer.ts'
import { createFollower, type Follower, laterOf } from './follow.ts'
import type { Pair } from './pair.ts'
import { createPatience } from './patience.ts'
import { type Action, planRoll, resolveAmount } from './plan.ts'
import type { Outcome, Phase, Progress, RollbackOptions, RollResult } from './progress.ts'
import { RollError } from './progress.ts'
import { annotationsOf, DIRECTION, PARTNER, PHASE, ROLL_ID, type RollRecord, readRecord } from './record.ts'
import { type Controller, handleOf, isObserved, nameOf, progressOf, resourceOf, sideOf } from './replica-kinds.ts'
import { separate } from './separate.ts'

/** As long as a server's controller may take to see a change of ours before that is an error. */
const OBSERVE_TIMEOUT_MS = 60_000

export async function* driveRoll(pair: Pair, options: RollbackOptions): AsyncGenerator<Progress, RollResult> {
  const follower = createFollower(options)
  try {
    const informer = await follower.add(resourceOf(pair.kind))
    return yield* new Drive(pair, options, follower, informer).run()
  } finally {
    follower.stop()
  }
}

class Drive {
  readonly #pair: Pair
  readonly #options: RollbackOptions
  readonly #follower: Follower
  readonly #informer: Informer<Controller>
  readonly #maxSurge: number
  readonly #maxUnavailable: number
  /** Answers to our writes, which the watch may not have shown yet. */
  readonly #written = new Map<string, Controller>()
  #changed = false
  #isMarked = false
  #lastScaleMs = Number.NEGATIVE_INFINITY

  constructor(pair: Pair, options: RollbackOptions, follower: Follower, informer: Informer<Controller>) {
    this.#pair = pair
    this.#options = options
    this.#follower = follower
    this.#informer = informer
    this.#maxSurge = resolveAmount(options.maxSurge ?? 1, pair.desired, 'up')
    this.#maxUnavailable = resolveAmount(options.maxUnavailable ?? 0, pair.desired, 'down')
    if (this.#maxSurge === 0 && this.#maxUnavailable === 0)
      throw new RollError('maxSurge and maxUnavailable are both 0: no pod could ever be replaced')
  }

  async *run(): AsyncGenerator<Progress, RollResult> {
    const patience = createPatience(this.#options.clock, this.#options)
    let best = ''
    for (;;) {
      const gaveUp = patience.exhausted()
      if (gaveUp) return await this.#giveUp(gaveUp)
      const by = this.#takenOverBy()
      if (by === 'back') return this.#result('rolled-back', 'another client rolls it back')
      if (by) return this.#result('conflict', 'another client took the roll over')
      const actions = this.#plan()
      for (const action of actions) {
        if (action.do === 'finish') {
          await this.#mark(this.#pair.direction === 'back' ? 'Aborted' : 'Complete')
          yield this.#progress(this.#pair.direction === 'back' ? 'Aborted' : 'Complete', 'all pods are replaced')
          return this.#result('done', `rolled ${this.#pair.direction === 'back' ? 'back ' : ''}to ${this.#handle('new')}`)
        }
        const message = await this.#act(action)
        if (message !== undefined) yield this.#progress(this.#phaseOf(action), message)
      }
      const mark = this.#highWater(best)
      if (mark !== best || actions.some(({ do: what }) => what !== 'scale')) {
        if (best !== '' && actions.length === 0) yield this.#progress('Rolling', this.#counts())
        best = mark
        patience.progressed()
      }
      if (actions.length === 0 || actions.some(({ do: what }) => what === 'scale'))
        await this.#follower.changed(this.#pacedMs(patience.leftMs()), this.#options.signal)
    }
  }

  /** The latest known state of a side. */
  #at(side: 'old' | 'new'): Controller | undefined {
    const name = side === 'old' ? nameOf(this.#pair.old) : this.#pair.newName
    const cached = this.#informer.store.get(`${this.#options.namespace}/${name}`)
    const written = this.#written.get(name)
    if (!cached || !written) return cached ?? (side === 'new' && !this.#pair.blueprint ? undefined : written)
    if (cached.metadata.uid !== written.metadata.uid) return cached
    return laterOf(written, cached)
  }

  #need(side: 'old' | 'new'): Controller {
    const controller = this.#at(side)
    if (!controller) throw new RollError(`${this.#handle(side)} was deleted during the roll`)
    return controller
  }

  #plan(): Action[] {
    const { kind, desired } = this.#pair
    const old = this.#need('old')
    const next = this.#at('new')
    if (!next && !this.#pair.blueprint) this.#need('new')
    const actions = planRoll({
      desired,
      maxSurge: this.#maxSurge,
      maxUnavailable: this.#maxUnavailable,
      old: sideOf(kind, old, this.#isMarkedRolling(old)),
      new: next && sideOf(kind, next, this.#isMarkedRolling(next)),
    })
    // A roll joined after a crash may be marked already.
    if (next && this.#isMarkedRolling(old) && this.#isMarkedRolling(next)) this.#isMarked = true
    const waits = this.#pacedMs(Number.POSITIVE_INFINITY) < Number.POSITIVE_INFINITY
    return waits ? actions.filter(({ do: what }) => what !== 'scale') : actions
  }

  #isMarkedRolling(controller: Controller): boolean {
    const record = readRecord(controller)
    return record?.rollId === this.#pair.rollId && record.phase === 'Rolling' && record.direction === this.#pair.direction
  }

  /** What another client does with a controller that this roll had marked. */
  #takenOverBy(): 'back' | 'other' | undefined {
    if (!this.#isMarked) return undefined
    for (const side of ['old', 'new'] as const) {
      const annotations = this.#at(side)?.metadata.annotations
      if (!annotations || annotations[ROLL_ID] === this.#pair.rollId) continue
      return annotations[DIRECTION] === 'back' && this.#pair.direction === 'forward' ? 'back' : 'other'
    }
    return undefined
  }

  /** Until the next change of counts is due, at most `limitMs`. */
  #pacedMs(limitMs: number): number {
    const dueMs = this.#lastScaleMs + (this.#options.updatePeriodMs ?? 0) - this.#options.clock.monotonic()
    return dueMs > 0 ? Math.min(limitMs, dueMs) : limitMs
  }

  /** Grows with what the roll achieved; the same text means no progress. */
  #highWater(best: string): string {
    const old = this.#at('old')
    const next = this.#at('new')
    const [bestAvailable = -1, bestGone = Number.NEGATIVE_INFINITY] = best === '' ? [] : best.split(' ').map(Number)
    const available = Math.max(bestAvailable, next?.status?.availableReplicas ?? 0)
    const gone = Math.max(bestGone, -(old?.status?.replicas ?? 0))
    return `${available} ${gone}`
  }

  async #act(action: Exclude<Action, { do: 'finish' }>): Promise<string | undefined> {
    try {
      switch (action.do) {
        case 'separate':
          await this.#separate(action.side)
          return `labelled the template and pods of ${this.#handle(action.side)}`
        case 'create':
          await this.#create()
          return `created ${this.#handle('new')}`
        case 'mark':
          await this.#mark('Rolling')
          return this.#counts()
        case 'scale':
          await this.#scale(action.side, action.replicas)
          return `scaled ${this.#handle(action.side)} to ${action.replicas}`
      }
    } catch (error) {
      // Somebody wrote in between: the next look shows what.
      if (isConflict(error)) return undefined
      // An interruption is looked at between two actions, which each are safe to repeat.
      if (this.#options.signal?.aborted && error === this.#options.signal.reason) return undefined
      throw error
    }
  }

  async #separate(side: 'old' | 'new'): Promise<void> {
    const { client, clock, namespace } = this.#options
    const { kind } = this.#pair
    this.#changed = true
    const observed = (controller: Controller, holds?: (seen: Controller) => boolean) => this.#whenObserved(controller, holds)
    this.#keep(await separate({ client, clock, namespace, kind, observed }, this.#need(side)))
  }

  async #whenObserved(controller: Controller, holds: (seen: Controller) => boolean = () => true): Promise<Controller> {
    const { clock, namespace, signal } = this.#options
    const endMs = clock.monotonic() + OBSERVE_TIMEOUT_MS
    const key = `${namespace}/${nameOf(controller)}`
    for (;;) {
      const cached = this.#informer.store.get(key)
      const isCurrent = (cached?.metadata.generation ?? 0) >= (controller.metadata.generation ?? 0)
      if (cached && isCurrent && isObserved(cached) && holds(cached)) return cached
      const leftMs = endMs - clock.monotonic()
      if (leftMs <= 0) throw new RollError(`${nameOf(controller)}: its controller does not act on it`)
      signal?.throwIfAborted()
      await this.#follower.changed(leftMs, signal)
    }
  }

  async #create(): Promise<void> {
    const { client, namespace } = this.#options
    const { blueprint, kind } = this.#pair
    if (!blueprint) return
    this.#changed = true
    // The old one says first where the roll goes, so that a crash leaves nothing that nobody points to.
    await this.#write('old', { metadata: { annotations: annotationsOf(this.#record('old', 'Preparing')) } })
    const annotations = { ...blueprint.metadata.annotations, ...annotationsOf(this.#record('new', 'Preparing')) }
    const metadata = { ...blueprint.metadata, annotations }
    this.#keep(await client.create(resourceOf(kind), { ...blueprint, metadata } as Controller, { namespace }))
  }

  #record(side: 'old' | 'new', phase: Phase): RollRecord {
    const { desired, rollId, direction, newName } = this.#pair
    const partner = side === 'old' ? newName : nameOf(this.#pair.old)
    return { partner, rollId, originalReplicas: desired, desiredReplicas: side === 'old' ? 0 : desired, phase, direction }
  }

  /** The side that stays is written first: from either of them the direction is clear then. */
  async #mark(phase: Phase): Promise<void> {
    for (const side of ['new', 'old'] as const) {
      const record = this.#record(side, phase)
      const {
        [PARTNER]: partner,
        [ROLL_ID]: id,
        [PHASE]: before,
        [DIRECTION]: direction,
      } = this.#need(side).metadata.annotations ?? {}
      if (partner === record.partner && id === record.rollId && before === phase && direction === record.direction) continue
      this.#changed = true
      await this.#write(side, { metadata: { annotations: annotationsOf(record) } })
    }
    this.#isMarked = true
  }

  /** Conditional on the state the plan saw: of two clients that scale at once one is refused. */
  async #scale(side: 'old' | 'new', replicas: number): Promise<void> {
    const { resourceVersion } = this.#need(side).metadata
    this.#changed = true
    // Rolls forward keep the wanted minimum of the new side; on the way back it is set where it was asked for.
    const { minReadySeconds } = this.#options
    const spec = { replicas, ...(side === 'new' && minReadySeconds !== undefined && { minReadySeconds }) }
    await this.#write(side, { metadata: { resourceVersion }, spec })
    this.#lastScaleMs = this.#options.clock.monotonic()
  }

  async #write(side: 'old' | 'new', patch: object): Promise<void> {
    const { client, namespace } = this.#options
    const name = side === 'old' ? nameOf(this.#pair.old) : this.#pair.newName
    this.#keep(await client.patch(resourceOf(this.#pair.kind), name, 'merge', patch, { namespace }))
  }

  #keep(controller: Controller): Controller {
    this.#written.set(nameOf(controller), controller)
    return controller
  }

  async #giveUp(outcome: 'no-progress' | 'deadline' | 'interrupted'): Promise<RollResult> {
    if (this.#isMarked && this.#at('old') && this.#at('new')) await this.#mark('Paused')
    const why = { 'no-progress': 'no progress', deadline: 'the deadline passed', interrupted: 'interrupted' }[outcome]
    return this.#result(outcome, `${why}; paused with ${this.#counts()}`)
  }

  #handle(side: 'old' | 'new'): string {
    return handleOf(this.#pair.kind, side === 'old' ? nameOf(this.#pair.old) : this.#pair.newName)
  }

  #counts(): string {
    const { old, new: next } = this.#sides()
    return `${old.name} ${old.ready}/${old.replicas} ready, ${next.name} ${next.ready}/${next.replicas} ready`
  }

  #phaseOf(action: Action): Phase {
    return action.do === 'separate' || action.do === 'create' ? 'Preparing' : 'Rolling'
  }

  #sides() {
    return {
      old: progressOf(this.#at('old'), nameOf(this.#pair.old)),
      new: progressOf(this.#at('new'), this.#pair.newName),
    }
  }

  #progress(phase: Phase, message: string): Progress {
    return { phase, ...this.#sides(), changed: this.#changed, message }
  }

  #result(outcome: Outcome, message: string): RollResult {
    return { outcome, ...this.#sides(), changed: this.#changed, message }
  }
}
