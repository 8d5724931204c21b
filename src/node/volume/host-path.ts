/** hostPath volumes: the checks and creations that their `type` asks for. */
import { type Stats, statSync } from 'node:fs'
import { mkdir, open } from 'node:fs/promises'
import { VolumeError } from './payload.ts'

/** Throws VolumeError when what is there is not what the type says. */
export async function prepareHostPath(path: string, type: string | undefined): Promise<void> {
  switch (type ?? '') {
    case '':
      return
    case 'DirectoryOrCreate':
      if (!lookAt(path)) await mkdir(path, { recursive: true, mode: 0o755 })
      return expectType(path, 'a directory', (s) => s.isDirectory())
    case 'Directory':
      return expectType(path, 'a directory', (s) => s.isDirectory())
    case 'FileOrCreate':
      if (!lookAt(path)) await (await open(path, 'a', 0o644)).close()
      return expectType(path, 'a file', (s) => s.isFile())
    case 'File':
      return expectType(path, 'a file', (s) => s.isFile())
    case 'Socket':
      return expectType(path, 'a socket file', (s) => s.isSocket())
    case 'CharDevice':
      return expectType(path, 'a character device', (s) => s.isCharacterDevice())
    case 'BlockDevice':
      return expectType(path, 'a block device', (s) => s.isBlockDevice())
    default:
      throw new VolumeError(`${type} is an invalid volume type`)
  }
}

function lookAt(path: string): Stats | undefined {
  return statSync(path, { throwIfNoEntry: false })
}

async function expectType(path: string, what: string, is: (stats: Stats) => boolean): Promise<void> {
  const stats = lookAt(path)
  if (!stats || !is(stats)) throw new VolumeError(`hostPath type check failed: ${path} is not ${what}`)
}
