/** emptyDir volumes: a directory, or memory (tmpfs) where this process may mount. */
import { execFile } from 'node:child_process'
import { chmod, chown, mkdir, readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { parseQuantity, quantityValue } from '../../api/quantity.ts'
import type { EmptyDirVolumeSource } from '../../api/types.ts'
import { VolumeError } from './payload.ts'

const run = promisify(execFile)

/** Answers a sentence for the user when what was asked for could not be had in full. */
export async function prepareEmptyDir(
  path: string,
  source: EmptyDirVolumeSource,
  fsGroup: number | undefined,
): Promise<string | undefined> {
  const medium = source.medium ?? ''
  if (medium !== '' && medium !== 'Memory') throw new VolumeError(`emptyDir medium ${medium} is not supported by this node`)
  await mkdir(path, { recursive: true })
  let notice: string | undefined
  if (medium === 'Memory') notice = await mountMemory(path, source.sizeLimit)
  await chmod(path, 0o777)
  if (fsGroup !== undefined) {
    await chown(path, process.getuid?.() ?? 0, fsGroup)
    await chmod(path, 0o2777)
  }
  return notice
}

async function mountMemory(path: string, sizeLimit: string | undefined): Promise<string | undefined> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) {
    return 'medium Memory needs root on Linux: the volume lies on disk'
  }
  if (await isMountPoint(path)) return undefined
  const size = sizeLimit ? [`size=${quantityValue(parseQuantity(sizeLimit))}`] : []
  try {
    await run('mount', ['-t', 'tmpfs', '-o', ['mode=0777', ...size].join(','), 'tmpfs', path])
  } catch (error) {
    return `medium Memory: the volume lies on disk: ${(error as Error).message.trim()}`
  }
  return undefined
}

/** Mount points below a directory, the deepest first. */
async function mountPointsBelow(directory: string): Promise<string[]> {
  const table = await readFile('/proc/self/mountinfo', 'utf8').catch(() => '')
  const points = table.split('\n').map((line) => decodeOctal(line.split(' ')[4] ?? ''))
  return points.filter((point) => point.startsWith(`${directory}/`)).sort((a, b) => b.length - a.length)
}

async function isMountPoint(path: string): Promise<boolean> {
  return (await mountPointsBelow(path.slice(0, path.lastIndexOf('/')))).includes(path)
}

function decodeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8)))
}

/** Undoes every mount below a directory, so that removing it removes only what lies in it. */
export async function unmountBelow(directory: string): Promise<void> {
  for (const point of await mountPointsBelow(directory)) await run('umount', ['-l', point])
}
