/** What happens to a pod when it is written: defaults, status kept or reset, and which rules apply. */
import type { Strategy } from '../definition.ts'

export const podStrategy: Strategy = {
  prepareForCreate: (object) => {
    object.status = { phase: 'Pending' }
  },
  prepareForUpdate: (object, old) => {
    object.status = old.status
  },
  prepareForStatusUpdate: (object, old) => {
    object.spec = old.spec
  },
  returnsDeleted: true,
}
