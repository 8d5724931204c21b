/** discovery.k8s.io/v1: EndpointSlice. */
import type { EndpointSlice } from '../types.ts'
import { ageColumn, column } from './columns.ts'
import { type DefinitionInput, defineGroup } from './define.ts'

/** As many as kubectl shows before it says how many more there are. */
const SHOWN = 3

function some(texts: readonly string[]): string {
  const more = texts.length - SHOWN
  return more > 0 ? `${texts.slice(0, SHOWN).join(',')} + ${more} more...` : texts.join(',')
}

function ports(slice: EndpointSlice): string {
  return slice.ports?.length ? some(slice.ports.map((port) => String(port.port || port.name || '*'))) : '<unset>'
}

function addresses(slice: EndpointSlice): string {
  const all = (slice.endpoints ?? []).flatMap((endpoint) => endpoint.addresses)
  return all.length > 0 ? some(all) : '<unset>'
}

const endpointSlice: DefinitionInput = {
  kind: 'EndpointSlice',
  plural: 'endpointslices',
  columns: [
    column('AddressType', (object) => object.addressType ?? ''),
    column('Ports', (object) => ports(object as unknown as EndpointSlice)),
    column('Endpoints', (object) => addresses(object as unknown as EndpointSlice)),
    ageColumn,
  ],
}

export const discoveryDefinitions = defineGroup({ group: 'discovery.k8s.io', version: 'v1', package: 'discovery/v1' }, [
  endpointSlice,
])
