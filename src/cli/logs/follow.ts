/**
 * Logs of several containers as they grow: what is there already by time, then everything as it comes. Pods that come later are
 * followed too, and so is every new run of a container; each end is said. By level: what is followed is decided from what the pods
 * look like, whatever happened in between.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Pod } from '../../api/types.ts'
import { watchPods } from '../pod-watch.ts'
import { type ContainerChoice, chosenContainers } from './containers.ts'
import { FollowedLog } from './followed-log.ts'
import { mergeByTime } from './merge.ts'
import type { Reading } from './merged.ts'
import { historyOf, type Log, lastTime } from './read.ts'
import { hasFinished, runOf } from './runs.ts'
import { listPods, members, type Selection, untilComplete } from './selection.ts'

export interface FollowOptions extends Reading {
  readonly selections: readonly Selection[]
  /** Of the pods that are there. */
  readonly logs: readonly Log[]
  /** Followed at once; further ones wait. */
  readonly limit: number
  readonly choice: ContainerChoice
}

/** A log that should have a past and brings nothing for so long does not hold up the others. */
const PATIENCE_MS = 5000
/** Before a log whose container still runs is opened again. */
const REOPEN_MS = 1000

/** Ends when all containers have ended and no further pods can come. */
export async function followLogs(options: FollowOptions): Promise<void> {
  const follower = new Follower(options)
  await follower.begin()
  await follower.goOn()
}

class Follower {
  readonly #options: FollowOptions
  readonly #logs = new Map<string, FollowedLog>()
  /** The pods of each selection as they were last seen. */
  readonly #seen: (readonly Pod[] | undefined)[]
  /** Selections to which no further pods can come. */
  readonly #complete = new Set<number>()
  readonly #waiting = new Set<FollowedLog>()
  readonly #reopening = new Set<FollowedLog>()
  readonly #end = new AbortController()
  readonly #signal: AbortSignal
  #open = 0
  /** What was there at the beginning is not announced. */
  #isBegun = false

  constructor(options: FollowOptions) {
    this.#options = options
    this.#seen = options.selections.map(() => undefined)
    this.#signal = AbortSignal.any([options.signal, this.#end.signal])
  }

