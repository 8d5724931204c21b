/**
 * Content by digest on disk: `blobs/sha256/<hex>`, written through a staging directory and linked into place, so that a
 * reader sees whole blobs only and any number of processes may write the same one. Knows nothing of images.
 */
import { createHash, randomBytes } from 'node:crypto'
import { createReadStream, createWriteStream, readdirSync } from 'node:fs'
import { link, mkdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'

export interface BlobSource {
  /** Where the bytes of a digest lie. */
  path(digest: string): string
}

export interface Blobs extends BlobSource {
  has(digest: string): Promise<boolean>
  readJson<T>(digest: string): Promise<T>
  stage(): Promise<Staging>
}

export interface Staging extends BlobSource {
  readonly directory: string
  /** Throws when the content is not what `expected` says, or larger than its size. */
  add(content: AsyncIterable<Uint8Array> | Uint8Array, expected?: { digest: string; size?: number }): Promise<StoredBlob>
  addJson(document: unknown): Promise<StoredBlob>
  /** Takes a blob that is already stored along, so that no removal by another process can take it away. */
  keep(digest: string): Promise<boolean>
  /** Of a staged blob, in bytes. */
  size(digest: string): Promise<number>
  /** Forgets a staged blob. */
  drop(digest: string): Promise<void>
  /** Makes every staged blob present. Called again after the references are written, it undoes a removal in between. */
  place(): Promise<void>
  dispose(): Promise<void>
}

export interface StoredBlob {
  digest: string
  size: number
}

export class DigestMismatch extends Error {
  override name = 'DigestMismatch'
}

/** `directory` is the image store's own; blobs go under `blobs/sha256`, unfinished work under `tmp`. */
export function openBlobs(directory: string): Blobs {
  const final = join(directory, 'blobs', 'sha256')
  const path = (digest: string) => join(final, hexOf(digest))
  return {
    path,
    has: (digest) => exists(path(digest)),
    readJson: async <T>(digest: string) => JSON.parse(await readFile(path(digest), 'utf8')) as T,
    async stage() {
      await mkdir(final, { recursive: true })
      return openStaging(await temporaryDirectory(directory), final)
    },
  }
}

/** A fresh directory under `tmp`, named for this process; what dead processes left there is removed first. */
export async function temporaryDirectory(directory: string): Promise<string> {
  const parent = join(directory, 'tmp')
  await mkdir(parent, { recursive: true })
  for (const name of readdirSync(parent)) {
    const owner = Number.parseInt(name, 10)
    if (owner !== process.pid && !isAlive(owner)) await rm(join(parent, name), { recursive: true, force: true })
  }
  const made = join(parent, `${process.pid}-${randomBytes(6).toString('hex')}`)
  await mkdir(made)
  return made
}

export function hexOf(digest: string): string {
  const match = /^sha256:([0-9a-f]{64})$/.exec(digest)
  if (!match) throw new Error(`unsupported digest ${JSON.stringify(digest)}: only sha256 is known`)
  return match[1]!
}

/** Passes `source` on and feeds every chunk to `seen`. */
export async function* observed(
  source: AsyncIterable<Uint8Array>,
  seen: (chunk: Uint8Array) => void,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    seen(chunk)
    yield chunk
  }
}

function openStaging(directory: string, final: string): Staging {
  const staged = new Map<string, number>()
  let counter = 0
  const path = (digest: string) => join(directory, hexOf(digest))
  const staging: Staging = {
    directory,
    path,
    async add(content, expected) {
      const partial = join(directory, `partial-${counter++}`)
      const hash = createHash('sha256')
      let size = 0
      const source = content instanceof Uint8Array ? one(content) : content
      const measured = observed(source, (chunk) => {
        hash.update(chunk)
        size += chunk.length
        if (expected?.size !== undefined && size > expected.size)
          throw new DigestMismatch(`${expected.digest} is larger than the ${expected.size} bytes announced`)
      })
      await pipeline(measured, createWriteStream(partial))
      const digest = `sha256:${hash.digest('hex')}`
      if (expected !== undefined && expected.digest !== digest)
        throw new DigestMismatch(`content has digest ${digest}, expected ${expected.digest}`)
      await rename(partial, path(digest))
      staged.set(digest, size)
      return { digest, size }
    },
    addJson: (document) => staging.add(Buffer.from(JSON.stringify(document))),
    async keep(digest) {
      if (staged.has(digest)) return true
      const source = join(final, hexOf(digest))
      try {
        await link(source, path(digest))
      } catch (error) {
        if (isCode(error, 'ENOENT')) return false
        throw error
      }
      staged.set(digest, (await stat(source)).size)
      return true
    },
    size: async (digest) => staged.get(digest) ?? (await stat(path(digest))).size,
    async drop(digest) {
      staged.delete(digest)
      await rm(path(digest), { force: true })
    },
    async place() {
      for (const [digest, size] of staged) await placeBlob(path(digest), join(final, hexOf(digest)), size)
    },
    dispose: () => rm(directory, { recursive: true, force: true }),
  }
  return staging
}

/** A blob of the wrong size is what a power failure left, and is replaced. */
async function placeBlob(staged: string, target: string, size: number): Promise<void> {
  try {
    await link(staged, target)
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error
    const present = await stat(target).catch(() => undefined)
    if (present?.size === size) return
    const spare = `${staged}-again`
    await link(staged, spare)
    await rename(spare, target)
  }
}

async function* one(content: Uint8Array): AsyncGenerator<Uint8Array> {
  yield content
}

export async function exists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    if (isCode(error, 'ENOENT')) return false
    throw error
  }
}

export function isCode(error: unknown, ...codes: string[]): boolean {
  return codes.includes((error as NodeJS.ErrnoException | null)?.code ?? '')
}

export function readBlob(source: BlobSource, digest: string): AsyncIterable<Uint8Array> {
  return createReadStream(source.path(digest))
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return isCode(error, 'EPERM')
  }
}
