/**
 * A folder with an app becomes an image: one uncompressed layer with the files under /app, and a config. Equal folders
 * give equal digests on every machine: entries are sorted, times and owners fixed, modes reduced to executable or not.
 */
import { createReadStream } from 'node:fs'
import { lstat, readdir, readFile, readlink } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { hostPlatform, MANIFEST, type Manifest } from '../../registry/documents.ts'
import type { Staging } from './blobs.ts'
import { BASE_LABEL, CONFIG, type ConfigDocument, LAYER } from './documents.ts'
import { type TarEntry, writeTar } from './tar.ts'

export interface BuildOptions {
  /** The folder; everything in it becomes part of the image. */
  directory: string
  tag: string
  entrypoint: readonly string[]
  cmd?: readonly string[]
  env?: Record<string, string>
  /** `/app` unless given. */
  workdir?: string
  /** `uid[:gid]` or a name; root unless given. */
  user?: string
  /** `8080` or `53/udp`. */
  ports?: readonly (string | number)[]
  labels?: Record<string, string>
  /** `host` (the default): the layers stack on the host's own root file system. Otherwise a stored image. */
  base?: string
}

/** A stored image to build on. */
export interface BaseImage {
  manifest: Manifest
  config: ConfigDocument
}

export const APP_DIRECTORY = '/app'
const WHOLE_FILE_BYTES = 256 * 1024
const CREATED = '1970-01-01T00:00:00Z'

/** Stages layer, config and manifest; answers the digests of config and manifest. `excluded` is never packed. */
export async function buildImage(
  staging: Staging,
  options: BuildOptions,
  base: BaseImage | undefined,
  excluded: string,
): Promise<{ config: string; manifest: string }> {
  const directory = resolve(options.directory)
  if (!(await lstat(directory)).isDirectory()) throw new Error(`${options.directory} is not a directory`)
  const layer = await staging.add(writeTar(appEntries(directory, resolve(excluded))))
  for (const { digest } of base?.manifest.layers ?? [])
    if (!(await staging.keep(digest))) throw new Error(`the base image's layer ${digest} is missing`)
  const config = await staging.addJson(configOf(options, base?.config, layer.digest))
  const document: Manifest = {
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: { mediaType: CONFIG, ...config },
    layers: [...(base?.manifest.layers ?? []), { mediaType: LAYER, ...layer }],
  }
  const manifest = await staging.addJson(document)
  return { config: config.digest, manifest: manifest.digest }
}

function configOf(options: BuildOptions, base: ConfigDocument | undefined, diffId: string): ConfigDocument {
  const { entrypoint, cmd, env = {}, workdir, user, ports = [], labels = {} } = options
  const inherited = base?.config ?? {}
  const written = new Set(Object.keys(env))
  const kept = (inherited.Env ?? []).filter((line) => !written.has(line.slice(0, line.indexOf('='))))
  const exposed = Object.fromEntries(ports.map((port) => [String(port).includes('/') ? String(port) : `${port}/tcp`, {}]))
  const platform = base?.os && base.architecture ? { os: base.os, architecture: base.architecture } : hostPlatform()
  return {
    created: CREATED,
    architecture: platform.architecture,
    os: platform.os,
    config: {
      ...inherited,
      ...(user === undefined ? {} : { User: user }),
      ExposedPorts: { ...inherited.ExposedPorts, ...exposed },
      Env: [...kept, ...Object.entries(env).map(([name, value]) => `${name}=${value}`)],
      Entrypoint: [...entrypoint],
      Cmd: [...(cmd ?? [])],
      WorkingDir: workdir ?? APP_DIRECTORY,
      Labels: { ...inherited.Labels, ...labels, ...(base === undefined ? { [BASE_LABEL]: 'host' } : {}) },
    },
    rootfs: { type: 'layers', diff_ids: [...(base?.rootfs.diff_ids ?? []), diffId] },
    history: [...(base?.history ?? []), { created: CREATED, created_by: 'skiff image build' }],
  }
}

async function* appEntries(directory: string, excluded: string): AsyncGenerator<TarEntry> {
  const root = APP_DIRECTORY.slice(1)
  yield { header: { name: `${root}/`, type: 'directory', size: 0, mode: 0o755 } }
  yield* entriesBelow(directory, root, excluded)
}

async function* entriesBelow(directory: string, prefix: string, excluded: string): AsyncGenerator<TarEntry> {
  const names = await readdir(directory)
  for (const name of names.sort()) {
    const source = join(directory, name)
    if (source === excluded) continue
    const target = `${prefix}/${name}`
    if (name.startsWith('.wh.')) throw new Error(`${source} cannot be part of an image: names with .wh. mean removal in layers`)
    const stats = await lstat(source)
    if (stats.isDirectory()) {
      yield { header: { name: `${target}/`, type: 'directory', size: 0, mode: 0o755 } }
      yield* entriesBelow(source, target, excluded)
    } else if (stats.isSymbolicLink()) {
      yield { header: { name: target, type: 'symlink', size: 0, mode: 0o777, linkname: await readlink(source) } }
    } else if (stats.isFile()) {
      const header = { name: target, type: 'file' as const, size: stats.size, mode: stats.mode & 0o100 ? 0o755 : 0o644 }
      yield { header, ...(stats.size > 0 ? { body: contentOf(source, stats.size) } : {}) }
    } else {
      throw new Error(`${source} cannot be part of an image: it is neither file, directory nor symbolic link`)
    }
  }
}

/** A small file is read at once, which is several times as fast; the packer refuses one whose size changed meanwhile. */
async function* contentOf(path: string, size: number): AsyncGenerator<Uint8Array> {
  if (size <= WHOLE_FILE_BYTES) yield await readFile(path)
  else yield* createReadStream(path)
}
