/** What must be known of a kind to tell what its server filled in: its schema, and the defaults beyond it. */
import type { ResourceDefinition } from '../../api/definition.ts'
import type { KubeObject } from '../../api/object.ts'
import { builtinSchema } from '../../api/schema/builtin.ts'
import { applyDefaults } from '../../api/schema/defaults.ts'
import type { StructSchema } from '../../api/schema/schema.ts'
import type { CustomResourceDefinition } from '../../api/types.ts'

export interface Kind {
  readonly schema: StructSchema
  /** Edits the object in place, as a server does that gets it. */
  readonly fill: (object: KubeObject) => void
}

/** Kubernetes' own, in this version; undefined for others. */
export async function builtinKind(apiVersion: string, kind: string): Promise<Kind | undefined> {
  const { builtinDefinitions } = await import('../../api/definitions.ts')
  const [version = '', group = ''] = apiVersion.split('/').reverse()
  const found = builtinDefinitions.find((one) => one.kind === kind && one.group === group && one.version === version)
  return found && kindOf(found)
}

export async function customKind(definition: CustomResourceDefinition, version: string): Promise<Kind | undefined> {
  const { compileStructural } = await import('../../api/schema/structural.ts')
  const found = definition.spec.versions.find(({ name }) => name === version)
  if (!found) return undefined
  const { preserveUnknownFields } = definition.spec
  const schema = compileStructural(found.schema?.openAPIV3Schema, { preserveUnknownFields: preserveUnknownFields === true })
  return { schema, fill: (object) => applyDefaults(schema, object) }
}

function kindOf({ schema: named, strategy }: ResourceDefinition): Kind {
  const schema = typeof named === 'string' ? builtinSchema(named) : (named as StructSchema)
  return {
    schema,
    fill(object) {
      applyDefaults(schema, object)
      strategy.defaults?.(object)
    },
  }
}
