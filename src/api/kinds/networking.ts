/** networking.k8s.io/v1: the list of its kinds. */
import { defineGroup } from './define.ts'
import { ingress, ingressClass } from './ingress.ts'
import { networkPolicy } from './network-policy.ts'
import { ipAddress, serviceCidr } from './service-cidr.ts'

export const networkingDefinitions = defineGroup({ group: 'networking.k8s.io', version: 'v1', package: 'networking/v1' }, [
  ingressClass,
  ingress,
  ipAddress,
  networkPolicy,
  serviceCidr,
])
