/** One simulated container: its states over time, what probes are told, what its log says. */
import { type Clock, delay } from '../../../base/clock.ts'
import {
  type ContainerConfig,
  type ContainerState,
  type LogLine,
  RuntimeError,
  type SandboxConfig,
  type Stats,
} from '../runtime.ts'
import { type Behaviour, type BehaviourRule, behaviourOf } from './behaviour.ts'
import { interpret } from './commands.ts'

/** The label on which the agent says what a container is for: `init`, `sidecar` or `main`. */
const ROLE_LABEL = 'skiff.dev/container-role'
const JOB_LABEL = 'batch.kubernetes.io/job-name'
/** How long a job's container works, unless it is said. */
const JOB_RUN_MS = 100
/** What a container uses that requests nothing. */
const LEAST_NANO_CORES = 1_000_000
const LEAST_MEMORY_BYTES = 10 * 2 ** 20
const SIGTERM_CODE = 143
const SIGKILL_CODE = 137

export interface SimulatedContainerOptions {
  id: string
  config: ContainerConfig
  sandbox: SandboxConfig
  rules: readonly BehaviourRule[]
  clock: Clock
  changed: () => void
}

export class SimulatedContainer {
  state: ContainerState
  readonly config: ContainerConfig
  readonly ended: Promise<number>
  private readonly options: SimulatedContainerOptions
  private readonly behaviour: Behaviour
  private settle: (code: number) => void = () => {}
  private cancel = () => {}

  constructor(options: SimulatedContainerOptions) {
    const { config, id } = options
    this.options = options
    this.config = config
    this.behaviour = read(options)
    this.state = {
      id,
      name: config.name,
      attempt: config.attempt,
      image: config.image,
      imageId: config.imageId,
      state: 'Created',
      logPath: '',
      labels: config.labels,
    }
    this.ended = new Promise((resolve) => {
      this.settle = resolve
    })
  }

  async start(): Promise<void> {
    const { clock } = this.options
    const { startDelayMs, startError } = this.behaviour
    if (startDelayMs > 0) await delay(clock, startDelayMs)
    if (startError !== undefined) throw new RuntimeError('RunContainerError', startError)
    this.state = { ...this.state, state: 'Running', startedAtMs: clock.now() }
    const end = this.ownEnd()
    if (!end) return
    if (end.afterMs <= 0) this.end(end.code)
    else this.cancel = clock.after(end.afterMs, () => this.end(end.code), { unref: true })
  }

  /** SIGTERM takes the stop delay; SIGKILL comes when the grace is over. */
  async stop(graceMs: number): Promise<void> {
    if (this.state.state !== 'Running') return
    const { stopDelayMs } = this.behaviour
    const killed = stopDelayMs > graceMs
    const afterMs = killed ? graceMs : stopDelayMs
    if (afterMs > 0) await Promise.race([delay(this.options.clock, afterMs), this.ended])
    this.end(killed ? SIGKILL_CODE : SIGTERM_CODE)
  }

  /** Idempotent: the first end counts. */
  end(code: number): void {
    if (this.state.state === 'Exited') return
    this.cancel()
    const reason = code === 0 ? 'Completed' : 'Error'
    this.state = { ...this.state, state: 'Exited', finishedAtMs: this.options.clock.now(), exitCode: code, reason }
    this.settle(code)
    this.options.changed()
  }

  /** Ends nothing, but leaves no timer behind. */
  forget(): void {
    this.cancel()
  }

  probe(kind: 'startup' | 'readiness' | 'liveness'): { ok: boolean; message: string } {
    const age = this.options.clock.now() - (this.state.startedAtMs ?? 0)
    const { readyDelayMs, unready, unhealthyAfterMs } = this.behaviour
    if (this.state.state !== 'Running') return { ok: false, message: 'container is not running' }
    if (kind === 'liveness') {
      const ok = unhealthyAfterMs === undefined || age < unhealthyAfterMs
      return { ok, message: ok ? '' : 'simulated: unhealthy' }
    }
    const ok = !unready && age >= readyDelayMs
    return { ok, message: ok ? '' : 'simulated: not ready' }
  }

  /** The same at any time, so that who measures knows what to expect. */
  stats(): Stats {
    const { startedAtMs = 0 } = this.state
    const { cpuMillis = 0, memoryBytes = 0 } = this.config.resources?.requested ?? {}
    const cpuNanoCores = this.behaviour.cpuNanoCores ?? ((cpuMillis * 1_000_000) / 2 || LEAST_NANO_CORES)
    return {
      startedAtMs,
      cpuNanoCores,
      cpuNanoSeconds: Math.round((cpuNanoCores * (this.options.clock.now() - startedAtMs)) / 1000),
      memoryBytes: this.behaviour.memoryBytes ?? (Math.floor(memoryBytes / 2) || LEAST_MEMORY_BYTES),
    }
  }

  log(): LogLine[] {
    const { startedAtMs, finishedAtMs, exitCode } = this.state
    if (startedAtMs === undefined) return []
    const line = (timeMs: number, text: string): LogLine => ({ timeMs, stream: 'stdout', text })
    const output = interpret(this.argv(), this.context())?.output ?? ''
    const own = [...output.split('\n').slice(0, -1), ...this.behaviour.log]
    const lines = own.map((text) => line(startedAtMs, text))
    if (lines.length === 0) {
      const { namespace, name } = this.options.sandbox
      lines.push(line(startedAtMs, `simulated container ${this.config.name} of pod ${namespace}/${name} started`))
    }
    if (own.length === 0 && finishedAtMs !== undefined) lines.push(line(finishedAtMs, `ended with code ${exitCode}`))
    return lines
  }

  private argv(): readonly string[] {
    return [...(this.config.command ?? []), ...(this.config.args ?? [])]
  }

  private context() {
    return { hostname: this.options.sandbox.hostname, env: this.config.env }
  }

  /** When and how the container ends by itself: as told, else as its command says, else by what it is for. */
  private ownEnd(): { afterMs: number; code: number } | undefined {
    const { runForMs, exitCode, failures } = this.behaviour
    if (failures !== undefined && this.config.attempt >= failures) return undefined
    if (runForMs !== undefined) return { afterMs: runForMs, code: exitCode }
    const command = interpret(this.argv(), this.context())
    if (command) {
      const forever = command.copies || command.durationMs === Number.POSITIVE_INFINITY
      return forever ? undefined : { afterMs: command.durationMs, code: command.code }
    }
    if (this.config.labels[ROLE_LABEL] === 'init') return { afterMs: 0, code: 0 }
    return this.options.sandbox.labels[JOB_LABEL] ? { afterMs: JOB_RUN_MS, code: 0 } : undefined
  }
}

function read({ config, sandbox, rules }: SimulatedContainerOptions): Behaviour {
  const { namespace, labels, annotations = {} } = sandbox
  try {
    return behaviourOf({ namespace, labels, annotations, container: config.name, image: config.image }, rules)
  } catch (error) {
    throw new RuntimeError('CreateContainerConfigError', (error as Error).message, { cause: error })
  }
}
