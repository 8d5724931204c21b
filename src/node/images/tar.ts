/** Tar archives as sequences of entries, in both directions, never held in memory whole. Knows nothing of images. */
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { createTarDecoder, createTarPacker, type TarHeader } from 'modern-tar'

export type { TarHeader } from 'modern-tar'

export interface TarEntry {
  header: TarHeader
  /** Exactly `header.size` bytes. */
  body?: AsyncIterable<Uint8Array>
}

const GZIP = Buffer.from([0x1f, 0x8b])
const ZSTANDARD = Buffer.from([0x28, 0xb5, 0x2f, 0xfd])
/** Every entry has this time, so that equal content gives equal bytes. */
const EPOCH = new Date(0)

/** The archive's bytes. Owner, group and time are fixed; equal entries give equal bytes. */
export async function* writeTar(entries: AsyncIterable<TarEntry> | Iterable<TarEntry>): AsyncGenerator<Uint8Array> {
  const { readable, controller } = createTarPacker()
  const produce = async () => {
    for await (const { header, body } of entries) {
      const writer = controller.add({ ...header, mtime: EPOCH, uid: 0, gid: 0 }).getWriter()
      for await (const chunk of body ?? []) await writer.write(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength))
      await writer.close()
    }
    controller.finalize()
  }
  // A failure ends the readable side with the same error, which the loop below throws.
  const produced = produce().catch((error: unknown) => controller.error(error))
  yield* readable
  await produced
}

/** The entries in order. A body not read before the next entry is asked for is skipped. */
export async function* readTar(source: AsyncIterable<Uint8Array>): AsyncGenerator<Required<TarEntry>> {
  const decoder = createTarDecoder({ strict: true })
  for await (const { header, body } of ReadableStream.from(source).pipeThrough(decoder)) {
    yield { header, body }
    if (!body.locked) await body.cancel()
  }
}

/** Undoes gzip where the bytes are gzip's. Zstandard is refused by name: Node 20 cannot read it. */
export async function* decompressed(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const iterator = source[Symbol.asyncIterator]()
  let head: Buffer = Buffer.alloc(0)
  while (head.length < ZSTANDARD.length) {
    const { value, done } = await iterator.next()
    if (done) break
    head = Buffer.concat([head, value])
  }
  async function* whole() {
    yield head
    yield* { [Symbol.asyncIterator]: () => iterator }
  }
  if (head.subarray(0, ZSTANDARD.length).equals(ZSTANDARD)) throw new Error('zstd compression is not supported; use gzip or none')
  if (!head.subarray(0, GZIP.length).equals(GZIP)) return yield* whole()
  const gunzip = createGunzip()
  // The loop over gunzip reports the failure; this promise only repeats it.
  pipeline(Readable.from(whole()), gunzip).catch(() => {})
  yield* gunzip
}

/** The path's parts; throws for one that would leave the archive's root. */
export function safeParts(name: string): string[] {
  const parts = name.split('/').filter((part) => part !== '' && part !== '.')
  if (parts.includes('..') || name.includes('\0'))
    throw new Error(`refused tar entry ${JSON.stringify(name)}: it leaves the archive`)
  return parts
}
