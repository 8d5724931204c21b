/** `metadata.generation`: how often what is wanted of an object has changed. */
import type { KubeObject } from '../../api/object.ts'
import { equalJson } from '../objects/json.ts'
import { schemaOf } from '../objects/schema.ts'
import type { Resource } from '../registry.ts'

/** Whether this kind counts: as its strategy says, else when it has both a spec and a status. */
export function countsGeneration(resource: Resource): boolean {
  const { countsGeneration: stated } = resource.definition.strategy
  if (stated !== undefined) return stated
  const { fields } = schemaOf(resource)
  return fields.has('spec') && fields.has('status')
}

/** Sets the generation of an updated object: one more than before when what counts has changed, usually all but metadata and status. */
export function setGeneration(resource: Resource, object: KubeObject, old: KubeObject): void {
  const before = old.metadata.generation
  const counted = countsGeneration(resource)
  if (!counted || !wantsSomethingElse(resource, object, old)) {
    if (before === undefined) delete object.metadata.generation
    else object.metadata.generation = before
  } else object.metadata.generation = (before ?? 0) + 1
}

function wantsSomethingElse(resource: Resource, object: KubeObject, old: KubeObject): boolean {
  const { generationFields, generationMetadata, generationCountsStatus } = resource.definition.strategy
  for (const field of generationMetadata ?? []) if (!equalJson(object.metadata[field], old.metadata[field])) return true
  if (generationFields) return generationFields.some((field) => !equalJson(object[field], old[field]))
  const isOther = generationCountsStatus ? isMetadata : isMetadataOrStatus
  for (const key in object) if (!isOther(key) && !equalJson(object[key], old[key])) return true
  for (const key in old) if (!isOther(key) && old[key] !== undefined && object[key] === undefined) return true
  return false
}

function isMetadata(key: string): boolean {
  return key === 'metadata' || key === 'kind' || key === 'apiVersion'
}

function isMetadataOrStatus(key: string): boolean {
  return key === 'status' || isMetadata(key)
}
