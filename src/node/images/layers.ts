/**
 * Unpacked layers as lower directories for an overlay, made on first use and shared by all images that have the layer.
 * A layer that removes files becomes overlayfs' own marks where those can be made (root); elsewhere the image's layers
 * are merged into one directory. Knows nothing of names and registries.
 */
import { execFile } from 'node:child_process'
import { chmod, mkdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { Manifest } from '../../registry/documents.ts'
import { RuntimeError } from '../runtime/runtime.ts'
import { type Blobs, exists, hexOf, isCode, readBlob, temporaryDirectory } from './blobs.ts'
import { BASE_LABEL, type ConfigDocument } from './documents.ts'
import { applyWhiteouts, markPlace, readWhiteouts, unpackLayer, type Whiteouts } from './unpack.ts'

export interface ImageLayers {
  /** Lower directories, topmost first: the order of overlayfs' `lowerdir`. */
  directories: string[]
  /** The layers stack on the host's root file system. */
  hostBase: boolean
}

const run = promisify(execFile)

/** `id` is the config's digest. `directory` is the image store's. */
export async function prepareLayers(
  directory: string,
  blobs: Blobs,
  image: { id: string; manifest: Manifest; config: ConfigDocument },
): Promise<ImageLayers> {
  const hostBase = image.config.config?.Labels?.[BASE_LABEL] === 'host'
  const merged = join(directory, 'unpacked', `merged-${hexOf(image.id)}`)
  if (await exists(merged)) return { directories: [merged], hostBase }
  const pairs = layerPairs(image.manifest, image.config)
  const directories: string[] = []
  for (const { digest, diffId } of pairs) {
    const made = await prepareLayer(directory, blobs, digest, diffId)
    if (made === undefined) {
      if (hostBase)
        throw new RuntimeError('CreateContainerError', `image ${image.id} removes files of the host's root: ${NO_MARKS}`)
      return { directories: [await mergeLayers(directory, blobs, pairs, merged)], hostBase }
    }
    directories.unshift(made)
  }
  return { directories, hostBase }
}

/** Where the layers of an image lie unpacked, whether or not they do. */
export function layerDirectories(directory: string, id: string, config: ConfigDocument): string[] {
  const unpacked = join(directory, 'unpacked')
  return [join(unpacked, `merged-${hexOf(id)}`), ...config.rootfs.diff_ids.map((diffId) => join(unpacked, hexOf(diffId)))]
}

const NO_MARKS = 'overlay whiteouts could not be made (mknod needs root, opaque directories need setfattr)'

interface LayerPair {
  digest: string
  diffId: string
}

function layerPairs(manifest: Manifest, config: ConfigDocument): LayerPair[] {
  const diffIds = config.rootfs.diff_ids
  if (diffIds.length !== manifest.layers.length)
    throw new Error(`the manifest has ${manifest.layers.length} layers, the config ${diffIds.length}`)
  return manifest.layers.map(({ digest }, position) => ({ digest, diffId: diffIds[position]! }))
}

/** Undefined when the layer removes files and that cannot be expressed here. */
async function prepareLayer(directory: string, blobs: Blobs, digest: string, diffId: string): Promise<string | undefined> {
  const target = join(directory, 'unpacked', hexOf(diffId))
  if (await exists(target)) return target
  return unpackInto(directory, target, async (root) => {
    const whiteouts = await unpackLayer(readBlob(blobs, digest), root, diffId)
    return markWhiteouts(whiteouts, root)
  })
}

async function mergeLayers(directory: string, blobs: Blobs, pairs: readonly LayerPair[], target: string): Promise<string> {
  const made = await unpackInto(directory, target, async (root) => {
    for (const { digest, diffId } of pairs) {
      // Removals first: an opaque mark hides what is below its layer, never what the layer itself brings.
      await applyWhiteouts(await readWhiteouts(readBlob(blobs, digest)), root)
      await unpackLayer(readBlob(blobs, digest), root, diffId)
    }
    return true
  })
  return made ?? target
}

/** Fills a temporary directory and moves it to `target`; another process that was faster wins. */
async function unpackInto(
  directory: string,
  target: string,
  fill: (root: string) => Promise<boolean>,
): Promise<string | undefined> {
  const temporary = await temporaryDirectory(directory)
  try {
    const root = join(temporary, 'root')
    await mkdir(root)
    // The topmost root's mode becomes the container's, whatever the umask is here.
    await chmod(root, 0o755)
    if (!(await fill(root))) return undefined
    await mkdir(dirname(target), { recursive: true })
    await rename(root, target).catch((error: unknown) => {
      if (!isCode(error, 'EEXIST', 'ENOTEMPTY')) throw error
    })
    return target
  } finally {
    await rm(temporary, { recursive: true, force: true })
  }
}

/** Writes overlayfs' own marks: device 0:0 for a removed path, an attribute for an opaque directory. False: impossible here. */
async function markWhiteouts(whiteouts: Whiteouts, root: string): Promise<boolean> {
  if (whiteouts.removed.length === 0 && whiteouts.opaque.length === 0) return true
  if (process.platform !== 'linux' || process.geteuid?.() !== 0) return false
  try {
    for (const removed of whiteouts.removed) {
      const place = await markPlace(root, removed, 'removed')
      if (place !== undefined) await run('mknod', [place, 'c', '0', '0'])
    }
    for (const opaque of whiteouts.opaque) {
      const place = await markPlace(root, opaque, 'opaque')
      if (place !== undefined) await run('setfattr', ['-n', 'trusted.overlay.opaque', '-v', 'y', place])
    }
    return true
  } catch (error) {
    // A missing tool or a kernel that forbids it (root of a user namespace): the layers are merged instead.
    if (isCode(error, 'ENOENT') || typeof (error as { code?: unknown }).code === 'number') return false
    throw error
  }
}
