/**
 * The images on this machine: content-addressed blobs, names, unpacked layers, all under `<data directory>/images`. Any
 * number of processes may use one store at a time. Knows nothing of pods and containers, so `remove` takes away an image
 * that runs: whoever runs containers asks first.
 */
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { RegistryCredential } from '../../registry/credentials.ts'
import type { Manifest } from '../../registry/documents.ts'
import { type ImageState, RuntimeError, type RuntimeInventory } from '../runtime/runtime.ts'
import { type Blobs, openBlobs, type Staging } from './blobs.ts'
import type { BuildOptions } from './build.ts'
import { type ConfigDocument, readConfig } from './documents.ts'
import { openInventory } from './inventory.ts'
import type { ImageLayers } from './layers.ts'
import { familiarName, type ImageReference, isDigest, parseReference } from './reference.ts'
import { openReferences, type ReferenceRecord, type References } from './references.ts'

export type { BuildOptions } from './build.ts'
export type { ImageLayers } from './layers.ts'

export interface ImageStore {
  /** Makes an image of a folder and names it; an older image of that name loses the tag and stays until removed by id. */
  build(options: BuildOptions): Promise<ImageState>
  /** By name in any spelling, by `name@digest`, by id or digest (whole, or at least 12 digits). Throws `InvalidImageName`. */
  resolve(reference: string): Promise<ImageState | undefined>
  list(): Promise<ImageState[]>
  /**
   * Takes a tag away, and with the last tag the image. By id or digest the image goes with its one tag; more tags need
   * `force`.
   * Throws when there is no such image.
   */
  remove(reference: string, options?: { force?: boolean }): Promise<{ untagged: string[]; deleted: string[] }>
  /** Reads an OCI layout or a Docker archive, plain or gzip; a string is a file's path. */
  load(source: string | Readable | AsyncIterable<Uint8Array>): Promise<ImageState[]>
  /** Writes an OCI layout that Docker reads too. The file appears whole or not at all. */
  save(references: readonly string[], file: string): Promise<void>
  /** Unpacks on first use. `imageId` is an ImageState's `id`. */
  layers(imageId: string): Promise<ImageLayers>
  /** Makes the image present. Throws RuntimeError `ErrImagePull`, `ErrImageNeverPull` or `InvalidImageName`. */
  pull(reference: string, options: PullOptions): Promise<ImageState>
  readonly inventory: RuntimeInventory
}

export interface PullOptions {
  policy: 'Always' | 'IfNotPresent' | 'Never'
  credentials?: readonly RegistryCredential[]
  signal?: AbortSignal
}

interface StoreContext {
  directory: string
  blobs: Blobs
  references: References
  /** The last pull of each name, settled or not. */
  pulls: Map<string, Promise<void>>
  /** Where Docker's own credentials are looked for. */
  env: NodeJS.ProcessEnv
  /** By image id, while it lasts. */
  unpacking: Map<string, Promise<ImageLayers>>
}

const SHORT_ID = /^[0-9a-f]{12,64}$/

/** Opens (and creates on first write) the store under `dataDirectory`. Cheap: nothing is read before it is asked for. */
export function openImageStore(dataDirectory: string, { env = process.env }: { env?: NodeJS.ProcessEnv } = {}): ImageStore {
  const directory = join(dataDirectory, 'images')
  const context: StoreContext = {
    ...{ directory, env },
    blobs: openBlobs(directory),
    references: openReferences(directory),
    pulls: new Map(),
    unpacking: new Map(),
  }
  return {
    build: (options) => build(context, options, dataDirectory),
    resolve: async (reference) => firstState(context, await find(context, reference)),
    list: () => list(context),
    remove: (reference, options) => remove(context, reference, options?.force ?? false),
    load: (source) => load(context, source),
    save: (references, file) => save(context, references, file),
    layers: (imageId) => sharedLayers(context, imageId),
    pull: (reference, options) => pull(context, reference, options),
    inventory: openInventory(join(directory, 'refs'), context.references, context.blobs),
  }
}

async function build(context: StoreContext, options: BuildOptions, dataDirectory: string): Promise<ImageState> {
  const { buildImage } = await import('./build.ts')
  const name = taggedName(options.tag)
  const base = options.base === undefined || options.base === 'host' ? undefined : await required(context, options.base)
  return staged(context, async (staging) => {
    const from = base === undefined ? undefined : await readImage(context, base)
    const made = await buildImage(staging, options, from, dataDirectory)
    await publish(context, staging, [{ canonical: name, shown: options.tag, ...made }])
    return stateOf(context, made.config)
  })
}

