/** What happens to a pod when it is written: defaults, status kept or reset, and which rules apply. */
import type { Strategy } from '../definition.ts'
import type { KubeObject } from '../object.ts'
import type { Pod } from '../types.ts'
import { defaultPod } from './pod-defaults.ts'
import { qosClass } from './pod-qos.ts'
import { checkNewPod } from './pod-rules.ts'
import {
  checkEphemeralContainersUpdate,
  checkPodStatusUpdate,
  checkPodUpdate,
  checkResize,
  withResources,
} from './pod-update-rules.ts'
import { warnOfName, warnOfPod } from './pod-warnings.ts'
import { collect } from './rules.ts'

const pod = (object: KubeObject) => object as Pod

export const podStrategy: Strategy = {
  defaults: (object) => defaultPod(pod(object)),
  prepareForCreate: (object, { now }) => {
    object.status = { phase: 'Pending', qosClass: qosClass(object.spec) }
    if (object.spec.schedulingGates?.length) object.status.conditions = [gatedCondition(now)]
  },
  prepareForUpdate: (object, old) => {
    object.status = old.status
  },
  prepareForStatusUpdate: (object, old) => {
    object.spec = old.spec
    object.metadata.ownerReferences = old.metadata.ownerReferences
    const { status } = object
    if (status && old.status?.qosClass) status.qosClass ??= old.status.qosClass
    if (status?.podIP && !status.podIPs?.length) status.podIPs = [{ ip: status.podIP }]
    if (status?.hostIP && !status.hostIPs?.length) status.hostIPs = [{ ip: status.hostIP }]
  },
  validate: (object) => collect((errors) => checkNewPod(pod(object), errors)),
  validateUpdate: (object, old) => collect((errors) => checkPodUpdate(pod(object), pod(old), errors)),
  validateStatusUpdate: (object, old) => collect((errors) => checkPodStatusUpdate(pod(object), pod(old), errors)),
  warnings: (object, old) => (old ? NO_WARNINGS : newPodWarnings(pod(object))),
  returnsDeleted: true,
  deletionGraceSeconds: graceSeconds,
}

const NO_WARNINGS: string[] = []

/** Updates of pods are the machinery's, which reads no warnings. */
function newPodWarnings({ metadata, spec }: Pod): string[] {
  const warnings: string[] = []
  warnOfName(metadata?.name, "the Pod's hostname", warnings)
  if (spec) warnOfPod(spec, metadata, '', warnings)
  return warnings
}

function gatedCondition(now: string) {
  return {
    type: 'PodScheduled',
    status: 'False',
    lastProbeTime: null,
    lastTransitionTime: now,
    reason: 'SchedulingGated',
    message: 'Scheduling is blocked due to non-empty scheduling gates',
  }
}

/** A pod that no node has, or that has ended, needs no time to stop. */
function graceSeconds(object: KubeObject, requested?: number): number {
  const { spec, status } = pod(object)
  if (!spec?.nodeName || status?.phase === 'Failed' || status?.phase === 'Succeeded') return 0
  const seconds = requested ?? spec.terminationGracePeriodSeconds ?? 30
  return seconds < 0 ? 1 : seconds
}

/** Takes from the new pod only what the subresource is about. */
export const ephemeralContainersStrategy: Pick<Strategy, 'prepareForUpdate' | 'validateUpdate'> = {
  prepareForUpdate: (object, old) => {
    object.status = old.status
    object.spec = { ...old.spec, ephemeralContainers: object.spec?.ephemeralContainers }
    keepMetadata(object, old)
  },
  validateUpdate: (object, old) => collect((errors) => checkEphemeralContainersUpdate(pod(object), pod(old), errors)),
}

export const resizeStrategy: Pick<Strategy, 'prepareForUpdate' | 'validateUpdate'> = {
  prepareForUpdate: (object, old) => {
    object.status = old.status
    object.spec = withResources(object.spec, old.spec)
    keepMetadata(object, old)
  },
  validateUpdate: (object, old) => collect((errors) => checkResize(pod(object), pod(old), errors)),
}

/** Everything of the metadata but what the server itself keeps there. */
function keepMetadata(object: KubeObject, old: KubeObject): void {
  const { managedFields, resourceVersion } = object.metadata
  object.metadata = { ...old.metadata, managedFields, resourceVersion }
}
