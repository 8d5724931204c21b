/** Every way to have a Store, for the suites that hold for all of them. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { StoreOptions } from '../../src/store/assemble.ts'
import { openDiskStore } from '../../src/store/disk.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import type { Encode, Store } from '../../src/store/store.ts'

export interface Driver {
  name: string
  /** Why this driver cannot be tried here. */
  skip?: string
  /** A new, empty store; `close` also removes what it left behind. */
  open(options?: StoreOptions): Promise<{ store: Store; close: () => Promise<void> }>
}

export const drivers: Driver[] = [
  {
    name: 'memory',
    async open(options) {
      const store = createMemoryStore(options)
      return { store, close: () => store.close() }
    },
  },
  {
    name: 'disk',
    async open(options) {
      const directory = temporaryDirectory()
      const store = await openDiskStore(directory, options)
      return {
        store,
        async close() {
          await store.close()
          rmSync(directory, { recursive: true })
        },
      }
    },
  },
]

export function temporaryDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'skiff-store-'))
}

/** Encodes `text@revision`. */
export function text(content: string): Encode {
  return (revision) => ({ value: Buffer.from(`${content}@${revision}`) })
}

/** A small seeded generator (mulberry32) of numbers in [0, 1). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}
