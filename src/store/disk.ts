/** The disk driver: the same index as in memory, read in full at the start, and a journal that commits every batch to LMDB first. */
import { assembleStore, createIndex, FIRST_REVISION, type StoreOptions } from './assemble.ts'
import { type Claim, claimDirectory } from './disk-claim.ts'
import { type DiskDatabase, openDatabase } from './disk-database.ts'
import { checkFiles, checkFormat, makeDirectory, markFormat, syncDirectory } from './disk-directory.ts'
import { StoreUnavailable } from './errors.ts'
import type { Journal } from './journal.ts'
import type { Store } from './store.ts'

/**
 * Opens the store in `directory`, made if it is not there. Revisions go on from where they were; history does not:
 * watches can begin at the newest revision. Throws StoreUnavailable when the directory is in use by another process,
 * of another format, not accessible, damaged, or on a full disk. The caller closes the store to let go of the directory.
 */
export async function openDiskStore(directory: string, options: StoreOptions = {}): Promise<Store> {
  let claim: Claim | undefined
  let database: DiskDatabase | undefined
  try {
    checkFormat(directory)
    makeDirectory(directory)
    claim = claimDirectory(directory)
    checkFiles(directory)
    markFormat(directory)
    database = openDatabase(directory)
    syncDirectory(directory)
    const index = createIndex(database.revision ?? FIRST_REVISION, options)
    for (const entry of database.entries()) index.load(entry)
    return assembleStore(index, journalOf(database, claim))
  } catch (error) {
    await database?.close()
    claim?.release()
    if (error instanceof StoreUnavailable) throw error
    throw new StoreUnavailable(`cannot open data directory ${directory}: ${(error as Error).message}`, { cause: error })
  }
}

function journalOf(database: DiskDatabase, claim: Claim): Journal {
  return {
    commit: (events) => database.commit(events),
    gather: (run) => setImmediate(run),
    async close() {
      await database.close()
      claim.release()
    },
  }
}
