/** core/v1: the list of its kinds. */

import { binding } from './binding.ts'
import { componentStatus } from './component-status.ts'
import { configMap, serviceAccount } from './config.ts'
import { defineGroup } from './define.ts'
import { endpoints } from './endpoints.ts'
import { coreEvent } from './event.ts'
import { limitRange } from './limit-range.ts'
import { namespace } from './namespace.ts'
import { node } from './node.ts'
import { persistentVolume } from './persistent-volume.ts'
import { persistentVolumeClaim } from './persistent-volume-claim.ts'
import { pod } from './pod.ts'
import { podTemplate } from './pod-template.ts'
import { resourceQuota } from './quota.ts'
import { replicationController } from './replication-controller.ts'
import { secret } from './secret.ts'
import { service } from './service.ts'

export const coreDefinitions = defineGroup({ group: '', version: 'v1', package: 'core/v1' }, [
  binding,
  componentStatus,
  configMap,
  endpoints,
  coreEvent,
  limitRange,
  namespace,
  node,
  persistentVolumeClaim,
  persistentVolume,
  pod,
  podTemplate,
  replicationController,
  resourceQuota,
  secret,
  serviceAccount,
  service,
])
