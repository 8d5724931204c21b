/**
 * The OpenAPI documents of a set of resources, each made when it is first asked for and kept as bytes. For another set (a custom
 * resource came or went) make another one of these: the pieces of the built-in types are shared.
 */
import { createHash } from 'node:crypto'
import type { ResourceDefinition } from '../definition.ts'
import { schemaDigest } from '../schema/data.ts'
import type { StructSchema } from '../schema/schema.ts'
import { Components } from './components.ts'
import { discovery, type Operation, operationsOf, rootOf } from './operations.ts'
import { writeV2 } from './v2.ts'
import { writeV3 } from './v3.ts'

/** What is described at one place. */
interface Part {
  readonly hash: string
  readonly operations: (components: Components) => Operation[]
}

const v2Components = new Components('v2')
const v3Components = new Components('v3')

export class OpenApiDocuments {
  readonly #version: string
  /** By their paths below `/openapi/v3/`. */
  readonly #parts = new Map<string, Part>()
  readonly #documents = new Map<string, Buffer>()

  /** `version` is the API server's; documents of different programs differ in it. */
  constructor(definitions: Iterable<ResourceDefinition>, version: string) {
    this.#version = version
    const byPath = new Map<string, ResourceDefinition[]>()
    for (const definition of definitions) {
      const path = rootOf(definition.group, definition.version).slice(1)
      byPath.set(path, [...(byPath.get(path) ?? []), definition])
    }
    this.#add('api', [], (components) => [discovery('/api/', 'APIVersions', '', '', components)])
    this.#add('apis', [], (components) => [discovery('/apis/', 'APIGroupList', 'apis', '', components)])
    this.#add('version', [], () => [versionOperation()])
    for (const [path, found] of byPath) {
      const { group } = found[0]!
      if (group !== '')
        this.#add(`apis/${group}`, [], (components) => [discovery(`/apis/${group}/`, 'APIGroup', group, '', components)])
      this.#add(path, found, (components) => operationsOf(found, components))
    }
  }

  #add(path: string, definitions: readonly ResourceDefinition[], operations: Part['operations']): void {
    this.#parts.set(path, { hash: hashOf([this.#version, path, schemaDigest(), ...definitions.map(describe)]), operations })
  }

  /** What `/openapi/v3` answers: where each group and version is described. The hashes in it cost no document. */
  index(): Buffer {
    return this.#keep('index', () => {
      const parts = [...this.#parts].sort(([a], [b]) => (a < b ? -1 : 1))
      const urls = parts.map(([path, { hash }]) => [path, { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` }])
      return JSON.stringify({ paths: Object.fromEntries(urls) })
    })
  }

  /** What `/openapi/v3/<path>` answers, with a path such as `api/v1` or `apis/apps/v1`; undefined when nothing is served there. */
  v3(path: string): Buffer | undefined {
    const part = this.#parts.get(path)
    return part && this.#keep(`v3/${path}`, () => writeV3(part.operations(v3Components), v3Components, this.#version))
  }

  /** What the document at `path` is known by in the index; good as an ETag, too. */
  v3Hash(path: string): string | undefined {
    return this.#parts.get(path)?.hash
  }

  /** What `/openapi/v2` answers: everything in one. */
  v2(): Buffer {
    return this.#keep('v2', () => {
      const operations = [...this.#parts.values()].flatMap((part) => part.operations(v2Components))
      return writeV2(operations, v2Components, this.#version)
    })
  }

  v2Hash(): string {
    return hashOf([...this.#parts.values()].map(({ hash }) => hash))
  }

  #keep(key: string, write: () => string): Buffer {
    let document = this.#documents.get(key)
    if (!document) {
      document = Buffer.from(write())
      this.#documents.set(key, document)
    }
    return document
  }
}

function hashOf(parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\n')).digest('hex').toUpperCase()
}

/** All that a document says of a resource, and more. */
function describe({ columns: _, strategy, schema, subresources, ...facts }: ResourceDefinition): string {
  const source = typeof schema === 'string' ? schema : (schema as StructSchema).source
  const below = subresources.map(({ name, kind, verbs }) => ({ name, kind, verbs }))
  return JSON.stringify([facts, source, below, strategy.returnsDeleted])
}

function versionOperation(): Operation {
  return {
    ...{ path: '/version/', method: 'get', id: 'getCodeVersion', tag: 'version', action: undefined, gvk: undefined },
    ...{ parameters: [], body: undefined, answer: undefined, codes: [200], watchable: false, strategic: false },
  }
}
