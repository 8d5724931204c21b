/**
 * One layer's tar written into a directory. Nothing is ever written outside it, whatever names and links the tar holds:
 * symbolic links in paths are followed as if the directory were the root. Ownership is kept when running as root; as
 * anyone else all files are the caller's. Extended attributes are not kept. Knows nothing of images or overlays.
 */
import { createHash } from 'node:crypto'
import { chmod, lchown, link, lstat, lutimes, mkdir, open, readdir, readlink, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { DigestMismatch, isCode, observed } from './blobs.ts'
import { decompressed, readTar, safeParts, type TarEntry, type TarHeader } from './tar.ts'

/** Removals a layer asks for, as paths below the root. */
export interface Whiteouts {
  removed: string[]
  /** Directories whose lower content is hidden. */
  opaque: string[]
}

const WHITEOUT = '.wh.'
const OPAQUE = '.wh..wh..opq'
const MAX_LINKS = 40

/**
 * Unpacks `layer` (gzip or plain) into `root`, which exists; what is there already is replaced entry by entry.
 * Whiteouts are not written but answered. Throws when the uncompressed bytes are not `diffId`'s.
 */
export async function unpackLayer(layer: AsyncIterable<Uint8Array>, root: string, diffId: string): Promise<Whiteouts> {
  const hash = createHash('sha256')
  const target = openTarget(root)
  const whiteouts: Whiteouts = { removed: [], opaque: [] }
  const directories: { parts: string[]; header: TarHeader }[] = []
  for await (const entry of readTar(observed(decompressed(layer), (chunk) => hash.update(chunk)))) {
    const parts = safeParts(entry.header.name)
    const name = parts.at(-1)
    if (name?.startsWith(WHITEOUT)) noteWhiteout(whiteouts, parts)
    else if (name !== undefined) {
      const path = await target.place(parts, entry.header.type === 'directory')
      await writeEntry(entry, path, target)
      if (entry.header.type === 'directory') directories.push({ parts, header: entry.header })
    } else await chmod(root, rootMode(entry.header))
  }
  // Writing into a directory changes its time, and its mode may forbid it: both are set when all is written.
  // The path is looked up again, since a later entry may have put a link in its place.
  for (const { parts, header } of directories.reverse()) {
    const path = await target.find(parts)
    if ((await lstat(path).catch(absent))?.isDirectory()) await finish(path, header)
  }
  const digest = `sha256:${hash.digest('hex')}`
  if (digest !== diffId) throw new DigestMismatch(`the layer unpacks to ${digest}, the image's config says ${diffId}`)
  return whiteouts
}

/** The removals `layer` asks for, without writing anything. */
export async function readWhiteouts(layer: AsyncIterable<Uint8Array>): Promise<Whiteouts> {
  const whiteouts: Whiteouts = { removed: [], opaque: [] }
  for await (const { header } of readTar(decompressed(layer))) {
    const parts = safeParts(header.name)
    if (parts.at(-1)?.startsWith(WHITEOUT)) noteWhiteout(whiteouts, parts)
  }
  return whiteouts
}

/** Removes from `root` what `whiteouts` names. */
export async function applyWhiteouts(whiteouts: Whiteouts, root: string): Promise<void> {
  const target = openTarget(root)
  for (const path of whiteouts.removed) await rm(await target.place(safeParts(path), true), { recursive: true, force: true })
  for (const path of whiteouts.opaque) {
    const directory = await target.place(safeParts(path), true)
    for (const name of (await readdir(directory).catch(absent)) ?? [])
      await rm(join(directory, name), { recursive: true, force: true })
  }
}

/**
 * Where overlayfs' mark for a removed path goes, its parents made; undefined when the layer itself has something there.
 * For an opaque directory: the directory, made when absent.
 */
export async function markPlace(root: string, path: string, kind: 'removed' | 'opaque'): Promise<string | undefined> {
  const target = openTarget(root)
  const parts = safeParts(path)
  if (kind === 'removed') {
    const place = await target.find(parts)
    return (await lstat(place).catch(absent)) === undefined ? place : undefined
  }
  const directory = await target.place(parts, true)
  await mkdir(directory, { recursive: true, mode: 0o755 })
  return directory
}

function noteWhiteout(whiteouts: Whiteouts, parts: string[]): void {
  const parent = parts.slice(0, -1)
  const name = parts.at(-1)!
  if (name === OPAQUE) whiteouts.opaque.push(parent.join('/'))
  // Other names with the doubled prefix are AUFS's own bookkeeping.
  else if (['', '.', '..'].includes(name.slice(WHITEOUT.length)))
    throw new Error(`refused whiteout ${JSON.stringify(parts.join('/'))}`)
  else if (!name.startsWith(WHITEOUT + WHITEOUT)) whiteouts.removed.push([...parent, name.slice(WHITEOUT.length)].join('/'))
}

interface Target {
  /** The real path for an entry, its parents made; what is in the way is removed, except a directory for a directory. */
  place(parts: readonly string[], keepDirectory: boolean): Promise<string>
  /** The real path of an existing entry, its last part not followed. */
  find(parts: readonly string[]): Promise<string>
}

function openTarget(root: string): Target {
  const known = new Set<string>(['/'])
  async function parentOf(parts: readonly string[]): Promise<string> {
    let current: string[] = []
    const rest = parts.slice(0, -1)
    for (let links = 0; rest.length > 0; ) {
      const part = rest.shift()!
      if (part === '' || part === '.') continue
      if (part === '..') {
        current.pop()
        continue
      }
      const next = [...current, part]
      const key = `/${next.join('/')}`
      if (!known.has(key)) {
        const path = join(root, ...next)
        const stats = await lstat(path).catch(absent)
        if (stats === undefined) await mkdir(path, { mode: 0o755 })
        else if (stats.isSymbolicLink()) {
          links += 1
          if (links > MAX_LINKS) throw new Error(`refused tar entry ${JSON.stringify(parts.join('/'))}: too many symbolic links`)
          const to = await readlink(path)
          if (to.startsWith('/')) current = []
          rest.unshift(...to.split('/'))
          continue
        } else if (!stats.isDirectory()) {
          throw new Error(`refused tar entry ${JSON.stringify(parts.join('/'))}: ${key} is no directory`)
        }
        known.add(key)
      }
      current = next
    }
    return join(root, ...current)
  }
  return {
    async place(parts, keepDirectory) {
      const path = parts.length === 0 ? root : join(await parentOf(parts), parts.at(-1)!)
      if (path === root) return path
      const stats = await lstat(path).catch(absent)
      if (stats === undefined || (keepDirectory && stats.isDirectory())) return path
      known.clear()
      await rm(path, { recursive: true })
      return path
    },
    find: async (parts) => join(await parentOf(parts), parts.at(-1) ?? '.'),
  }
}

async function writeEntry({ header, body }: Required<TarEntry>, path: string, target: Target): Promise<void> {
  switch (header.type ?? 'file') {
    case 'directory':
      await mkdir(path, { mode: 0o755 }).catch((error: unknown) => {
        if (!isCode(error, 'EEXIST')) throw error
      })
      return
    case 'file': {
      const file = await open(path, 'wx', 0o600)
      try {
        for await (const chunk of body) await file.writeFile(chunk)
      } finally {
        await file.close()
      }
      return finish(path, header)
    }
    case 'symlink':
      await symlink(header.linkname ?? '', path)
      return finish(path, header)
    case 'link':
      return link(await target.find(safeParts(header.linkname ?? '')), path)
    default:
      // Containers get a /dev of their own, so device files there are not missed.
      if (safeParts(header.name)[0] === 'dev') return
      throw new Error(`tar entry ${JSON.stringify(header.name)} is a ${header.type}, which is not supported in layers`)
  }
}

async function finish(path: string, header: TarHeader): Promise<void> {
  const root = process.geteuid?.() === 0
  // Made by root, it is root's already.
  if (root && (header.uid || header.gid)) {
    await lchown(path, header.uid ?? 0, header.gid ?? 0).catch((error: unknown) => {
      // An id that this user namespace does not map; the file stays the caller's.
      if (!isCode(error, 'EINVAL')) throw error
    })
  }
  const mode = header.type === 'directory' ? rootMode(header) : (header.mode ?? 0o644)
  if (header.type !== 'symlink') await chmod(path, mode)
  const time = header.mtime ?? new Date(0)
  await lutimes(path, time, time)
}

/** Directories stay writable for whoever is not root, or they could never be removed again. */
function rootMode(header: TarHeader): number {
  const mode = header.mode ?? 0o755
  return process.geteuid?.() === 0 ? mode : mode | 0o700
}

function absent(error: unknown): undefined {
  if (isCode(error, 'ENOENT')) return undefined
  throw error
}
