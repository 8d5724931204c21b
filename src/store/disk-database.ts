/**
 * The disk driver's LMDB database: one record per key, its version being the entry's revision, and one record that
 * carries the store's revision. The only file that knows LMDB; it is loaded when a first database is opened.
 */
import { createRequire } from 'node:module'
import type { RootDatabase, RootDatabaseOptionsWithPath } from 'lmdb'
import { isFull } from './disk-directory.ts'
import { StoreUnavailable, WriteFailed } from './errors.ts'
import type { Entry, StoreEvent } from './store.ts'

export interface DiskDatabase {
  /** The revision of the newest batch; undefined for a database that was never written. */
  readonly revision: number | undefined
  entries(): Iterable<Entry>
  /** Keeps all of the events, or rejects with WriteFailed and keeps none. One call at a time. */
  commit(events: readonly StoreEvent[]): Promise<void>
  close(): Promise<void>
}

/** The record of the store's revision. It has no slash, so it is no key of the store. */
const REVISION_RECORD = 'revision'
const NOTHING = Buffer.alloc(0)
const ENOSPC = 28
/** The store holds secrets. */
const OWNER_ONLY = 0o600

/** Throws what LMDB throws; the directory must have passed the checks of disk-directory. */
export function openDatabase(directory: string): DiskDatabase {
  // `require` gets LMDB's single bundled file, which loads in 20 ms where its ES modules take 33.
  const lmdb: typeof import('lmdb') = createRequire(import.meta.url)('lmdb')
  const options: RootDatabaseOptionsWithPath & { permissionsMode: number } = {
    path: directory,
    // Without this a directory with a dot in its name is taken for a file.
    noSubdir: false,
    encoding: 'binary',
    useVersions: true,
    // The answer to a commit means that it is on the disk, and a failed one leaves nothing behind.
    overlappingSync: false,
    // We batch ourselves, and the promises that turn batching makes are nobody's when a commit fails.
    eventTurnBatching: false,
    permissionsMode: OWNER_ONLY,
  }
  const database = lmdb.open<Buffer, string>(options)
  return new Database(lmdb.ABORT, database, directory)
}

class Database implements DiskDatabase {
  private readonly abort: typeof import('lmdb').ABORT
  private readonly database: RootDatabase<Buffer, string>
  private readonly directory: string
  /** The revision of the newest batch that is known to be kept. */
  private kept: number | undefined
  private health: 'Sound' | 'Suspect' = 'Sound'

  constructor(abort: typeof import('lmdb').ABORT, database: RootDatabase<Buffer, string>, directory: string) {
    this.abort = abort
    this.database = database
    this.directory = directory
    this.kept = this.storedRevision()
  }

  get revision(): number | undefined {
    return this.kept
  }

  *entries(): Iterable<Entry> {
    for (const { key, value, version } of this.database.getRange({ versions: true })) {
      if (key === REVISION_RECORD) continue
      if (version === undefined || version > (this.kept ?? 0))
        throw new StoreUnavailable(`${this.directory} is damaged at key ${key}`)
      yield { key, value, revision: version, decoded: undefined }
    }
  }

  async commit(events: readonly StoreEvent[]): Promise<void> {
    if (this.health === 'Suspect') this.examine()
    const revision = events.at(-1)!.entry.revision
    const { database } = this
    try {
      await database.batch(() => {
        // The batch's own promise stands for all that is in it.
        for (const { type, entry } of events) {
          if (type === 'deleted') void database.remove(entry.key)
          else void database.put(entry.key, entry.value, entry.revision)
        }
        void database.put(REVISION_RECORD, NOTHING, revision)
      })
    } catch (error) {
      this.health = 'Suspect'
      throw this.explain(await causeOf(error))
    }
    this.kept = revision
  }

  close(): Promise<void> {
    return this.database.close()
  }

  /**
   * After a failed commit: LMDB refuses to go on when it could not take back what it had written, and would leave a
   * commit unanswered then, so it is asked first. Throws WriteFailed until the process is started again in that case.
   */
  private examine(): void {
    try {
      this.database.transactionSync(() => this.abort)
    } catch (cause) {
      throw new WriteFailed(`the database in ${this.directory} failed; restart on a sound disk`, { cause })
    }
    if (this.storedRevision() !== this.kept) {
      throw new WriteFailed(`the disk of ${this.directory} kept a write that it had reported as failed; restart on a sound disk`)
    }
    this.health = 'Sound'
  }

  private storedRevision(): number | undefined {
    return this.database.getEntry(REVISION_RECORD)?.version
  }

  private explain(cause: Error & { code?: unknown }): WriteFailed {
    // A write that was cut short by a full disk is reported as an I/O error.
    const full = cause.code === ENOSPC || isFull(this.directory)
    const reason = full ? `the disk of ${this.directory} is full` : `cannot write to ${this.directory}: ${cause.message}`
    return new WriteFailed(reason, { cause })
  }
}

/** LMDB's binding gives the reason by a second promise, settled in the same turn as the one that failed. */
async function causeOf(error: unknown): Promise<Error> {
  const failure = error instanceof Error ? error : new Error(String(error))
  const reason = (failure as { commitError?: Promise<never> }).commitError
  const known = reason?.catch((cause: Error) => cause)
  const thisTurn = new Promise<undefined>((resolve) => {
    setImmediate(resolve, undefined)
  })
  return (await Promise.race([known, thisTurn])) ?? failure
}
