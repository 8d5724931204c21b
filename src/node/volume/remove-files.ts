/** Removes what containers wrote, also where they ran as further users of a normal user, whose files only such a user may remove. */
import { execFile } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)
/** In a user namespace with all ids that the user was given, where it is root over them. */
const AS_ALL = ['--user', '--map-root-user', '--map-auto', '--', 'rm', '-rf', '--']

/** Nothing there is fine. */
export async function removeFiles(directory: string): Promise<void> {
  try {
    await rm(directory, { recursive: true, force: true })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const isForbidden = code === 'EACCES' || code === 'EPERM'
    if (!isForbidden || process.platform !== 'linux' || process.getuid?.() === 0) throw error
    await run('unshare', [...AS_ALL, directory])
  }
}