async function load(context: StoreContext, source: string | AsyncIterable<Uint8Array>): Promise<ImageState[]> {
  const { readArchive } = await import('./archive.ts')
  return staged(context, async (staging) => {
    const images = await readArchive(staging, typeof source === 'string' ? createReadStream(source) : source)
    const records = images.flatMap(({ manifest, config, names }): ReferenceRecord[] => {
      if (names.length === 0) return [{ canonical: manifest, shown: '', manifest, config }]
      const full = [...new Set(names.map((name) => parseReference(name).canonical))]
      return full.map((canonical) => ({ canonical, shown: familiarName(canonical), manifest, config }))
    })
    await publish(context, staging, records)
    const ids = [...new Set(images.map((image) => image.config))]
    return Promise.all(ids.map((id) => stateOf(context, id)))
  })
}

async function save(context: StoreContext, references: readonly string[], file: string): Promise<void> {
  const { writeArchive } = await import('./archive.ts')
  const images = new Map<string, { manifest: string; config: string; names: string[] }>()
  for (const reference of references) {
    const record = await required(context, reference)
    const image = images.get(record.manifest) ?? { manifest: record.manifest, config: record.config, names: [] }
    const named = !isIdentifier(reference) && !isDigest(record.canonical)
    images.set(record.manifest, { ...image, names: named ? [...new Set([...image.names, record.canonical])] : image.names })
  }
  const temporary = `${file}.${process.pid}.partial`
  try {
    await mkdir(dirname(file), { recursive: true })
    await pipeline(writeArchive([...images.values()], context.blobs), createWriteStream(temporary))
    await rename(temporary, file)
  } finally {
    await rm(temporary, { force: true })
  }
}

/** Containers of one image that start together unpack it once. */
async function sharedLayers(context: StoreContext, imageId: string): Promise<ImageLayers> {
  const running = context.unpacking.get(imageId) ?? layers(context, imageId)
  context.unpacking.set(imageId, running)
  try {
    return await running
  } finally {
    context.unpacking.delete(imageId)
  }
}

async function layers(context: StoreContext, imageId: string): Promise<ImageLayers> {
  const { prepareLayers } = await import('./layers.ts')
  const record = (await context.references.list()).find((candidate) => candidate.config === imageId)
  if (record === undefined) throw new RuntimeError('CreateContainerError', `image ${imageId} is not in the store`)
  return prepareLayers(context.directory, context.blobs, { id: imageId, ...(await readImage(context, record)) })
}

/** One pull of a name at a time: whoever comes second finds the layers, or the image, already there. */
async function pull(context: StoreContext, reference: string, options: PullOptions): Promise<ImageState> {
  const parsed = parseReference(reference)
  const before = context.pulls.get(parsed.canonical) ?? Promise.resolve()
  const mine = before.then(() => pullNow(context, reference, parsed, options))
  const done = mine.then(
    () => {},
    () => {},
  )
  context.pulls.set(parsed.canonical, done)
  try {
    return await mine
  } finally {
    if (context.pulls.get(parsed.canonical) === done) context.pulls.delete(parsed.canonical)
  }
}

async function pullNow(
  context: StoreContext,
  reference: string,
  parsed: ImageReference,
  options: PullOptions,
): Promise<ImageState> {
  options.signal?.throwIfAborted()
  const [present] = await find(context, reference)
  // A digest has one content: what is here is what would come.
  if (present !== undefined && (options.policy !== 'Always' || parsed.digest !== undefined))
    return stateOf(context, present.config)
  if (options.policy === 'Never')
    throw new RuntimeError('ErrImageNeverPull', `Container image "${reference}" is not present with pull policy of Never`)
  const { pullImage } = await import('./registry.ts')
  return staged(context, async (staging) => {
    const made = await pullImage(staging, parsed, { ...options, env: context.env })
    await publish(context, staging, [{ canonical: parsed.canonical, shown: reference, ...made }])
    return stateOf(context, made.config)
  })
}

async function list(context: StoreContext): Promise<ImageState[]> {
  const records = await context.references.list()
  const ids = [...new Set(records.map((record) => record.config))]
  return Promise.all(
    ids.map((id) =>
      imageState(
        context,
        records.filter((record) => record.config === id),
      ),
    ),
  )
}

async function remove(context: StoreContext, reference: string, force: boolean) {
  const found = await find(context, reference)
  if (found[0] === undefined) throw new RuntimeError('ImageNotFound', `no such image: ${reference}`)
  const { collect } = await import('./collect.ts')
  const all = (await context.references.list()).filter((record) => record.config === found[0]?.config)
  const tags = all.filter(isTag)
  const named = found.length === 1 && isTag(found[0])
  if (!named && tags.length > 1 && !force)
    throw new RuntimeError('ImageInUse', `image ${reference} has several names (${shownNames(tags)}); remove them, or use force`)
  // Without its last tag an image goes whole; with others left only this name does.
  const doomed = named && tags.length > 1 ? found : all
  for (const record of doomed) await context.references.delete(record.canonical)
  const deleted = await collect(context.directory, context.blobs, context.references, doomed)
  return { untagged: doomed.filter(isTag).map((record) => record.shown), deleted }
}

