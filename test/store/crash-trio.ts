/** What the crash test and the process it kills agree on: each writer's three keys, written in one tick, so in one batch. */
export const WRITERS = 8

const PADDING = 'p'.repeat(3_000)

export function trioOf(writer: number): [counter: string, left: string, right: string] {
  return [`core/counters/w/${writer}`, `core/left/w/${writer}`, `core/right/w/${writer}`]
}

/** What the left and the right key hold at a step; every fourth step deletes them. */
export function valueAt(step: number): Buffer | undefined {
  return step % 4 === 3 ? undefined : Buffer.from(`${step} ${PADDING}`)
}
