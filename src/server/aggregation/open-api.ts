/**
 * What servers outside describe of themselves, within this server's OpenAPI: in the one document of v2, and in the index of v3, whose
 * parts are passed on. They are asked when somebody asks here, and only for what has changed since.
 */
import { createHash } from 'node:crypto'
import type { KeyPair } from '../auth/certificates.ts'
import { readUpTo } from '../callout/post.ts'
import type { Core } from '../core.ts'
import { CHECKER } from './availability.ts'
import { callOutside } from './call.ts'
import { mergeSwagger, type Swagger } from './merge-open-api.ts'
import type { OutsideVersion } from './outside.ts'

/** How long a server outside may take; what it said before counts when it does not answer. */
const TIMEOUT_MS = 5_000
const MAX_BYTES = 32 * 1024 * 1024

interface Known {
  readonly tag: string
  readonly document: object
}

interface Index {
  readonly paths: Readonly<Record<string, { readonly serverRelativeURL?: string }>>
}

export class OutsideOpenApi {
  readonly #core: Core
  readonly #identity: KeyPair
  /** By Service and path. */
  readonly #known = new Map<string, Known>()
  #merged: { of: string; document: Buffer } | undefined

  constructor(core: Core, identity: KeyPair) {
    this.#core = core
    this.#identity = identity
  }

  /** `own` with all that is served outside, and what it is known by. */
  async swagger(own: Buffer, hash: string): Promise<{ document: Buffer; hash: string }> {
    const parts = await this.#ask('/openapi/v2')
    const of = hashOf([hash, ...parts.flatMap(({ version, known }) => [version.group, known.tag])])
    if (this.#merged?.of !== of) {
      let whole = JSON.parse(own.toString()) as Swagger
      for (const { version, known } of parts) whole = mergeSwagger(whole, known.document as Swagger, version.group)
      this.#merged = { of, document: Buffer.from(JSON.stringify(whole)) }
    }
    return { document: this.#merged.document, hash: of }
  }

  /** The index with the places at which others describe their versions, by the hashes that they gave them. */
  async index(own: Buffer): Promise<Buffer> {
    const paths: Record<string, object> = { ...(JSON.parse(own.toString()) as Index).paths }
    for (const { version, known } of await this.#ask('/openapi/v3')) {
      const path = `apis/${version.group}/${version.version}`
      const place = (known.document as Index).paths?.[path]
      if (place) paths[path] = place
    }
    return Buffer.from(JSON.stringify({ paths }))
  }

  async #ask(path: string): Promise<{ version: OutsideVersion; known: Known }[]> {
    const versions = [...this.#core.outside.versions.all()]
    const found = await Promise.all(versions.map(async (version) => ({ version, known: await this.#read(version, path) })))
    return found.flatMap(({ version, known }) => (known ? [{ version, known }] : []))
  }

  /** Undefined for a server that has never described itself there. */
  async #read(version: OutsideVersion, path: string): Promise<Known | undefined> {
    const { namespace, name, port } = version.service.spec?.service ?? {}
    const key = `${namespace}/${name}:${port}${path}`
    const known = this.#known.get(key)
    if (!version.available) return known
    try {
      const fresh = await this.#fetch(version, path, known)
      if (fresh) this.#known.set(key, fresh)
      return fresh ?? known
    } catch (error) {
      const { message } = error as Error
      this.#core.log.warn('a server outside does not describe itself', {
        apiService: version.service.metadata.name,
        path,
        error: message,
      })
      return known
    }
  }

  /** Undefined when there is nothing new, or nothing at all. */
  async #fetch(version: OutsideVersion, path: string, known: Known | undefined): Promise<Known | undefined> {
    const deadline = new AbortController()
    const late = () => deadline.abort(new Error('it does not answer'))
    const cancel = this.#core.clock.after(TIMEOUT_MS, late, { unref: true })
    try {
      const answer = await callOutside(this.#core, version.service, this.#identity, {
        ...{ method: 'GET', path, body: undefined, user: CHECKER },
        headers: { accept: 'application/json', ...(known && { 'if-none-match': known.tag }) },
        signal: AbortSignal.any([deadline.signal, this.#core.closing]),
      })
      const bytes = await readUpTo(answer, MAX_BYTES)
      if (answer.statusCode === 304 || answer.statusCode === 404) return undefined
      if (answer.statusCode !== 200) throw new Error(`it answers ${answer.statusCode}`)
      const tag = answer.headers.etag ?? `"${hashOf([bytes.toString()])}"`
      return tag === known?.tag ? known : { tag, document: JSON.parse(bytes.toString()) as object }
    } finally {
      cancel()
    }
  }
}

function hashOf(parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\n')).digest('hex').toUpperCase()
}
