/** What servers have, kept in files: one for each server and root. A file that cannot be read or written is no failure: the server is asked. */
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CachedRoot, DiscoveryCache } from './discovery.ts'

/** Grows when the form of the files changes. */
const FORM = 1

/** `server` is its address and certificate authority: another cluster at the same address is another server. */
export function createDiscoveryCache(directory: string, server: { server: string; ca?: string }): DiscoveryCache {
  const key = createHash('sha256')
    .update(`${FORM} ${server.server} ${server.ca ?? ''}`)
    .digest('hex')
    .slice(0, 24)
  const fileOf = (root: string) => join(directory, `${key}${root.replaceAll('/', '-')}.json`)
  return {
    read(root) {
      try {
        return JSON.parse(readFileSync(fileOf(root), 'utf8')) as CachedRoot
      } catch {
        // Not there yet, or not ours: the server knows.
        return undefined
      }
    },
    write(root, known) {
      const file = fileOf(root)
      const fresh = `${file}.${process.pid}`
      try {
        mkdirSync(directory, { recursive: true, mode: 0o700 })
        writeFileSync(fresh, JSON.stringify(known), { mode: 0o600 })
        renameSync(fresh, file)
      } catch {
        // A home that cannot be written only costs time.
      }
    },
  }
}

/** Where a user's caches lie; undefined when the environment names no such place. */
export function cacheDirectory(env: NodeJS.ProcessEnv): string | undefined {
  const base = env.XDG_CACHE_HOME || (env.HOME && join(env.HOME, '.cache'))
  return base ? join(base, 'skiff', 'discovery') : undefined
}
