/** Header blocks: names and values with their lengths, compressed in one zlib stream for each direction of a connection. */
import { constants, createDeflate, createInflate, type Deflate, type Inflate } from 'node:zlib'
import { spdyDictionary } from './dictionary.ts'

/** What a header block may unpack to. Kubernetes sends a few hundred bytes. */
const MAX_HEADER_BYTES = 64 * 1024
const MAX_HEADERS = 200

export class HeaderCodec {
  readonly #inflate: Inflate
  readonly #deflate: Deflate
  #failure: Error | undefined

  constructor() {
    const dictionary = spdyDictionary()
    this.#inflate = createInflate({ dictionary, flush: constants.Z_SYNC_FLUSH })
    this.#deflate = createDeflate({ dictionary })
    this.#inflate.on('error', (error) => {
      this.#failure = error
    })
    this.#deflate.on('error', (error) => {
      this.#failure = error
    })
  }

  /** Names in lower case. Throws for a block that is damaged or too large. One block at a time, in the order of arrival. */
  async unpack(block: Buffer): Promise<Record<string, string>> {
    const chunks: Buffer[] = []
    let length = 0
    const collect = (chunk: Buffer) => {
      length += chunk.length
      if (length <= MAX_HEADER_BYTES) chunks.push(chunk)
    }
    this.#inflate.on('data', collect)
    await new Promise<void>((resolve, reject) => {
      if (this.#failure) return reject(this.#failure)
      this.#inflate.once('error', reject)
      this.#inflate.write(block, () => {
        this.#inflate.off('error', reject)
        resolve()
      })
    })
    this.#inflate.off('data', collect)
    if (length > MAX_HEADER_BYTES) throw new Error('a header block is too large')
    return readHeaders(Buffer.concat(chunks))
  }

  async pack(headers: Record<string, string>): Promise<Buffer> {
    const chunks: Buffer[] = []
    const collect = (chunk: Buffer) => chunks.push(chunk)
    this.#deflate.on('data', collect)
    this.#deflate.write(writeHeaders(headers))
    await new Promise<void>((resolve) => this.#deflate.flush(constants.Z_SYNC_FLUSH, resolve))
    this.#deflate.off('data', collect)
    if (this.#failure) throw this.#failure
    return Buffer.concat(chunks)
  }

  close(): void {
    this.#inflate.close()
    this.#deflate.close()
  }
}

function readHeaders(block: Buffer): Record<string, string> {
  const headers: Record<string, string> = {}
  const count = block.readUInt32BE(0)
  if (count > MAX_HEADERS) throw new Error('a header block has too many headers')
  let at = 4
  const text = () => {
    const length = block.readUInt32BE(at)
    const value = block.toString('utf8', at + 4, at + 4 + length)
    at += 4 + length
    return value
  }
  for (let i = 0; i < count; i++) {
    const name = text().toLowerCase()
    headers[name] = text()
  }
  return headers
}

function writeHeaders(headers: Record<string, string>): Buffer {
  const parts: Buffer[] = [uint32(Object.keys(headers).length)]
  for (const [name, value] of Object.entries(headers)) {
    const [left, right] = [Buffer.from(name), Buffer.from(value)]
    parts.push(uint32(left.length), left, uint32(right.length), right)
  }
  return Buffer.concat(parts)
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value >>> 0)
  return bytes
}
