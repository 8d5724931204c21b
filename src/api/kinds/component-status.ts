/** ComponentStatus: read only, and deprecated since 1.19. */
import { column } from './columns.ts'
import type { DefinitionInput } from './define.ts'

const healthy = (object: object) => (object as { conditions?: Condition[] }).conditions?.find((c) => c.type === 'Healthy')

interface Condition {
  type: string
  status: string
  message?: string
  error?: string
}

export const componentStatus: DefinitionInput = {
  kind: 'ComponentStatus',
  plural: 'componentstatuses',
  shortNames: ['cs'],
  namespaced: false,
  verbs: ['get', 'list'],
  deprecation: 'v1 ComponentStatus is deprecated in v1.19+',
  columns: [
    column('Status', (object) => {
      const condition = healthy(object)
      if (!condition) return 'Unknown'
      return condition.status === 'True' ? 'Healthy' : 'Unhealthy'
    }),
    column('Message', (object) => healthy(object)?.message ?? ''),
    column('Error', (object) => healthy(object)?.error ?? ''),
  ],
}
