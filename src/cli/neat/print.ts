/** Neat objects as YAML documents: what an object is comes first, then its metadata, and everywhere the name before the rest. */
import type { KubeObject } from '../../api/object.ts'
import type { CustomResourceDefinition } from '../../api/types.ts'
import type { Client, ResourceRef } from '../../client/client.ts'
import { isBuiltIn } from '../names/candidate.ts'
import { isUnavailable } from '../names/metadata.ts'
import { builtinKind, customKind, type Kind } from './kind.ts'
import { neat } from './neat.ts'

const DEFINITIONS: ResourceRef<CustomResourceDefinition> = {
  ...{ group: 'apiextensions.k8s.io', version: 'v1', plural: 'customresourcedefinitions' },
  ...{ kind: 'CustomResourceDefinition', namespaced: false },
}

export interface NeatPrinting {
  /** To read the definitions of custom kinds with; absent: nothing is known of these. */
  readonly client?: Client | undefined
  /** What kinds are called in paths. */
  readonly resources: readonly Pick<ResourceRef, 'group' | 'plural' | 'kind'>[]
  readonly withNamespace: boolean
}

/** Each object as a document, in their order. */
export async function neatDocuments(objects: readonly KubeObject[], printing: NeatPrinting): Promise<string[]> {
  const { dump, YAML11_SCHEMA } = await import('js-yaml')
  const kinds = new Map<string, Promise<Kind | undefined>>()
  return Promise.all(
    objects.map(async (object) => {
      const key = `${object.apiVersion} ${object.kind}`
      const kind = kinds.get(key) ?? kindOf(object, printing)
      kinds.set(key, kind)
      const shown = inOrder(neat(object, { kind: await kind, withNamespace: printing.withNamespace }), true)
      return dump(shown, { schema: YAML11_SCHEMA, noRefs: true, lineWidth: -1, seqNoIndent: true })
    }),
  )
}

async function kindOf({ apiVersion = '', kind = '' }: KubeObject, printing: NeatPrinting): Promise<Kind | undefined> {
  const [version = '', group = ''] = apiVersion.split('/').reverse()
  const builtin = await builtinKind(apiVersion, kind)
  const resource = printing.resources.find((one) => one.group === group && one.kind === kind)
  if (builtin || isBuiltIn(group) || !printing.client || !resource) return builtin
  try {
    return await customKind(await printing.client.get(DEFINITIONS, `${resource.plural}.${group}`), version)
  } catch (error) {
    // Who may not read definitions gets what is known of every kind.
    if (!isUnavailable(error)) throw error
    return undefined
  }
}

const FIRST = ['apiVersion', 'kind', 'metadata']

function inOrder(value: unknown, isObject = false): unknown {
  if (Array.isArray(value)) return value.map((element) => inOrder(element))
  if (typeof value !== 'object' || value === null) return value
  const rank = (name: string) => (isObject ? FIRST.indexOf(name) + 1 || FIRST.length + 1 : name === 'name' ? 0 : 1)
  const entries = Object.entries(value).sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([name, member]) => [name, inOrder(member)]))
}
