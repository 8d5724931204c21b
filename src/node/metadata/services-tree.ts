/** The Services of a namespace with where they are answered, from their EndpointSlices. Pure. */
import type { EndpointSlice, Service } from '../../api/types.ts'
import { type Fields, stringMap, type Value } from './value.ts'

const SERVICE_NAME = 'kubernetes.io/service-name'

export function servicesTree(services: readonly Service[], slices: readonly EndpointSlice[]): Value {
  const byService = new Map<string, EndpointSlice[]>()
  for (const slice of slices) {
    const name = slice.metadata.labels?.[SERVICE_NAME]
    if (!name) continue
    const known = byService.get(name)
    if (known) known.push(slice)
    else byService.set(name, [slice])
  }
  const named = services.map((service) => [service.metadata.name ?? '', service] as const)
  named.sort(([a], [b]) => (a < b ? -1 : 1))
  return new Map(named.map(([name, service]) => [name, serviceTree(service, byService.get(name) ?? [])]))
}

function serviceTree({ metadata, spec }: Service, slices: readonly EndpointSlice[]): Fields {
  return {
    type: spec?.type ?? 'ClusterIP',
    ...(spec?.clusterIP && { clusterIp: spec.clusterIP }),
    ...(spec?.externalName && { externalName: spec.externalName }),
    labels: stringMap(metadata.labels),
    ports: (spec?.ports ?? []).map(({ name, port, protocol, targetPort }) => ({
      ...(name && { name }),
      port,
      protocol: protocol ?? 'TCP',
      ...(targetPort !== undefined && { targetPort }),
    })),
    endpoints: slices.flatMap(endpointsOf),
  }
}

function endpointsOf({ endpoints = [], ports = [] }: EndpointSlice): Fields[] {
  const shown = (ports ?? []).map(({ name, port, protocol }) => ({
    ...(name && { name }),
    ...(port !== undefined && { port }),
    protocol: protocol ?? 'TCP',
  }))
  return (endpoints ?? []).flatMap(({ addresses, conditions, nodeName, zone, targetRef }) =>
    addresses.map((ip) => ({
      ip,
      ready: conditions?.ready ?? true,
      terminating: conditions?.terminating ?? false,
      ...(nodeName && { nodeName }),
      ...(zone && { zone }),
      ...(targetRef?.kind === 'Pod' && targetRef.name && { podName: targetRef.name }),
      ports: shown,
    })),
  )
}
