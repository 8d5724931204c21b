/**
 * Images as one tar file: written as an OCI layout that carries Docker's manifest.json too, read in either form. Works
 * on staged content and names; what becomes of them is the store's.
 */
import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { posix } from 'node:path'
import {
  choosePlatform,
  type Descriptor,
  hostPlatform,
  INDEX,
  type Index,
  isIndex,
  isManifest,
  MANIFEST,
  type Manifest,
} from '../../registry/documents.ts'
import { type BlobSource, hexOf, type Staging } from './blobs.ts'
import { CONFIG, type ConfigDocument, LAYER } from './documents.ts'
import { familiarName, parseReference } from './reference.ts'
import { decompressed, readTar, safeParts, type TarEntry, writeTar } from './tar.ts'

export interface ArchivedImage {
  /** Digests. */
  manifest: string
  config: string
  /** Full names; none for an image without one. */
  names: string[]
}

const IMAGE_NAME = 'io.containerd.image.name'
const REFERENCE_NAME = 'org.opencontainers.image.ref.name'
const LAYER_GZIP = `${LAYER}+gzip`
const MAX_LINKS = 16

interface DockerEntry {
  Config: string
  RepoTags?: string[] | null
  Layers: string[]
}

/** The archive's bytes; `read` answers a stored manifest. */
export async function* writeArchive(images: readonly ArchivedImage[], blobs: BlobSource): AsyncGenerator<Uint8Array> {
  const manifests = new Map<string, { size: number; document: Manifest }>()
  for (const { manifest } of images) {
    const bytes = await readFile(blobs.path(manifest))
    manifests.set(manifest, { size: bytes.length, document: JSON.parse(bytes.toString('utf8')) as Manifest })
  }
  yield* writeTar(archiveEntries(images, manifests, blobs))
}

async function* archiveEntries(
  images: readonly ArchivedImage[],
  manifests: ReadonlyMap<string, { size: number; document: Manifest }>,
  blobs: BlobSource,
): AsyncGenerator<TarEntry> {
  const sizes = new Map<string, number>()
  const index: Index = { schemaVersion: 2, mediaType: INDEX, manifests: [] }
  const docker: DockerEntry[] = []
  for (const { manifest, names } of images) {
    const { size, document } = manifests.get(manifest)!
    sizes.set(manifest, size)
    for (const blob of [document.config, ...document.layers]) sizes.set(blob.digest, blob.size)
    const entry = { mediaType: document.mediaType ?? MANIFEST, digest: manifest, size }
    for (const name of names) index.manifests.push({ ...entry, annotations: nameAnnotations(name) })
    if (names.length === 0) index.manifests.push(entry)
    docker.push({
      Config: blobName(document.config.digest),
      RepoTags: names.filter((name) => !name.includes('@')).map(familiarName),
      Layers: document.layers.map((layer) => blobName(layer.digest)),
    })
  }
  yield textEntry('oci-layout', { imageLayoutVersion: '1.0.0' })
  yield textEntry('index.json', index)
  yield textEntry('manifest.json', docker)
  for (const name of ['blobs/', 'blobs/sha256/']) yield { header: { name, type: 'directory', size: 0, mode: 0o755 } }
  for (const [digest, size] of [...sizes].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const header = { name: blobName(digest), type: 'file' as const, size, mode: 0o644 }
    yield { header, body: createReadStream(blobs.path(digest)) }
  }
}

/** Stages what the archive holds; blobs of no use (other platforms) stay staged under no name and are dropped. */
export async function readArchive(staging: Staging, source: AsyncIterable<Uint8Array>): Promise<ArchivedImage[]> {
  const content = await stageFiles(staging, source)
  const images = content.files.has('index.json') ? await readLayout(staging, content) : await readDocker(staging, content)
  const used = new Set<string>()
  for (const image of images) {
    const manifest = await readStaged<Manifest>(staging, image.manifest)
    for (const digest of [image.manifest, ...[manifest.config, ...manifest.layers].map((entry) => entry.digest)]) used.add(digest)
  }
  for (const digest of content.files.values()) if (!used.has(digest)) await staging.drop(digest)
  return images
}

interface ArchiveContent {
  /** Digest by path. */
  files: Map<string, string>
}

async function stageFiles(staging: Staging, source: AsyncIterable<Uint8Array>): Promise<ArchiveContent> {
  const files = new Map<string, string>()
  const links = new Map<string, string>()
  for await (const { header, body } of readTar(decompressed(source))) {
    const name = safeParts(header.name).join('/')
    if (header.type === 'symlink') links.set(name, posix.join(posix.dirname(name), header.linkname ?? ''))
    else if (header.type === 'link') links.set(name, safeParts(header.linkname ?? '').join('/'))
    else if (header.type === 'file' || header.type === undefined) {
      const named = /^blobs\/sha256\/([0-9a-f]{64})$/.exec(name)
      const { digest } = await staging.add(body, named ? { digest: `sha256:${named[1]}` } : undefined)
      files.set(name, digest)
    }
  }
  // Old Docker archives link equal layers to each other.
  for (const [name, first] of links) {
    let to: string | undefined = first
    for (let hops = 0; to !== undefined && hops < MAX_LINKS && !files.has(to); hops++) to = links.get(to)
    const digest = to === undefined ? undefined : files.get(to)
    if (digest !== undefined) files.set(name, digest)
  }
  return { files }
}

