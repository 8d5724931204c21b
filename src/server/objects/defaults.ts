/** Fills in what an object leaves open: first what its schema says, then what its kind's own rules say. */

import type { KubeObject } from '../../api/object.ts'
import { applyDefaults } from '../../api/schema/defaults.ts'
import type { Resource } from '../registry.ts'
import { schemaOf } from './schema.ts'

/** Edits the object in place. */
export function setDefaults(resource: Resource, object: KubeObject): void {
  applyDefaults(schemaOf(resource), object)
  resource.definition.strategy.defaults?.(object)
}
