/** The pods behind a Service, with the ports they answer on and whether they may be sent requests. Pure. */
import type { Node, Pod, Service, ServicePort } from '../../api/types.ts'
import { isReady, isTerminal } from '../parts/pods.ts'
import { compiledSet } from '../parts/selectors.ts'

export type Family = 'IPv4' | 'IPv6'

export interface Backend {
  pod: Pod
  address: string
  ports: BackendPort[]
  /** Passes its readiness checks. */
  serving: boolean
  terminating: boolean
  hostname: string | undefined
  zone: string | undefined
}

interface BackendPort {
  name: string
  port: number
  protocol: string
  appProtocol?: string
}

/** Services without a selector are looked after by somebody else; an ExternalName has no endpoints. */
export function hasSelector(service: Service): boolean {
  return service.spec?.type !== 'ExternalName' && Object.keys(service.spec?.selector ?? {}).length > 0
}

export function selects(service: Service, pod: Pod): boolean {
  return hasSelector(service) && compiledSet(service.spec?.selector).matches(pod.metadata.labels)
}

/** Without an address of its own, or with `None`: clients find the pods themselves. */
export function isHeadless(service: Service): boolean {
  const address = service.spec?.clusterIP
  return address === undefined || address === '' || address === 'None'
}

export function familiesOf(service: Service): Family[] {
  const families = (service.spec?.ipFamilies ?? []) as Family[]
  return families.length > 0 ? families : [service.spec?.clusterIP?.includes(':') ? 'IPv6' : 'IPv4']
}

/** The backends among `pods`, which are those of the Service's namespace. */
export function backendsOf(
  service: Service,
  pods: readonly Pod[],
  family: Family,
  nodeOf: (name: string) => Node | undefined,
): Backend[] {
  const backends: Backend[] = []
  for (const pod of pods) {
    if (isTerminal(pod) || !selects(service, pod)) continue
    const address = addressOf(pod, family)
    if (address === undefined) continue
    const zone = pod.spec?.nodeName && nodeOf(pod.spec.nodeName)?.metadata.labels?.['topology.kubernetes.io/zone']
    backends.push({
      pod,
      address,
      ports: portsOf(service, pod),
      serving: isReady(pod),
      terminating: pod.metadata.deletionTimestamp !== undefined,
      hostname: pod.spec?.hostname && pod.spec.subdomain === service.metadata.name ? pod.spec.hostname : undefined,
      zone: zone || undefined,
    })
  }
  return backends
}

function addressOf(pod: Pod, family: Family): string | undefined {
  const addresses = pod.status?.podIPs?.map(({ ip }) => ip) ?? []
  if (addresses.length === 0 && pod.status?.podIP) addresses.push(pod.status.podIP)
  return addresses.find((address) => address.includes(':') === (family === 'IPv6'))
}

function portsOf(service: Service, pod: Pod): BackendPort[] {
  const ports: BackendPort[] = []
  for (const servicePort of service.spec?.ports ?? []) {
    const protocol = servicePort.protocol ?? 'TCP'
    const port = targetOf(servicePort, protocol, pod)
    if (port === undefined) continue
    const { name = '', appProtocol } = servicePort
    ports.push({ name, port, protocol, ...(appProtocol && { appProtocol }) })
  }
  return ports
}

/** A named port is the container's of that name and protocol; a pod that has none does not answer on it. */
function targetOf({ port, targetPort }: ServicePort, protocol: string, pod: Pod): number | undefined {
  if (targetPort === undefined || targetPort === '' || targetPort === 0) return port
  if (typeof targetPort === 'number') return targetPort
  const sidecars = (pod.spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always')
  for (const container of [...(pod.spec?.containers ?? []), ...sidecars]) {
    for (const named of container.ports ?? [])
      if (named.name === targetPort && (named.protocol ?? 'TCP') === protocol) return named.containerPort
  }
  return undefined
}

/** Whether a change of a pod can change the endpoints of a Service that selects it. */
export function changesEndpoints(pod: Pod, old: Pod): boolean {
  return (
    isReady(pod) !== isReady(old) ||
    isTerminal(pod) !== isTerminal(old) ||
    pod.metadata.deletionTimestamp !== old.metadata.deletionTimestamp ||
    pod.spec?.nodeName !== old.spec?.nodeName ||
    pod.status?.podIP !== old.status?.podIP ||
    pod.status?.podIPs?.length !== old.status?.podIPs?.length ||
    pod.metadata.uid !== old.metadata.uid ||
    JSON.stringify(pod.metadata.labels) !== JSON.stringify(old.metadata.labels)
  )
}
