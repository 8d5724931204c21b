/**
 * A process that writes to the store in its first argument until it is killed, and says on stdout what it is about to
 * write (`try writer step`) and what was acknowledged (`ack writer step revision`).
 */
import { writeSync } from 'node:fs'
import { openDiskStore } from '../../src/store/disk.ts'
import type { Entry, Store } from '../../src/store/store.ts'
import { trioOf, valueAt, WRITERS } from './crash-trio.ts'

const store = await openDiskStore(process.argv[2]!)
const say = (line: string) => writeSync(1, `${line}\n`)

function put(store: Store, key: string, value: Buffer | undefined): Promise<Entry> | undefined {
  const current = store.get(key)
  const encode = () => ({ value: value ?? Buffer.alloc(0) })
  if (!current) return value && store.create(key, encode)
  return value ? store.update(key, current.revision, encode) : store.delete(key, current.revision, encode)
}

async function writeTrios(writer: number): Promise<void> {
  const [counter, left, right] = trioOf(writer)
  for (let step = Number(store.get(counter)?.value ?? 0) + 1; ; step++) {
    say(`try ${writer} ${step}`)
    await Promise.all([
      put(store, left, valueAt(step)),
      put(store, counter, Buffer.from(String(step))),
      put(store, right, valueAt(step)),
    ])
    say(`ack ${writer} ${step} ${store.get(counter)!.revision}`)
  }
}

await Promise.all(Array.from({ length: WRITERS }, (_, writer) => writeTrios(writer)))
