/** Loads the compact facts about Kubernetes' types, once, when they are first asked for. Their grammar: `tools/generate-schema.ts`. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'

export interface PackageData {
  /** Of the OpenAPI names: `io.k8s.api.core.v1`. */
  prefix: string
  group: string
  version: string
  enums: Record<string, string[]>
  types: Record<string, string[]>
}

let packages: Record<string, PackageData> | undefined
let digest: string | undefined

/** The packages by their short name, `core/v1`. */
export function schemaData(): Record<string, PackageData> {
  packages ??= (JSON.parse(readFileSync(locate(), 'utf8')) as { packages: Record<string, PackageData> }).packages
  return packages
}

/** What tells these facts from those of another release. */
export function schemaDigest(): string {
  digest ??= createHash('sha256').update(readFileSync(locate())).digest('hex')
  return digest
}

/** Beside this module in the source tree; beside or above the chunk in the built package. */
function locate(): URL {
  const beside = new URL('./types.json', import.meta.url)
  return existsSync(beside) ? beside : new URL('../types.json', import.meta.url)
}
