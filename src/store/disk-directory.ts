/**
 * What can be said about a data directory before LMDB opens it: whether it is ours, of which format, writable, and not
 * on a full disk. All of it is checked here because LMDB's binding takes the whole process down when an open fails.
 */
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  statfsSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { StoreUnavailable } from './errors.ts'

/** Raised whenever an older version could not read what this one writes. */
export const FORMAT = 1
const FORMAT_FILE = 'FORMAT'
const FORMAT_LINE = /^skiff store, format (\d+)\n$/

/** LMDB's own names. */
const DATA_FILE = 'data.mdb'
const LOCK_FILE = 'lock.mdb'

/** With less than this free there is no point in opening: nothing could be written, and LMDB's files might end up half-made. */
const MIN_FREE_BYTES = 2 ** 20

/** LMDB's header: the magic number and the layout's version, at these offsets of the first page. */
const MAGIC = { offset: 24, value: 0xbeefc0de }
const LAYOUT = { offset: 28, value: 2 }

/** Throws StoreUnavailable unless the directory is absent, empty of store files, or holds a store of this format. Changes nothing. */
export function checkFormat(directory: string): void {
  const path = join(directory, FORMAT_FILE)
  if (!existsSync(path)) {
    if (!existsSync(join(directory, DATA_FILE))) return
    throw new StoreUnavailable(
      `${directory} holds a database that is not skiff's (it has no ${FORMAT_FILE} file). Choose another directory`,
    )
  }
  const found = FORMAT_LINE.exec(readFileSync(path, 'utf8'))?.[1]
  if (found === undefined) throw new StoreUnavailable(`${path} is not one of skiff's. Choose another data directory`)
  if (Number(found) !== FORMAT) {
    throw new StoreUnavailable(
      `data directory ${directory} is of format ${found}, this version of skiff knows format ${FORMAT}. ` +
        'Nothing was changed: start the version that wrote it, or choose another directory',
    )
  }
}

/** Makes the directory, readable for its owner only: it will hold secrets. */
export function makeDirectory(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
}

/** Throws StoreUnavailable where LMDB could not open or write its files. */
export function checkFiles(directory: string): void {
  if (isFull(directory)) throw new StoreUnavailable(`the disk of data directory ${directory} is full. Make room and start again`)
  for (const name of [DATA_FILE, LOCK_FILE]) {
    const path = join(directory, name)
    if (!existsSync(path)) continue
    if (!statSync(path).isFile())
      throw new StoreUnavailable(`${path} is not a file. Restore it from a backup, or choose another directory`)
    accessSync(path, constants.R_OK | constants.W_OK)
  }
  checkHeader(join(directory, DATA_FILE))
}

/** Writes the format file of a new store so that it is either whole or absent after a crash. */
export function markFormat(directory: string): void {
  const path = join(directory, FORMAT_FILE)
  if (existsSync(path)) return
  writeFileSync(`${path}.new`, `skiff store, format ${FORMAT}\n`, { flush: true })
  renameSync(`${path}.new`, path)
  syncDirectory(directory)
}

/** Makes the names in the directory durable, which a file's own sync does not. */
export function syncDirectory(directory: string): void {
  const handle = openSync(directory, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

/** True when the disk of the directory has next to no room left. */
export function isFull(directory: string): boolean {
  const { bavail, bsize } = statfsSync(directory)
  return bavail * bsize < MIN_FREE_BYTES
}

function checkHeader(path: string): void {
  if (!existsSync(path) || statSync(path).size === 0) return
  const header = Buffer.alloc(32)
  const handle = openSync(path, 'r')
  try {
    readSync(handle, header, 0, header.length, 0)
  } finally {
    closeSync(handle)
  }
  if (header.readUInt32LE(MAGIC.offset) === MAGIC.value && header.readUInt16LE(LAYOUT.offset) === LAYOUT.value) return
  throw new StoreUnavailable(
    `${path} is damaged: it does not begin as a database. Restore it from a backup, or choose another directory`,
  )
}