  /** What is there, in the order of time. */
  async begin(): Promise<void> {
    const { logs, extent, session, printer } = this.#options
    const started = logs.map((log) => this.#known(log)).filter((followed) => followed.hasNewRun)
    const opened = await Promise.all(
      started.map(async (followed) => {
        const lines = await followed.open(this.#options, this.#signal)
        if (!lines) return []
        const last = await lastTime(followed.log, extent, session, this.#signal).catch(() => undefined)
        return [{ followed, history: historyOf(lines, last, PATIENCE_MS) }]
      }),
    )
    const all = opened.flat()
    for await (const { source, lines } of mergeByTime(all.map(({ history }) => history)))
      await printer.add(all[source]!.followed.log, lines)
    await printer.flush()
    this.#open = all.length
    for (const { followed } of all) void this.#copy(followed)
    this.#isBegun = true
  }

  /** As it comes, until nothing can come any more. */
  async goOn(): Promise<void> {
    const { selections, session } = this.#options
    const watching = selections.map(async ({ where, belongs }, at) => {
      for await (const pods of watchPods(session, where, this.#signal)) this.#see(at, await members(pods, belongs))
    })
    const completing = selections.map(async (selection, at) => {
      await untilComplete(selection, session, this.#signal)
      // The watch may be behind: what came last must be seen before the end is.
      const pods = await listPods(selection, session, this.#signal)
      this.#complete.add(at)
      this.#see(at, pods)
    })
    try {
      await Promise.all([...watching, ...completing])
    } catch (error) {
      if (!this.#end.signal.aborted) throw error
    } finally {
      this.#end.abort()
    }
    const { reason } = this.#end.signal
    if (reason instanceof Failed) throw reason.cause
  }

  #see(at: number, pods: readonly Pod[]): void {
    this.#seen[at] = pods
    for (const log of this.#logsOf(pods)) this.#known(log)
    this.#act()
  }

  #logsOf(pods: readonly Pod[]): Log[] {
    return pods.flatMap((pod) => chosenContainers(pod, this.#options.choice).names.map((container) => ({ pod, container })))
  }

  /** With what the pod's status says now. */
  #known(log: Log): FollowedLog {
    const key = keyOf(log)
    const followed = this.#logs.get(key) ?? new FollowedLog(log, this.#isBegun, this.#options)
    followed.sees(runOf(log.pod, log.container))
    this.#logs.set(key, followed)
    return followed
  }

  /** Brings what is followed in line with what is there. */
  #act(): void {
    // Before every selection has been looked at, what is absent is not gone.
    if (this.#signal.aborted || !this.#seen.every((pods) => pods !== undefined)) return
    const pods = this.#seen.flatMap((seen) => seen ?? [])
    const there = new Set(this.#logsOf(pods).map(keyOf))
    for (const [key, followed] of this.#logs) {
      if (followed.isOpen || this.#reopening.has(followed)) continue
      if (there.has(key)) this.#actOn(followed)
      else {
        this.#sayEnd(followed)
        if (followed.isUnderWay) this.#options.printer.say(`${followed.name} is gone`)
        this.#waiting.delete(followed)
        this.#logs.delete(key)
      }
    }
    if (this.#complete.size === this.#seen.length && pods.every(hasFinished) && this.#isIdle()) this.#end.abort()
  }

  #isIdle(): boolean {
    const isAwaited = (followed: FollowedLog) => followed.isOpen || this.#reopening.has(followed) || followed.breaksOff
    return this.#open === 0 && this.#waiting.size === 0 && ![...this.#logs.values()].some(isAwaited)
  }

  #actOn(followed: FollowedLog): void {
    if (this.#waiting.has(followed)) return
    // The end of a run is told before the next one begins.
    this.#sayEnd(followed)
    if (followed.hasNewRun) this.#start(followed)
    else if (followed.breaksOff) void this.#reopen(followed)
  }

  #sayEnd(followed: FollowedLog): void {
    const end = followed.takeEnd()
    if (end) this.#options.printer.say(end)
  }

  #start(followed: FollowedLog): void {
    const { limit, printer } = this.#options
    if (this.#open >= limit) {
      if (!this.#waiting.has(followed))
        printer.say(`${followed.name} waits: ${limit} logs are followed already (--max-log-requests)`)
      this.#waiting.add(followed)
      return
    }
    this.#open += 1
    void this.#read(followed)
  }

  async #read(followed: FollowedLog): Promise<void> {
    const { beginning } = followed
    if (beginning) this.#options.printer.say(beginning)
    if (await followed.open(this.#options, this.#signal)) await this.#copy(followed)
    else this.#closed()
  }

  /** What comes of a log that is open, to its end. */
  async #copy(followed: FollowedLog): Promise<void> {
    try {
      await followed.copyTo(this.#options.printer)
    } catch (cause) {
      // Nothing can be written any more, or it was interrupted.
      if (!this.#signal.aborted) this.#end.abort(new Failed('following logs failed', { cause }))
    }
    this.#closed()
  }

  #closed(): void {
    this.#open -= 1
    const [next] = this.#waiting
    if (next) {
      this.#waiting.delete(next)
      this.#start(next)
    }
    this.#act()
  }

  /** A connection that broke, or a container that has ended and whose status does not say so yet. */
  async #reopen(followed: FollowedLog): Promise<void> {
    this.#reopening.add(followed)
    await delay(REOPEN_MS, undefined, { signal: this.#signal }).catch(() => {})
    this.#reopening.delete(followed)
    // By now another run may have begun: that is no matter of going on.
    if (followed.breaksOff && !followed.hasNewRun && !this.#signal.aborted) this.#start(followed)
    else this.#act()
  }
}

/** Why following ended early. */
class Failed extends Error {}

const keyOf = ({ pod, container }: Log): string => `${pod.metadata.uid}/${container}`
