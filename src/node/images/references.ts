/**
 * Which name means which image: one small file for each name under `refs`, replaced atomically, so that processes that
 * write different names never meet. Knows nothing of layers.
 */
import { createHash, randomBytes } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isCode } from './blobs.ts'

export interface ReferenceRecord {
  /** The full name: `registry/repository:tag`, `registry/repository@digest`, or the bare digest of an unnamed image. */
  canonical: string
  /** As the user wrote it; empty for an image without a name. */
  shown: string
  /** Digest of the manifest. */
  manifest: string
  /** What the name meant at the registry where that is not the manifest: the digest of the index. */
  digest?: string
  /** Digest of the config: the image's id. */
  config: string
}

export interface References {
  get(canonical: string): Promise<ReferenceRecord | undefined>
  /** Sorted by full name. */
  list(): Promise<ReferenceRecord[]>
  put(record: ReferenceRecord): Promise<void>
  delete(canonical: string): Promise<void>
}

export function openReferences(directory: string): References {
  const folder = join(directory, 'refs')
  const fileOf = (canonical: string) => join(folder, `${createHash('sha256').update(canonical).digest('hex')}.json`)
  return {
    get: (canonical) => read(fileOf(canonical)),
    async list() {
      const names = await readdir(folder).catch((error: unknown) => {
        if (isCode(error, 'ENOENT')) return []
        throw error
      })
      const records = await Promise.all(names.filter((name) => name.endsWith('.json')).map((name) => read(join(folder, name))))
      return records.filter((record) => record !== undefined).sort((a, b) => (a.canonical < b.canonical ? -1 : 1))
    },
    async put(record) {
      await mkdir(folder, { recursive: true })
      const partial = join(folder, `${process.pid}-${randomBytes(6).toString('hex')}.partial`)
      try {
        await writeFile(partial, `${JSON.stringify(record)}\n`)
        await rename(partial, fileOf(record.canonical))
      } finally {
        await rm(partial, { force: true })
      }
    },
    delete: (canonical) => rm(fileOf(canonical), { force: true }),
  }
}

async function read(file: string): Promise<ReferenceRecord | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as ReferenceRecord
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined
    throw error
  }
}
