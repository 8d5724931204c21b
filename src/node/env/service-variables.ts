/**
 * The variables that tell containers where Services are: `{SVC}_SERVICE_HOST`, `_SERVICE_PORT[_<PORT>]` and the older
 * `_PORT_<n>_<PROTO>…` family. Pure.
 */
import type { Service } from '../../api/types.ts'

/** Variables for Services that have an address; `services` in a stable order, later ones win. */
export function serviceVariables(services: readonly Service[]): { name: string; value: string }[] {
  return services.filter(hasAddress).flatMap(variablesOf)
}

function hasAddress(service: Service): boolean {
  const address = service.spec?.clusterIP
  return address !== undefined && address !== '' && address !== 'None'
}

function variablesOf(service: Service): { name: string; value: string }[] {
  const prefix = constant(service.metadata.name ?? '')
  const host = service.spec?.clusterIP ?? ''
  const ports = service.spec?.ports ?? []
  const first = ports[0]
  if (!first) return []
  const variables = [
    { name: `${prefix}_SERVICE_HOST`, value: host },
    { name: `${prefix}_SERVICE_PORT`, value: String(first.port) },
  ]
  for (const { name, port } of ports) {
    if (name) variables.push({ name: `${prefix}_SERVICE_PORT_${constant(name)}`, value: String(port) })
  }
  ports.forEach(({ port, protocol = 'TCP' }, index) => {
    const url = `${protocol.toLowerCase()}://${host.includes(':') ? `[${host}]` : host}:${port}`
    const stem = `${prefix}_PORT_${port}_${protocol.toUpperCase()}`
    if (index === 0) variables.push({ name: `${prefix}_PORT`, value: url })
    variables.push(
      { name: stem, value: url },
      { name: `${stem}_PROTO`, value: protocol.toLowerCase() },
      { name: `${stem}_PORT`, value: String(port) },
      { name: `${stem}_ADDR`, value: host },
    )
  })
  return variables
}

function constant(name: string): string {
  return name.toUpperCase().replaceAll('-', '_')
}

/** The Services a pod hears of: those of its namespace if it wants links, and always the API server's. */
export function visibleServices(all: readonly Service[], namespace: string, links: boolean): Service[] {
  return all
    .filter(({ metadata }) => (links && metadata.namespace === namespace) || isMaster(metadata))
    .sort((a, b) => Number(isMaster(b.metadata)) - Number(isMaster(a.metadata)) || byName(a, b))
}

function isMaster(metadata: { namespace?: string | undefined; name?: string | undefined }): boolean {
  return metadata.namespace === 'default' && metadata.name === 'kubernetes'
}

function byName(a: Service, b: Service): number {
  return (a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1
}
