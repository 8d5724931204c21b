/** What happens to a Service when it is written: defaults, and which rules apply. Addresses and node ports are the server's to give. */
import type { Strategy } from '../definition.ts'
import type { KubeObject } from '../object.ts'
import type { Service, ServicePort, ServiceSpec } from '../types.ts'
import { statusStrategy } from './define.ts'
import { collect } from './rules.ts'
import { checkBalancerStatus, checkService, checkServiceUpdate, isExternallyReachable } from './service-rules.ts'
import { serviceWarnings } from './service-warnings.ts'

/** How long a client sticks to one endpoint unless the Service says otherwise: three hours. */
const AFFINITY_SECONDS = 10800

const service = (object: KubeObject) => object as Service

function setDefaults(service: Service): void {
  service.spec ??= {}
  const { spec } = service
  spec.sessionAffinity ||= 'None'
  if (spec.sessionAffinity === 'None') delete spec.sessionAffinityConfig
  if (spec.sessionAffinity === 'ClientIP') spec.sessionAffinityConfig = withTimeout(spec.sessionAffinityConfig)
  spec.type ||= 'ClusterIP'
  if (spec.ports) for (const port of spec.ports) defaultPort(port)
  if (isExternallyReachable(spec)) spec.externalTrafficPolicy ||= 'Cluster'
  if (spec.type !== 'ExternalName') spec.internalTrafficPolicy ??= 'Cluster'
  if (spec.type !== 'LoadBalancer') return
  spec.allocateLoadBalancerNodePorts ??= true
  for (const point of service.status?.loadBalancer?.ingress ?? []) if (point.ip) point.ipMode ??= 'VIP'
}

function withTimeout(config: ServiceSpec['sessionAffinityConfig']): NonNullable<ServiceSpec['sessionAffinityConfig']> {
  return { clientIP: { timeoutSeconds: config?.clientIP?.timeoutSeconds ?? AFFINITY_SECONDS } }
}

function defaultPort(port: ServicePort): void {
  port.protocol ||= 'TCP'
  port.targetPort ||= port.port
}

export const serviceStrategy: Strategy = statusStrategy(() => ({ loadBalancer: {} }), {
  defaults: (object) => setDefaults(service(object)),
  validate: (object) => collect((errors) => checkService(service(object), errors)),
  validateUpdate: (object, old) => collect((errors) => checkServiceUpdate(service(object), service(old), errors)),
  validateStatusUpdate: (object) => collect((errors) => checkBalancerStatus(service(object), errors)),
  prepareForStatusUpdate: (object, old) => {
    object.spec = old.spec
  },
  warnings: (object) => serviceWarnings(service(object)),
  returnsDeleted: true,
  allowCreateOnUpdate: true,
  countsGeneration: false,
  nameRule: 'label',
})
