/** How a roll is shown: bars that stay in place on a terminal, lines elsewhere, JSON lines for programs. */
import type { Progress, Roll, RollResult } from '../rollout/index.ts'
import { RollError } from '../rollout/index.ts'
import { CommandError, INTERRUPTED, type Io, writeLine } from './io.ts'

const EXIT_CODES: Record<RollResult['outcome'], number> = {
  done: 0,
  unchanged: 0,
  canary: 0,
  conflict: 3,
  'no-progress': 4,
  deadline: 4,
  'rolled-back': 5,
  interrupted: INTERRUPTED,
}
const BAR_WIDTH = 20

/** Follows the roll to its end. Answers the exit code. */
export async function showRoll(roll: Roll, io: Io, options: { json: boolean; hints: readonly string[] }): Promise<number> {
  const show = options.json ? jsonLines(io) : io.isTty ? bars(io) : lines(io)
  try {
    for await (const progress of roll) show(progress)
    const result = await roll.result()
    if (options.json) writeLine(io.stdout, JSON.stringify({ type: 'result', ...result }))
    else writeLine(io.stdout, result.message)
    const isOpen = ['no-progress', 'deadline', 'interrupted'].includes(result.outcome)
    if (isOpen && !options.json) for (const hint of options.hints) writeLine(io.stderr, hint)
    return EXIT_CODES[result.outcome]
  } catch (error) {
    throw told(error)
  }
}

/** A roll's refusals are meant for the user. */
export function told(error: unknown): unknown {
  return error instanceof RollError || error instanceof RangeError ? new CommandError(error.message, 1, { cause: error }) : error
}

function jsonLines(io: Io): (progress: Progress) => void {
  return (progress) => writeLine(io.stdout, JSON.stringify({ type: 'progress', ...progress }))
}

function lines(io: Io): (progress: Progress) => void {
  return ({ phase, message }) => writeLine(io.stdout, `${phase}: ${message}`)
}

function bars(io: Io): (progress: Progress) => void {
  let drawn = 0
  return (progress) => {
    const drawing = barsOf(progress)
    // Up over what is there, and each line cleared before it is written again.
    if (drawn > 0) io.stdout.write(`\u001b[${drawn}A`)
    for (const line of drawing) io.stdout.write(`\u001b[2K${line.slice(0, Math.max(1, io.columns - 1))}\n`)
    drawn = drawing.length
  }
}

/** A line for each controller: `█` ready pods of the new template, `▒` those not ready yet, `░` pods of the old one. */
export function barsOf({ phase, old, new: next, desired }: Progress): string[] {
  const total = Math.max(1, desired, old.replicas + next.replicas)
  const part = (pods: number) => Math.round((pods / total) * BAR_WIDTH)
  const ready = part(Math.min(next.ready, next.replicas))
  const updated = '█'.repeat(ready) + '▒'.repeat(Math.max(0, part(next.replicas) - ready))
  const before = '░'.repeat(part(old.replicas))
  if (old.name === next.name) {
    const bar = (updated + before).padEnd(BAR_WIDTH).slice(0, BAR_WIDTH)
    return [`${next.name} ${bar} ${next.ready} ready, ${next.replicas} updated, ${old.replicas} old  ${phase}`]
  }
  const width = Math.max(old.name.length, next.name.length)
  return [
    `${old.name.padEnd(width)} ${before.padEnd(BAR_WIDTH)} ${old.ready}/${old.replicas} ready, old`,
    `${next.name.padEnd(width)} ${updated.padEnd(BAR_WIDTH)} ${next.ready}/${next.replicas} ready  ${phase}`,
  ]
}
