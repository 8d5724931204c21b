/** `skiff image`: prints what the image store did. */

import { age } from './age.ts'
import type { BuildOptions, ImageCommands, ImageSummary } from './host.ts'
import { CommandError, type Io, writeLine } from './io.ts'
import { formatTable } from './table.ts'

export async function buildImage(options: BuildOptions, io: Io, images: ImageCommands): Promise<number> {
  const image = await told(images.build(options))
  writeLine(io.stdout, `${image.name} ${image.digest} (${size(image.sizeBytes)})`)
  return 0
}

export async function loadImages(file: string, io: Io, images: ImageCommands): Promise<number> {
  for (const image of await told(images.load(file))) writeLine(io.stdout, `loaded ${image.name} ${image.digest}`)
  return 0
}

export async function saveImage(name: string, file: string, io: Io, images: ImageCommands): Promise<number> {
  await told(images.save(name, file))
  writeLine(io.stdout, `saved ${name} to ${file}`)
  return 0
}

export async function listImages(json: boolean, io: Io, images: ImageCommands): Promise<number> {
  const list = await told(images.list())
  if (json) writeLine(io.stdout, JSON.stringify(list, undefined, 2))
  else if (list.length === 0) writeLine(io.stderr, 'No images.')
  else io.stdout.write(formatTable(['IMAGE', 'DIGEST', 'SIZE', 'AGE'], list.map(row)))
  return 0
}

export async function removeImages(names: readonly string[], io: Io, images: ImageCommands): Promise<number> {
  for (const name of names) {
    await told(images.remove(name))
    writeLine(io.stdout, `removed ${name}`)
  }
  return 0
}

function row(image: ImageSummary): string[] {
  return [
    image.name,
    image.digest.slice(0, 19),
    size(image.sizeBytes),
    image.createdAt ? age(image.createdAt, Date.now()) : '<unknown>',
  ]
}

function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`
  const units = ['kB', 'MB', 'GB', 'TB']
  const power = Math.min(units.length, Math.floor(Math.log10(bytes) / 3))
  return `${(bytes / 1000 ** power).toFixed(1)} ${units[power - 1]}`
}

/** The store's errors are meant for the user. */
async function told<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw new CommandError((error as Error).message, 1, { cause: error })
  }
}
