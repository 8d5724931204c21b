/** What happens to a Service when it is written. */
import type { Strategy } from '../definition.ts'
import { statusStrategy } from './define.ts'

export const serviceStrategy: Strategy = statusStrategy(() => ({ loadBalancer: {} }), {
  returnsDeleted: true,
  allowCreateOnUpdate: true,
  countsGeneration: false,
})
