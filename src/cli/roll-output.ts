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
  return error instanceof RollError ? new CommandError(error.message, 1, { cause: error }) : error
}

function jsonLines(io: Io): (progress: Progress) => void {
  return (progress) => writeLine(io.stdout, JSON.stringify({ type: 'progress', ...progress }))
}

function lines(io: Io): (progress: Progress) => void {
  return ({ phase, message }) => writeLine(io.stdout, `${phase}: ${message}`)
}

function bars(io: Io): (progress: Progress) => void {
  let isDrawn = false
  return ({ old, new: next }) => {
    const total = Math.max(1, old.replicas, next.replicas, old.replicas + next.replicas)
    const width = Math.max(old.name.length, next.name.length)
    // Up two lines, and each line cleared before it is written again.
    if (isDrawn) io.stdout.write('\u001b[2A')
    for (const side of [old, next]) {
      const filled = Math.round((Math.min(side.ready, total) / total) * BAR_WIDTH)
      const bar = `${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)}`
      const line = `${side.name.padEnd(width)} ${bar} ${side.ready}/${side.replicas} ready`
      io.stdout.write(`\u001b[2K${line.slice(0, Math.max(1, io.columns - 1))}\n`)
    }
    isDrawn = true
  }
}
