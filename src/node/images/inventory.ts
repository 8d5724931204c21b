/**
 * What is in the image store, as a Node's status lists it: each image with its names, and for each name by tag the one by
 * digest before it. Cheap enough to be asked often: manifests are read once, names only after one has changed.
 */
import { mkdirSync, watch } from 'node:fs'
import { stat } from 'node:fs/promises'
import { isDeepStrictEqual } from 'node:util'
import type { Manifest } from '../../registry/documents.ts'
import type { InventoryItem, RuntimeInventory } from '../runtime/runtime.ts'
import { type Blobs, isCode } from './blobs.ts'
import { isDigest, parseReference } from './reference.ts'
import type { ReferenceRecord, References } from './references.ts'

/** File systems count time in steps: a change within one step of another does not show. */
const TIME_STEP_MS = 1_000

/** `folder` is where the names lie: a file each. */
export function openInventory(folder: string, references: References, blobs: Blobs): RuntimeInventory {
  const sizes = new Map<string, number>()
  let known: { changedMs: number; items: InventoryItem[] } | undefined
  return {
    async list() {
      const changedMs = await changeTime(folder)
      if (known && known.changedMs === changedMs && Date.now() - changedMs > TIME_STEP_MS) return known.items
      const items = await itemsOf(await references.list(), blobs, sizes)
      // Equal lists are the same list, by which a reader sees that there is nothing new.
      known = { changedMs, items: known && isDeepStrictEqual(known.items, items) ? known.items : items }
      return known.items
    },
    onChange(listener) {
      mkdirSync(folder, { recursive: true })
      const watcher = watch(folder, { persistent: false }, (_event, name) => {
        if (name?.endsWith('.json')) listener()
      })
      // A host without watches left: who listens asks from time to time anyway.
      watcher.on('error', () => watcher.close())
      return () => watcher.close()
    },
  }
}

async function changeTime(folder: string): Promise<number> {
  try {
    return (await stat(folder)).mtimeMs
  } catch (error) {
    if (isCode(error, 'ENOENT')) return 0
    throw error
  }
}

async function itemsOf(records: readonly ReferenceRecord[], blobs: Blobs, sizes: Map<string, number>): Promise<InventoryItem[]> {
  const byManifest = new Map<string, ReferenceRecord[]>()
  for (const record of records) {
    if (isDigest(record.canonical)) continue
    const same = byManifest.get(record.manifest)
    if (same) same.push(record)
    else byManifest.set(record.manifest, [record])
  }
  const items: InventoryItem[] = []
  for (const [manifest, same] of byManifest) {
    const sizeBytes = sizes.get(manifest) ?? (await sizeOf(manifest, blobs))
    if (sizeBytes === undefined) continue
    sizes.set(manifest, sizeBytes)
    items.push({ names: namesOf(same), sizeBytes })
  }
  return items
}

/** What a tag means comes before every other name of its repository. */
function namesOf(records: readonly ReferenceRecord[]): string[] {
  const tagged = records.filter(({ canonical }) => !canonical.includes('@'))
  const meant = tagged.map(({ canonical, digest, manifest }) => `${parseReference(canonical).name}@${digest ?? manifest}`)
  const others = records.filter(({ canonical }) => canonical.includes('@'))
  return [...new Set([...meant, ...others.map(({ canonical }) => canonical), ...tagged.map(({ canonical }) => canonical)])]
}

/** Undefined when the image was removed meanwhile. */
async function sizeOf(manifest: string, blobs: Blobs): Promise<number | undefined> {
  try {
    const { config, layers } = await blobs.readJson<Manifest>(manifest)
    return layers.reduce((sum, layer) => sum + layer.size, config.size)
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined
    throw error
  }
}
