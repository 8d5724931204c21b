/**
 * Puts files into a directory so that a reader sees either all old or all new ones: contents lie in a dated directory, the
 * link `..data` points to it and is swapped by one rename, and every visible name is a link through `..data`. Containers
 * and kubelets agree on this layout; programs watch `..data` for changes.
 */
import { randomBytes } from 'node:crypto'
import { chmod, chown, mkdir, readdir, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Payload } from './payload.ts'

const DATA = '..data'

export interface FileOwner {
  uid?: number
  /** Files are made readable for this group, directories are given to it. */
  gid?: number
}

/** `nowMs` only names the directory. */
export async function writeAtomically(directory: string, payload: Payload, owner: FileOwner, nowMs: number): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o755 })
  const before = await readlink(join(directory, DATA)).catch(() => undefined)
  const stamp = new Date(nowMs).toISOString().slice(0, 19).replace(/[-T:]/g, '_')
  const dated = `..${stamp}.${randomBytes(5).toString('hex')}`
  await writeFiles(join(directory, dated), payload, owner)
  const temporary = join(directory, '..data_tmp')
  await rm(temporary, { force: true })
  await symlink(dated, temporary)
  await rename(temporary, join(directory, DATA))
  await link(directory, payload)
  if (before) await rm(join(directory, before), { recursive: true, force: true })
}

async function writeFiles(directory: string, payload: Payload, owner: FileOwner): Promise<void> {
  await mkdir(directory, { mode: 0o755 })
  await give(directory, owner, 0o755)
  for (const [path, { data, mode }] of payload) {
    const file = join(directory, path)
    if (dirname(file) !== directory) await mkdir(dirname(file), { recursive: true, mode: 0o755 })
    await writeFile(file, data, { mode })
    // The mode is exact, whatever the umask; a group that owns the volume can read it.
    await chmod(file, owner.gid === undefined ? mode : mode | 0o440)
    await give(file, owner)
  }
}

async function give(path: string, { uid, gid }: FileOwner, mode?: number): Promise<void> {
  if (mode !== undefined) await chmod(path, mode)
  if (uid !== undefined || gid !== undefined) await chown(path, uid ?? process.getuid?.() ?? 0, gid ?? process.getgid?.() ?? 0)
}

/** Makes the visible names: new ones after the swap, and takes away those that lead nowhere now. */
async function link(directory: string, payload: Payload): Promise<void> {
  const wanted = new Set([...payload.keys()].map((path) => path.split('/')[0] ?? path))
  const present = new Set((await readdir(directory)).filter((name) => !name.startsWith('..')))
  for (const name of wanted) if (!present.has(name)) await symlink(join(DATA, name), join(directory, name))
  for (const name of present) if (!wanted.has(name)) await rm(join(directory, name), { force: true })
}
