/**
 * Measures what this node's containers use, when somebody asks and only then. The looks of the last questions are kept for a minute, as
 * what the next answer is compared with; who asks first waits until there are two.
 */
import type { NodeUsage, PodUsage, Usage } from '../../api/usage.ts'
import { type Clock, delay } from '../../base/clock.ts'
import type { Runtime, SandboxState, Stats } from '../runtime/runtime.ts'
import type { SandboxView } from '../sources/sandbox-view.ts'
import { type Look, MAX_WINDOW_MS, MIN_WINDOW_MS, nextLook, usageOf } from './rate.ts'

/** The machine's, among the containers' ids. */
const HOST = ''

/** By so much a timer may be early on the wall clock. */
const TIMER_SLACK_MS = 20

interface Round {
  usage: NodeUsage
  /** What has nothing yet to be compared with was left out. */
  isComplete: boolean
}

export class UsageMeter {
  readonly #runtime: Runtime
  readonly #sandboxes: SandboxView
  readonly #clock: Clock
  #looks = new Map<string, Look>()
  #cancelForgetting = () => {}

  constructor(options: { runtime: Runtime; sandboxes: SandboxView; clock: Clock }) {
    this.#runtime = options.runtime
    this.#sandboxes = options.sandboxes
    this.#clock = options.clock
  }

  /** Of all pods, or of those with these uids. Rejects when the signal aborts. */
  async usage(pods: ReadonlySet<string> | undefined, signal: AbortSignal): Promise<NodeUsage> {
    const first = await this.#round(pods)
    if (first.isComplete) return first.usage
    await delay(this.#clock, MIN_WINDOW_MS + TIMER_SLACK_MS, signal)
    return (await this.#round(pods)).usage
  }

  stop(): void {
    this.#cancelForgetting()
    this.#looks.clear()
  }

  async #round(wanted: ReadonlySet<string> | undefined): Promise<Round> {
    const known = await this.#sandboxes.fresh()
    const newest: SandboxState[] = []
    for (const [uid, [sandbox]] of known) if (sandbox?.state === 'Ready' && (wanted?.has(uid) ?? true)) newest.push(sandbox)
    const [host, ...stats] = await Promise.all([
      this.#runtime.hostStats(),
      ...newest.map(async (sandbox) => ({ sandbox, ...(await this.#runtime.stats(sandbox.id)) })),
    ])
    let isComplete = true
    const measure = (id: string, each: Stats, atMs: number): Usage | undefined => {
      const before = this.#looks.get(id)
      const usage = usageOf(each, atMs, before)
      this.#looks.set(id, nextLook(each, atMs, before))
      return usage
    }
    const pods = stats.map(({ sandbox, timestampMs, containers }): PodUsage => {
      const { namespace, name, uid, createdAtMs } = sandbox
      const used = containers.flatMap((container) => {
        const usage = measure(container.id, container, timestampMs)
        return usage ? [{ name: container.name, startedAtMs: container.startedAtMs, ...usage }] : []
      })
      if (used.length < containers.length) isComplete = false
      // A part of a pod would look like the whole of it.
      return { namespace, name, uid, startedAtMs: createdAtMs, containers: used.length === containers.length ? used : [] }
    })
    const { startedAtMs, memoryAvailableBytes } = host
    const machine = measure(HOST, host, host.timestampMs)
    // Who asks for certain pods does not wait for the machine.
    if (!machine && !wanted?.size) isComplete = false
    this.#forgetLater()
    return { usage: { node: { ...(machine ?? unmeasured(host)), startedAtMs, memoryAvailableBytes }, pods }, isComplete }
  }

  /** What nobody asked about for a while says nothing of the present: of ended containers, nothing is ever asked again. */
  #forgetLater(): void {
    this.#cancelForgetting()
    const atMs = this.#clock.now()
    for (const [id, look] of this.#looks) if (atMs - look.atMs > MAX_WINDOW_MS) this.#looks.delete(id)
    this.#cancelForgetting = this.#clock.after(MAX_WINDOW_MS, () => this.#looks.clear(), { unref: true })
  }
}

function unmeasured({ timestampMs, cpuNanoSeconds, memoryBytes }: Stats & { timestampMs: number }): Usage {
  return { timestampMs, windowMs: 0, cpuNanoCores: 0, cpuNanoSeconds, memoryBytes }
}
