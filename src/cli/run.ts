/** `skiff run`: makes what runs images. What runs once is followed to its end; its exit code is the command's. */
import { isNotFound } from '../api/status.ts'
import { CommandError, type Io, writeLine } from './io.ts'
import { createPinner } from './pin.ts'
import { PIN_MODES, type PinMode } from './pin-modes.ts'
import { parseOutput } from './print-objects.ts'
import { FlagValues } from './run/container.ts'
import { createPlanned, printMade, readDryRun, showPlanned } from './run/create.ts'
import { CONTAINER_FLAGS, IMAGE, RUN_FLAGS } from './run/flags.ts'
import { followToEnd } from './run/follow.ts'
import { refuseMissingTerminal, runAttached } from './run/interactive.ts'
import { planRun, type RunPlan } from './run/plan.ts'
import { watchedOf } from './run/pod-progress.ts'
import { readWords, type Words } from './run/words.ts'
import type { GlobalOptions, Place } from './session.ts'

/** Throws CommandError. */
export function readRunWords(words: readonly string[]): Words {
  return readWords(words, [IMAGE, ...CONTAINER_FLAGS, ...RUN_FLAGS])
}

export async function runRun(words: Words, options: GlobalOptions, io: Io, place: Place): Promise<number> {
  const flags = new FlagValues(words.all)
  const output = flags.last('output')
  const format = parseOutput(output)
  const dryRun = readDryRun(flags.last('dry-run'))
  const { plan, consumed } = await planOf(words, dryRun !== undefined, io, place)
  await createPinner(readPin(flags.last('pin')), io, place).object(plan.object)
  if (dryRun) {
    await showPlanned(plan, dryRun, output, place, io)
    return 0
  }
  refuseMissingTerminal(plan.attached, io)
  const made = await createPlanned(plan, place)
  await consumed?.()
  if (format.form !== 'table') await printMade([made], format, '', io)
  return new Run(plan, options, place, io).go(format.form !== 'table')
}

/** A name with a kind is that of a draft. */
async function planOf(
  words: Words,
  isLook: boolean,
  io: Io,
  place: Place,
): Promise<{ plan: RunPlan; consumed?: () => Promise<void> }> {
  const [name, ...more] = words.names
  if (!name?.includes('/')) return { plan: planRun(words, { namespace: place.namespace, env: io.env, random: Math.random }) }
  if (more.length > 0) throw new CommandError(`one draft at a time: ${words.names.join(', ')}`)
  const { planDraft } = await import('./drafts/run-draft.ts')
  return planDraft(name, words, isLook, io, place)
}

function readPin(text: string | undefined): PinMode | undefined {
  const mode = PIN_MODES.find((one) => one === text)
  if (text !== undefined && !mode) throw new CommandError(`--pin takes ${PIN_MODES.join(', ')}, not ${JSON.stringify(text)}`)
  return mode
}

class Run {
  readonly #plan: RunPlan
  readonly #place: Place
  readonly #io: Io
  readonly #handle: string
  /** The command that deletes everything that was made. */
  readonly #removal: string

  constructor(plan: RunPlan, options: GlobalOptions, place: Place, io: Io) {
    this.#plan = plan
    this.#place = place
    this.#io = io
    this.#handle = `${plan.as}/${plan.name}`
    const program = io.env.SKIFF_AS_PLUGIN ? 'kubectl skiff' : 'skiff'
    this.#removal = `${program} delete ${this.#handle}${options.namespace ? ` -n ${options.namespace}` : ''}`
  }

  async go(isQuiet: boolean): Promise<number> {
    const { once, detach, remove } = this.#plan
    if (!once || detach) {
      if (!isQuiet) writeLine(this.#io.stdout, `${this.#handle} created; to delete it all: ${this.#removal}`)
      return 0
    }
    if (remove) return this.#removedAfter(() => this.#toEnd())
    try {
      return (await this.#toEnd()) ?? this.#left()
    } finally {
      writeLine(this.#io.stderr, `to delete it all: ${this.#removal}`)
    }
  }

  async #toEnd(): Promise<number | undefined> {
    const { as, name, attached, containers } = this.#plan
    const watched = watchedOf(as === 'job' ? 'job' : 'pod', name)
    if (attached) return runAttached(watched, attached, containers, this.#io, this.#place)
    return followToEnd(watched, containers, this.#io, this.#place)
  }

  #left(): number {
    writeLine(this.#io.stderr, `left running; to join it again: skiff attach -it ${this.#handle}`)
    return 0
  }

  /** However it ends. Where this fails, the cluster does it some time after the end. */
  async #removedAfter(work: () => Promise<number | undefined>): Promise<number> {
    try {
      return (await work()) ?? 0
    } finally {
      await this.#remove()
    }
  }

  async #remove(): Promise<void> {
    const { resource, name } = this.#plan
    const { client, namespace } = this.#place
    try {
      await client.delete(resource, name, { namespace, propagationPolicy: 'Background' })
    } catch (error) {
      // It may be gone already; whatever else went wrong, the exit code is still to be told.
      if (!isNotFound(error))
        writeLine(
          this.#io.stderr,
          `${this.#handle} is left to the cluster, which removes it after its end: ${(error as Error).message}`,
        )
    }
  }
}
