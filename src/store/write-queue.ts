/**
 * The writes on their way: checks each against the state that it will meet, gives it its revision, and commits in batches
 * (whatever arrives while a batch is being made durable forms the next one). The only place that assigns revisions.
 */
import { KeyExists, KeyNotFound, RevisionMismatch, StoreUnavailable, WriteFailed } from './errors.ts'
import type { Journal } from './journal.ts'
import { checkKey } from './keys.ts'
import type { RevisionedIndex } from './revisioned-index.ts'
import type { Encode, Entry, StoreEvent } from './store.ts'

/** Writes beyond this many waiting ones are refused with WriteFailed. */
export const MAX_WAITING_WRITES = 50_000
/** Largest batch; what is beyond it waits for the next one. */
export const MAX_BATCH_WRITES = 2_000

export type WriteType = StoreEvent['type']

interface Write {
  readonly type: WriteType
  readonly key: string
  /** Ignored for `created`. */
  readonly expected: number
  readonly encode: Encode
  readonly resolve: (entry: Entry) => void
  readonly reject: (error: unknown) => void
}

interface Batch {
  readonly writes: Write[]
  /** One for each of `writes`. */
  readonly events: StoreEvent[]
  /** Refused only because of another write of this batch: they are looked at again when that one is visible. */
  readonly conflicting: Write[]
}

type QueueState = 'Idle' | 'Gathering' | 'Committing'

export class WriteQueue {
  private state: QueueState = 'Idle'
  private waiting: Write[] = []
  private closing: Promise<void> | undefined
  private whenIdle: (() => void) | undefined
  private readonly index: RevisionedIndex
  private readonly journal: Journal

  constructor(index: RevisionedIndex, journal: Journal) {
    this.index = index
    this.journal = journal
  }

  submit(type: WriteType, key: string, expected: number, encode: Encode): Promise<Entry> {
    return new Promise((resolve, reject) => {
      checkKey(key)
      if (this.closing) throw new StoreUnavailable('the store is closed')
      if (this.waiting.length >= MAX_WAITING_WRITES) throw new WriteFailed(`${MAX_WAITING_WRITES} writes are waiting already`)
      this.waiting.push({ type, key, expected, encode, resolve, reject })
      if (this.state !== 'Idle') return
      this.state = 'Gathering'
      this.journal.gather(() => this.run())
    })
  }

  /** Resolves when everything accepted so far is durable and the journal is closed. */
  close(): Promise<void> {
    this.closing ??= (async () => {
      if (this.state !== 'Idle') {
        await new Promise<void>((resolve) => {
          this.whenIdle = resolve
        })
      }
      await this.journal.close()
    })()
    return this.closing
  }

  private run(): void {
    this.state = 'Committing'
    while (this.waiting.length > 0) {
      const batch = this.form()
      const committed = batch.events.length > 0 ? this.journal.commit(batch.events) : undefined
      if (committed) {
        committed.then(
          () => this.succeed(batch),
          (error) => this.fail(batch, error),
        )
        return
      }
      this.show(batch)
    }
    this.state = 'Idle'
    this.whenIdle?.()
  }

  private succeed(batch: Batch): void {
    this.show(batch)
    this.run()
  }

  private fail(batch: Batch, error: unknown): void {
    for (const write of batch.writes) write.reject(error)
    this.retry(batch.conflicting)
    this.run()
  }

  private show(batch: Batch): void {
    if (batch.events.length > 0) this.index.commit(batch.events)
    for (let i = 0; i < batch.writes.length; i++) batch.writes[i]!.resolve(batch.events[i]!.entry)
    this.retry(batch.conflicting)
  }

  private retry(writes: readonly Write[]): void {
    if (writes.length > 0) this.waiting = [...writes, ...this.waiting]
  }

  /** Takes writes from the queue: refuses those that the visible state contradicts, and gives the others their revisions. */
  private form(): Batch {
    const taken = this.waiting.length > MAX_BATCH_WRITES ? this.waiting.splice(0, MAX_BATCH_WRITES) : this.waiting
    if (taken === this.waiting) this.waiting = []
    const batch: Batch = { writes: [], events: [], conflicting: [] }
    const pending = new Map<string, Entry | undefined>()
    let revision = this.index.revision
    for (const write of taken) {
      const visible = this.index.get(write.key)
      const current = pending.has(write.key) ? pending.get(write.key) : visible
      const refusal = refuse(write, current)
      if (refusal) {
        const visibleRefusal = current === visible ? refusal : refuse(write, visible)
        if (visibleRefusal) write.reject(visibleRefusal)
        else batch.conflicting.push(write)
        continue
      }
      const event = encode(write, current, revision + 1)
      if (!event) continue
      revision += 1
      batch.writes.push(write)
      batch.events.push(event)
      pending.set(write.key, write.type === 'deleted' ? undefined : event.entry)
    }
    return batch
  }
}

function refuse(write: Write, current: Entry | undefined): Error | undefined {
  if (write.type === 'created') return current ? new KeyExists(write.key) : undefined
  if (!current) return new KeyNotFound(write.key)
  return current.revision === write.expected ? undefined : new RevisionMismatch(write.key, write.expected, current.revision)
}

/** The event of an accepted write; undefined when its bytes could not be made, which its writer then hears. */
function encode(write: Write, previous: Entry | undefined, revision: number): StoreEvent | undefined {
  try {
    const { value, decoded } = write.encode(revision)
    // Found out here it fails one write, in the journal it would break a batch that others are in.
    if (!Buffer.isBuffer(value)) throw new TypeError(`the value for ${write.key} is not a Buffer`)
    const entry: Entry = { key: write.key, value, revision, decoded }
    return { type: write.type, entry, previous, encoded: undefined }
  } catch (error) {
    write.reject(error)
    return undefined
  }
}
