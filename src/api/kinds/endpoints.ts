/** Endpoints: deprecated, still written for older readers. */
import type { Endpoints } from '../types.ts'
import { ageColumn, column } from './columns.ts'
import type { DefinitionInput } from './define.ts'

/** As many addresses as kubectl shows before it says how many more there are. */
const SHOWN = 3

export const endpoints: DefinitionInput = {
  kind: 'Endpoints',
  plural: 'endpoints',
  singular: 'endpoints',
  shortNames: ['ep'],
  deprecation: 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
  columns: [column('Endpoints', (object) => summary(object as Endpoints)), ageColumn],
  strategy: { allowCreateOnUpdate: true },
}

function summary(endpoints: Endpoints): string {
  const shown: string[] = []
  let count = 0
  for (const subset of endpoints.subsets ?? []) {
    const ports = subset.ports?.length ? subset.ports.map((p) => `:${p.port}`) : ['']
    for (const port of ports) {
      for (const address of subset.addresses ?? []) {
        count += 1
        if (shown.length < SHOWN) shown.push(port && address.ip.includes(':') ? `[${address.ip}]${port}` : address.ip + port)
      }
    }
  }
  if (count === 0) return '<none>'
  return shown.join(',') + (count > SHOWN ? ` + ${count - SHOWN} more...` : '')
}
