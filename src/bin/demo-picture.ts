/** The share of each version over time, drawn with characters. Pure: samples in, lines out. */
import type { Sample } from './demo-load.ts'

const MARKS = ['░', '█', '▓']
const FAILURE_MARK = 'x'
const HEIGHT = 6
const MARGIN = 10
const MAX_COLUMNS = 100

export function drawTimeline(
  samples: readonly Sample[],
  { columns, versions }: { columns: number; versions: readonly string[] },
): string[] {
  const width = Math.max(10, Math.min(columns, MAX_COLUMNS) - MARGIN)
  const endMs = Math.max(1, ...samples.map((sample) => sample.atMs))
  const slots: Sample[][] = Array.from({ length: width }, () => [])
  for (const sample of samples) slots[Math.min(width - 1, Math.floor((sample.atMs / endMs) * width))]?.push(sample)
  const stacks = slots.map((slot) => stack(slot, versions))
  const rows = Array.from({ length: HEIGHT }, (_, row) => {
    const label = row === 0 ? '100 %' : row === HEIGHT - 1 ? '0 %' : ''
    return `${label.padStart(7)} │${stacks.map((marks) => marks[HEIGHT - 1 - row] ?? ' ').join('')}`
  })
  const legend = versions.map(
    (version, i) => `${MARKS[i % MARKS.length]} ${version}: ${samples.filter((s) => s.version === version).length}`,
  )
  return [
    '\nWho answered, over time:',
    ...rows,
    `${' '.repeat(8)}└${'─'.repeat(width)}`,
    `${' '.repeat(9)}0 s${`${(endMs / 1000).toFixed(1)} s`.padStart(width - 3)}`,
    `${' '.repeat(9)}${legend.join('   ')}   ${FAILURE_MARK} failed: ${samples.filter((s) => s.failure !== undefined).length}`,
  ]
}

/** One column from the bottom up: each version's share in marks, and at least one mark for any failure. */
function stack(slot: readonly Sample[], versions: readonly string[]): string[] {
  if (slot.length === 0) return []
  const marks: string[] = []
  let counted = 0
  versions.forEach((version, i) => {
    counted += slot.filter((sample) => sample.version === version).length
    while (marks.length < Math.round((counted / slot.length) * HEIGHT)) marks.push(MARKS[i % MARKS.length] as string)
  })
  if (counted < slot.length) {
    while (marks.length < HEIGHT) marks.push(FAILURE_MARK)
    marks[HEIGHT - 1] = FAILURE_MARK
  }
  return marks
}
