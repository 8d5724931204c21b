/** The types that objects have in expressions, from the server's OpenAPI (v3): the same for built-in kinds, custom ones and those of other servers. */
import { schemaType } from '../../api/cel/schema-types.ts'
import type { Type } from '../../api/cel/types.ts'
import type { JsonSchema } from '../../api/schema/schema.ts'
import { StatusError } from '../../api/status.ts'
import type { APIResourceList } from '../../api/types.ts'
import type { Client } from '../../client/client.ts'

export interface KindName {
  readonly group: string
  readonly version: string
  readonly kind: string
}

type Component = JsonSchema & {
  readonly $ref?: string
  readonly allOf?: readonly Component[]
  readonly 'x-kubernetes-group-version-kind'?: readonly KindName[]
}

/** Reads each document once; made for one look at one policy. */
export class OpenApiTypes {
  readonly #client: Client
  readonly #signal: AbortSignal
  readonly #documents = new Map<string, Promise<Record<string, Component>>>()

  constructor(client: Client, signal: AbortSignal) {
    this.#client = client
    this.#signal = signal
  }

  /** The kinds that a resource is, of which there is one at most; none when it is not served. */
  async kindsOf(group: string, version: string, plural: string): Promise<KindName[]> {
    const { resources = [] } = await this.#get<Partial<APIResourceList>>(`/${pathOf(group, version)}`, {})
    return resources.filter(({ name }) => name === plural).map(({ kind }) => ({ group, version, kind }))
  }

  /** Undefined when nothing describes the kind. */
  async typeOf({ group, version, kind }: KindName): Promise<Type | undefined> {
    const path = pathOf(group, version)
    const reading =
      this.#documents.get(path) ??
      this.#get<{ components?: { schemas?: Record<string, Component> } }>(`/openapi/v3/${path}`, {}).then(
        ({ components }) => components?.schemas ?? {},
      )
    this.#documents.set(path, reading)
    const schemas = await reading
    const found = Object.values(schemas).find((schema) =>
      schema['x-kubernetes-group-version-kind']?.some(
        (one) => one.kind === kind && one.version === version && (one.group ?? '') === group,
      ),
    )
    return found && schemaType(resolved(found, schemas, []), true, kind)
  }

  async #get<T>(path: string, missing: T): Promise<T> {
    try {
      const headers = { accept: 'application/json' }
      const { object } = await this.#client.transport.request({ method: 'GET', path, headers, signal: this.#signal })
      return object as T
    } catch (error) {
      // A group that is not served is a missing page, whose answer gives no reason.
      if (error instanceof StatusError && error.code === 404) return missing
      throw error
    }
  }
}

function pathOf(group: string, version: string): string {
  return group ? `apis/${group}/${version}` : `api/${version}`
}

/** The schema with what it refers to in its place; where a type contains itself, that is left open. */
function resolved(schema: Component, schemas: Readonly<Record<string, Component>>, within: readonly string[]): JsonSchema {
  const only = schema.allOf?.length === 1 ? schema.allOf[0]?.$ref : undefined
  const reference = schema.$ref ?? only
  if (reference !== undefined) {
    const name = reference.slice(reference.lastIndexOf('/') + 1)
    const target = schemas[name]
    if (!target || within.includes(name)) return OPEN
    return resolved(target, schemas, [...within, name])
  }
  const { properties, items, additionalProperties } = schema
  // Either a number or text: nothing that a type could say.
  if (schema.format === 'int-or-string' || (schema.type === undefined && !schema.$ref)) return OPEN
  const inside = (one: JsonSchema) => resolved(one as Component, schemas, within)
  return {
    ...schema,
    ...(properties && {
      properties: Object.fromEntries(Object.entries(properties).map(([name, property]) => [name, inside(property)])),
    }),
    ...(items && !Array.isArray(items) && { items: inside(items as JsonSchema) }),
    ...(typeof additionalProperties === 'object' && { additionalProperties: inside(additionalProperties) }),
  } as JsonSchema
}

/** What expressions take for anything. */
const OPEN = { 'x-kubernetes-int-or-string': true } as JsonSchema