/** Runs `work` on a fresh staging directory, which is gone afterwards whatever happens. */
async function staged<T>(context: StoreContext, work: (staging: Staging) => Promise<T>): Promise<T> {
  const staging = await context.blobs.stage()
  try {
    return await work(staging)
  } finally {
    await staging.dispose()
  }
}

async function publish(context: StoreContext, staging: Staging, records: readonly ReferenceRecord[]): Promise<void> {
  await staging.place()
  for (const record of records) {
    await context.references.put(record)
    // The name by digest stays when the tag moves on, so that what runs or is pinned finds its image.
    if (isTag(record)) {
      const digests = new Set([record.manifest, record.digest ?? record.manifest])
      for (const digest of digests)
        await context.references.put({ ...record, canonical: `${nameOf(record.canonical)}@${digest}`, shown: '' })
    }
  }
  // A removal by another process may have taken a blob before the names were there to protect it.
  await staging.place()
}

/** Every name of what `reference` means; one for a name, all of the image's for an id. */
async function find(context: StoreContext, reference: string): Promise<ReferenceRecord[]> {
  if (isIdentifier(reference)) {
    const wanted = reference.startsWith('sha256:') ? reference : `sha256:${reference}`
    const records = await context.references.list()
    const found = records.filter(({ config, manifest }) => config.startsWith(wanted) || manifest.startsWith(wanted))
    if (new Set(found.map((record) => record.config)).size > 1)
      throw new RuntimeError('InvalidImageName', `${reference} is the beginning of several images' ids`)
    if (found.length > 0 || reference.startsWith('sha256:')) return found
  }
  const parsed = parseReference(reference)
  const exact = await context.references.get(parsed.canonical)
  if (exact !== undefined) return [exact]
  if (parsed.digest === undefined) return []
  const records = await context.references.list()
  return records.filter(({ canonical, manifest }) => manifest === parsed.digest && nameOf(canonical) === parsed.name).slice(0, 1)
}

async function required(context: StoreContext, reference: string): Promise<ReferenceRecord> {
  const [record] = await find(context, reference)
  if (record === undefined) throw new RuntimeError('ImageNotFound', `no such image: ${reference}`)
  return record
}

async function firstState(context: StoreContext, found: readonly ReferenceRecord[]): Promise<ImageState | undefined> {
  return found[0] === undefined ? undefined : stateOf(context, found[0].config)
}

async function stateOf(context: StoreContext, id: string): Promise<ImageState> {
  const records = await context.references.list()
  return imageState(
    context,
    records.filter((record) => record.config === id),
  )
}

/** `records` are all names of one image, at least one. */
async function imageState(context: StoreContext, records: readonly ReferenceRecord[]): Promise<ImageState> {
  const first = records.find(isTag) ?? records[0]
  if (first === undefined) throw new RuntimeError('ImageNotFound', 'the image was removed meanwhile')
  const { manifest, config } = await readImage(context, first)
  return {
    id: first.config,
    ...(isDigest(first.canonical) ? {} : { digest: `${nameOf(first.canonical)}@${first.digest ?? first.manifest}` }),
    tags: records.filter(isTag).map((record) => record.shown),
    sizeBytes: manifest.layers.reduce((sum, layer) => sum + layer.size, manifest.config.size),
    config: readConfig(config),
  }
}

async function readImage(
  context: StoreContext,
  record: ReferenceRecord,
): Promise<{ manifest: Manifest; config: ConfigDocument }> {
  const [manifest, config] = await Promise.all([
    context.blobs.readJson<Manifest>(record.manifest),
    context.blobs.readJson<ConfigDocument>(record.config),
  ])
  return { manifest, config }
}

function isTag(record: ReferenceRecord): boolean {
  return record.shown !== '' && !record.canonical.includes('@')
}

function taggedName(tag: string): string {
  const parsed = parseReference(tag)
  if (parsed.digest !== undefined) throw new RuntimeError('InvalidImageName', `${tag} is a digest; a new image takes a tag`)
  return parsed.canonical
}

function nameOf(canonical: string): string {
  return parseReference(canonical).name
}

function isIdentifier(reference: string): boolean {
  return isDigest(reference) || SHORT_ID.test(reference) || /^sha256:[0-9a-f]{12,64}$/.test(reference)
}

function shownNames(records: readonly ReferenceRecord[]): string {
  return records.map((record) => record.shown).join(', ')
}
