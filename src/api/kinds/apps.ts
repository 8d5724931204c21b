/** apps/v1: the list of its kinds. */
import { controllerRevision } from './controller-revision.ts'
import { daemonSet } from './daemon-set.ts'
import { defineGroup } from './define.ts'
import { deployment } from './deployment.ts'
import { replicaSet } from './replica-set.ts'
import { statefulSet } from './stateful-set.ts'

export const appsDefinitions = defineGroup({ group: 'apps', version: 'v1', package: 'apps/v1' }, [
  controllerRevision,
  daemonSet,
  deployment,
  replicaSet,
  statefulSet,
])
