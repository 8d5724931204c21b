/** `kill -9` during writes: everything that was acknowledged is there afterwards, and nothing half. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openDiskStore } from '../../src/store/disk.ts'
import type { Store } from '../../src/store/store.ts'
import { trioOf, valueAt, WRITERS } from './crash-trio.ts'
import { seeded, temporaryDirectory } from './drivers.ts'

const ROUNDS = 5

let directory: string
let child: ChildProcess | undefined

beforeEach(() => {
  directory = temporaryDirectory()
})
afterEach(() => {
  child?.kill('SIGKILL')
  rmSync(directory, { recursive: true })
})

const log = () => join(directory, 'log')

/** Starts the writer, and kills it once it has acknowledged so many steps. */
async function writeAndKill(acknowledged: number): Promise<string[]> {
  const output = openSync(log(), 'w')
  const script = join(import.meta.dirname, 'crash-writer.ts')
  child = spawn(process.execPath, ['--import', 'tsx', script, join(directory, 'store')], { stdio: ['ignore', output, 'inherit'] })
  closeSync(output)
  const exit = once(child, 'exit')
  await expect
    .poll(() => readFileSync(log(), 'utf8').split('ack').length - 1, { timeout: 15_000, interval: 5 })
    .toBeGreaterThan(acknowledged)
  child.kill('SIGKILL')
  await exit
  return readFileSync(log(), 'utf8').trim().split('\n')
}

/** The last step of each writer that was tried, and that was acknowledged. */
function stepsOf(lines: readonly string[], word: 'try' | 'ack', steps: number[]): void {
  for (const line of lines) {
    const [kind, writer, step] = line.split(' ')
    if (kind === word) steps[Number(writer)] = Number(step)
  }
}

function checkTrios(store: Store, tried: readonly number[], acknowledged: readonly number[]): void {
  for (let writer = 0; writer < WRITERS; writer++) {
    const [counter, left, right] = trioOf(writer)
    const step = Number(store.get(counter)?.value ?? 0)
    expect(step).toBeGreaterThanOrEqual(acknowledged[writer] ?? 0)
    expect(step).toBeLessThanOrEqual(tried[writer] ?? 0)
    for (const key of [left, right]) expect(store.get(key)?.value).toEqual(step === 0 ? undefined : valueAt(step))
  }
}

test(`${ROUNDS} times killed, what was acknowledged is there, whole`, { timeout: 60_000 }, async () => {
  const random = seeded(11)
  const tried: number[] = []
  const acknowledged: number[] = []
  let revision = 1
  for (let round = 0; round < ROUNDS; round++) {
    const lines = await writeAndKill(10 + Math.floor(random() * 300))
    stepsOf(lines, 'try', tried)
    stepsOf(lines, 'ack', acknowledged)
    for (const line of lines) if (line.startsWith('ack')) revision = Math.max(revision, Number(line.split(' ')[3]))
    const store = await openDiskStore(join(directory, 'store'))
    try {
      checkTrios(store, tried, acknowledged)
      expect(store.revision).toBeGreaterThanOrEqual(revision)
      revision = store.revision
      const written = await store.create(`core/rounds/${round}/done`, () => ({ value: Buffer.from('x') }))
      expect(written.revision).toBe(revision + 1)
    } finally {
      await store.close()
    }
  }
})
