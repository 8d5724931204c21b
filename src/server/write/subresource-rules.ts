/** What a write through a subresource may change, and how it is checked. */
import type { KubeObject } from '../../api/object.ts'
import type { WriteCall } from './call.ts'
import type { UpdateRules } from './update.ts'

/** Undefined for an ordinary write. */
export function rulesOf(call: WriteCall): UpdateRules | undefined {
  if (call.subresource === '') return undefined
  const { strategy, subresources } = call.resource.definition
  const context = { now: call.now }
  if (call.subresource === 'status') {
    const prepare = strategy.prepareForStatusUpdate ?? keepAllButStatus
    return { prepare: (object, old) => prepare(object, old, context), validate: strategy.validateStatusUpdate }
  }
  const own = subresources.find(({ name }) => name === call.subresource)?.strategy
  const prepare = own?.prepareForUpdate ?? keepAllButStatus
  return { prepare: (object, old) => prepare(object, old, context), validate: own?.validateUpdate }
}

const KEPT = new Set(['kind', 'apiVersion', 'metadata', 'status'])

function keepAllButStatus(object: KubeObject, old: KubeObject): void {
  for (const field in object) if (!KEPT.has(field) && old[field] === undefined) delete object[field]
  for (const field in old) if (!KEPT.has(field)) object[field] = old[field]
  object.metadata.labels = old.metadata.labels
}