async function readLayout(staging: Staging, { files }: ArchiveContent): Promise<ArchivedImage[]> {
  const index = await readStaged<Index>(staging, files.get('index.json')!)
  if (!isIndex(index)) throw new Error('index.json of the archive lists no manifests')
  const dockerNames = await readDockerNames(staging, files)
  const images = new Map<string, ArchivedImage>()
  for (const entry of index.manifests) {
    const found = await descend(staging, files, entry)
    if (found === undefined) continue
    const { digest, manifest } = found
    const image = images.get(digest) ?? { manifest: digest, config: manifest.config.digest, names: [] }
    const annotated = entry.annotations?.[IMAGE_NAME]
    const written = entry.annotations?.[REFERENCE_NAME]
    // Docker writes the bare tag as reference name; only one with a repository names the image.
    const name = annotated ?? (written !== undefined && /[/:]/.test(written) ? written : undefined)
    const names = [...(name === undefined ? [] : [name]), ...(dockerNames.get(image.config) ?? [])].map(
      (text) => parseReference(text).canonical,
    )
    images.set(digest, { ...image, names: [...new Set([...image.names, ...names])] })
  }
  if (images.size === 0) {
    const { os, architecture } = hostPlatform()
    throw new Error(`the archive holds no image for ${os}/${architecture}`)
  }
  return [...images.values()]
}

/** Follows indexes to the manifest for this machine; undefined for what is none (attestations, other platforms). */
async function descend(
  staging: Staging,
  files: ReadonlyMap<string, string>,
  entry: Descriptor,
): Promise<{ digest: string; manifest: Manifest } | undefined> {
  if (!files.has(blobName(entry.digest))) return undefined
  const document = await readStaged<unknown>(staging, entry.digest)
  if (isIndex(document)) {
    const chosen = choosePlatform(document, hostPlatform())
    return chosen === undefined ? undefined : descend(staging, files, chosen)
  }
  if (!isManifest(document)) throw new Error(`${entry.digest} in the archive is neither manifest nor index`)
  for (const { digest } of [document.config, ...document.layers])
    if (!files.has(blobName(digest)) && !(await staging.keep(digest))) throw new Error(`the archive lacks ${digest}`)
  return { digest: entry.digest, manifest: document }
}

async function readDockerNames(staging: Staging, files: ReadonlyMap<string, string>): Promise<Map<string, string[]>> {
  const names = new Map<string, string[]>()
  const digest = files.get('manifest.json')
  if (digest === undefined) return names
  for (const entry of await readStaged<DockerEntry[]>(staging, digest)) {
    const config = files.get(entry.Config)
    if (config !== undefined) names.set(config, entry.RepoTags ?? [])
  }
  return names
}

async function readDocker(staging: Staging, { files }: ArchiveContent): Promise<ArchivedImage[]> {
  const listed = files.get('manifest.json')
  if (listed === undefined) throw new Error('not an image archive: it has neither index.json nor manifest.json')
  const fileAt = (name: string) => {
    const digest = files.get(name)
    if (digest === undefined) throw new Error(`the archive lacks ${name}`)
    return digest
  }
  const images: ArchivedImage[] = []
  for (const entry of await readStaged<DockerEntry[]>(staging, listed)) {
    const config = fileAt(entry.Config)
    const { rootfs } = await readStaged<ConfigDocument>(staging, config)
    const layers: Descriptor[] = []
    for (const [position, name] of entry.Layers.entries()) {
      const digest = fileAt(name)
      // A layer whose digest is that of its content is not compressed.
      const mediaType = digest === rootfs.diff_ids[position] ? LAYER : LAYER_GZIP
      layers.push({ mediaType, digest, size: await staging.size(digest) })
    }
    const document: Manifest = {
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: { mediaType: CONFIG, digest: config, size: await staging.size(config) },
      layers,
    }
    const manifest = await staging.addJson(document)
    images.push({ manifest: manifest.digest, config, names: entry.RepoTags ?? [] })
  }
  return images
}

async function readStaged<T>(staging: Staging, digest: string): Promise<T> {
  return JSON.parse(await readFile(staging.path(digest), 'utf8')) as T
}

function nameAnnotations(name: string): Record<string, string> {
  const tag = name.includes('@') ? undefined : name.slice(name.lastIndexOf(':') + 1)
  return { [IMAGE_NAME]: name, ...(tag === undefined ? {} : { [REFERENCE_NAME]: tag }) }
}

function blobName(digest: string): string {
  return `blobs/sha256/${hexOf(digest)}`
}

function textEntry(name: string, document: unknown): TarEntry {
  const bytes = Buffer.from(JSON.stringify(document))
  return { header: { name, type: 'file', size: bytes.length, mode: 0o644 }, body: once(bytes) }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
