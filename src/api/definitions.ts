/** Every built-in kind that Kubernetes 1.36 serves as stable, in the order discovery lists groups. */
import type { ResourceDefinition } from './definition.ts'
import { admissionregistrationDefinitions } from './kinds/admissionregistration.ts'
import { apiextensionsDefinitions } from './kinds/apiextensions.ts'
import { apiregistrationDefinitions } from './kinds/apiregistration.ts'
import { appsDefinitions } from './kinds/apps.ts'
import { autoscalingDefinitions } from './kinds/autoscaling.ts'
import { batchDefinitions } from './kinds/batch.ts'
import { certificatesDefinitions } from './kinds/certificates.ts'
import { coordinationDefinitions } from './kinds/coordination.ts'
import { coreDefinitions } from './kinds/core.ts'
import { defineGroup } from './kinds/define.ts'
import { discoveryDefinitions } from './kinds/discovery.ts'
import { newEvent } from './kinds/event.ts'
import { flowcontrolDefinitions } from './kinds/flowcontrol.ts'
import { networkingDefinitions } from './kinds/networking.ts'
import { policyDefinitions } from './kinds/policy.ts'
import { rbacDefinitions } from './kinds/rbac.ts'
import { resourceDefinitions } from './kinds/resource.ts'
import { reviewDefinitions } from './kinds/reviews.ts'
import { nodeApiDefinitions } from './kinds/runtime-class.ts'
import { schedulingDefinitions } from './kinds/scheduling.ts'
import { storageDefinitions } from './kinds/storage.ts'

export const builtinDefinitions: readonly ResourceDefinition[] = [
  ...coreDefinitions,
  ...apiregistrationDefinitions,
  ...appsDefinitions,
  ...defineGroup({ group: 'events.k8s.io', version: 'v1', package: 'events/v1' }, [newEvent]),
  ...reviewDefinitions,
  ...autoscalingDefinitions,
  ...batchDefinitions,
  ...certificatesDefinitions,
  ...networkingDefinitions,
  ...policyDefinitions,
  ...rbacDefinitions,
  ...storageDefinitions,
  ...admissionregistrationDefinitions,
  ...apiextensionsDefinitions,
  ...schedulingDefinitions,
  ...coordinationDefinitions,
  ...nodeApiDefinitions,
  ...discoveryDefinitions,
  ...flowcontrolDefinitions,
  ...resourceDefinitions,
]
