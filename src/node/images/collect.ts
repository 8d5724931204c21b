/**
 * Takes away what no name needs any longer: blobs and unpacked layers of removed images. Safe beside other processes
 * that write: a blob is set aside first, and put back when a name that needs it has appeared meanwhile.
 */
import { link, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Manifest } from '../../registry/documents.ts'
import { type Blobs, hexOf, isCode, temporaryDirectory } from './blobs.ts'
import type { ConfigDocument } from './documents.ts'
import { layerDirectories } from './layers.ts'
import type { ReferenceRecord, References } from './references.ts'

interface Needed {
  digests: Set<string>
  directories: Set<string>
}

/** `removed` are the names just deleted. Answers the digests that are gone. */
export async function collect(
  directory: string,
  blobs: Blobs,
  references: References,
  removed: readonly ReferenceRecord[],
): Promise<string[]> {
  const candidates = await neededBy(directory, blobs, removed)
  const needed = await neededBy(directory, blobs, await references.list())
  const gone = [...candidates.digests].filter((digest) => !needed.digests.has(digest))
  const aside = await temporaryDirectory(directory)
  try {
    const moved: string[] = []
    for (const digest of gone) if (await move(blobs.path(digest), join(aside, hexOf(digest)))) moved.push(digest)
    for (const [position, path] of [...candidates.directories].entries())
      if (!needed.directories.has(path)) await move(path, join(aside, `unpacked-${position}`))
    const wanted = await wantedNow(directory, blobs, references, aside)
    const back = moved.filter((digest) => wanted.has(digest))
    for (const digest of back) {
      await link(join(aside, hexOf(digest)), blobs.path(digest)).catch((error: unknown) => {
        if (!isCode(error, 'EEXIST')) throw error
      })
    }
    return moved.filter((digest) => !wanted.has(digest))
  } finally {
    await rm(aside, { recursive: true, force: true })
  }
}

/** What the names need now; a manifest that was set aside is read from there. */
async function wantedNow(directory: string, blobs: Blobs, references: References, aside: string): Promise<Set<string>> {
  const both: Pick<Blobs, 'readJson'> = {
    async readJson<T>(digest: string): Promise<T> {
      try {
        return await blobs.readJson<T>(digest)
      } catch (error) {
        if (!isCode(error, 'ENOENT')) throw error
        const { readFile } = await import('node:fs/promises')
        return JSON.parse(await readFile(join(aside, hexOf(digest)), 'utf8')) as T
      }
    },
  }
  return (await neededBy(directory, both, await references.list())).digests
}

async function neededBy(directory: string, blobs: Pick<Blobs, 'readJson'>, records: readonly ReferenceRecord[]): Promise<Needed> {
  const needed: Needed = { digests: new Set(), directories: new Set() }
  for (const record of records) {
    const manifest = await blobs.readJson<Manifest>(record.manifest)
    const config = await blobs.readJson<ConfigDocument>(record.config)
    for (const digest of [record.manifest, record.config, ...manifest.layers.map((layer) => layer.digest)])
      needed.digests.add(digest)
    for (const path of layerDirectories(directory, record.config, config)) needed.directories.add(path)
  }
  return needed
}

async function move(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to)
    return true
  } catch (error) {
    if (isCode(error, 'ENOENT')) return false
    throw error
  }
}
