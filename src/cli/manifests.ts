/** Objects from files, directories, standard input: YAML with several documents, JSON, and Lists taken apart. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import type { Readable } from 'node:stream'
import type { KubeObject } from '../api/object.ts'
import type { DiscoveredResource, Discovery } from '../client/discovery.ts'
import { CommandError } from './io.ts'

const EXTENSIONS = new Set(['.yaml', '.yml', '.json'])

export interface Manifest {
  /** The file it stands in, `-` for standard input. */
  source: string
  object: KubeObject
}

/** In the order of the files and of the documents in them. Throws CommandError for what cannot be read or is no object. */
export async function readManifests(files: readonly string[], recursive: boolean, stdin: Readable): Promise<Manifest[]> {
  if (files.length === 0) throw new CommandError('a file is needed: -f FILE, or -f - for standard input')
  const manifests: Manifest[] = []
  for (const file of files) {
    if (file === '-') manifests.push(...(await parseManifests(await readAll(stdin), '-')))
    else for (const found of filesAt(file, recursive)) manifests.push(...(await parseManifests(readText(found), found)))
  }
  if (manifests.length === 0) throw new CommandError('there are no objects in what was given')
  return manifests
}

function filesAt(file: string, recursive: boolean): string[] {
  const stat = statSync(file, { throwIfNoEntry: false })
  if (!stat) throw new CommandError(`the path ${JSON.stringify(file)} does not exist`)
  if (!stat.isDirectory()) return [file]
  return readdirSync(file, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const inside = path.join(file, entry.name)
      if (statSync(inside).isDirectory()) return recursive ? filesAt(inside, true) : []
      return EXTENSIONS.has(path.extname(entry.name)) ? [inside] : []
    })
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new CommandError(`cannot read ${file}: ${(error as Error).message}`, 1, { cause: error })
  }
}

async function readAll(stream: Readable): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(Buffer.from(chunk as Buffer))
  return Buffer.concat(chunks).toString('utf8')
}

async function parseManifests(text: string, source: string): Promise<Manifest[]> {
  return (await parseDocuments(text, source)).flatMap((document) => objectsOf(document, source))
}

async function parseDocuments(text: string, source: string): Promise<unknown[]> {
  const { loadAll, Schema, timestampTag, YAML11_SCHEMA } = await import('js-yaml')
  try {
    if (text.trimStart().startsWith('{')) return [JSON.parse(text)]
  } catch {
    // YAML's flow mappings begin with a brace too.
  }
  try {
    // Dates stay the strings that they are for Kubernetes.
    return loadAll(text, { schema: new Schema(YAML11_SCHEMA.tags.filter((tag) => tag !== timestampTag)) })
  } catch (error) {
    throw new CommandError(`${source}: ${(error as Error).message.split('\n')[0]}`, 1, { cause: error })
  }
}

function objectsOf(document: unknown, source: string): Manifest[] {
  if (document === null || document === undefined) return []
  const object = document as Partial<KubeObject>
  if (typeof document !== 'object' || Array.isArray(document))
    throw new CommandError(`${source}: an object is expected, with apiVersion and kind`)
  if (!object.apiVersion || !object.kind)
    throw new CommandError(`${source}: an object has no ${object.apiVersion ? 'kind' : 'apiVersion'}`)
  if (object.kind.endsWith('List') && Array.isArray(object.items)) return object.items.flatMap((item) => objectsOf(item, source))
  return [{ source, object: { ...object, metadata: object.metadata ?? {} } as KubeObject }]
}

/** The resource of a manifest; a kind just defined by a manifest before it is looked for anew. Throws CommandError. */
export async function resourceOf({ object, source }: Manifest, discovery: Discovery): Promise<DiscoveredResource> {
  const { apiVersion = '', kind = '' } = object
  const known = await discovery.forKind(apiVersion, kind)
  if (known) return known
  discovery.refresh()
  const found = await discovery.forKind(apiVersion, kind)
  if (!found) throw new CommandError(`${source}: the server has no kind ${JSON.stringify(kind)} in ${JSON.stringify(apiVersion)}`)
  return found
}

/** Where an object goes. Throws CommandError when it names another namespace than the flag. */
export function namespaceOf({ object, source }: Manifest, session: { namespace: string }, flag: string | undefined): string {
  const own = object.metadata.namespace
  if (own && flag !== undefined && own !== flag)
    throw new CommandError(
      `${source}: the namespace of the object, ${JSON.stringify(own)}, is not the one given, ${JSON.stringify(flag)}`,
    )
  return own ?? session.namespace
}
