/**
 * The extension of a container's stages: annotations about notifying, timeouts and pre-start hooks are checked as pods and
 * templates are written, and a hook becomes an init container with its container's image, environment and mounts.
 */
import type { AdmissionPlugin, AdmissionRequest } from '../../api/admission.ts'
import { type AnnotationProblem, NOTIFY, NOTIFY_PREFIX, TIMEOUTS, TIMEOUTS_PREFIX } from '../../api/extensions/names.ts'
import { notifyWishes } from '../../api/extensions/notify.ts'
import {
  PRE_START_FAILURE_PREFIX,
  PRE_START_PREFIX,
  type PreStart,
  preStartName,
  preStartWishes,
} from '../../api/extensions/pre-start.ts'
import { timeoutWishes } from '../../api/extensions/stage-timeouts.ts'
import { invalid as invalidField } from '../../api/field-errors.ts'
import type { KubeObject } from '../../api/object.ts'
import { invalid } from '../../api/status.ts'
import type { Container, Pod } from '../../api/types.ts'
import type { Extension } from '../extension.ts'
import { templatePlace, writesPods } from '../fields/templates.ts'

export const stages: Extension = { name: 'stages', admission: () => [stagesAdmission] }

const OWN = [NOTIFY, TIMEOUTS]
const OWN_PREFIXES = [NOTIFY_PREFIX, TIMEOUTS_PREFIX, PRE_START_PREFIX, PRE_START_FAILURE_PREFIX]

const stagesAdmission: AdmissionPlugin = {
  name: 'Stages',
  handles: writesPods,
  mutate(request) {
    const place = templatePlace(request.definition.group, request.definition.plural)
    const podOf = (object: KubeObject | undefined) => (place ? object && place.of(object) : object) as PodLike | undefined
    const pod = podOf(request.object)
    if (!pod || !isConcerned(pod)) return
    refuse(request, pod, place ? `${place.at}.` : '', podOf(request.old))
    if (!place && request.operation === 'CREATE') compile(pod)
  },
}

type PodLike = Pick<Pod, 'spec'> & { metadata?: Pod['metadata'] }

function isConcerned({ metadata }: PodLike): boolean {
  for (const name in metadata?.annotations)
    if (name.startsWith('skiff.dev/') && (OWN.includes(name) || OWN_PREFIXES.some((prefix) => name.startsWith(prefix))))
      return true
  return false
}

/** What was wrong before stands in nobody's way. */
function refuse(request: AdmissionRequest, pod: PodLike, at: string, old: PodLike | undefined): void {
  const known = new Set(old ? problemsOf(old).map(textOf) : [])
  const annotations = pod.metadata?.annotations ?? {}
  const errors = problemsOf(pod)
    .filter((problem) => !known.has(textOf(problem)))
    .map(({ annotation, message }) => invalidField(`${at}metadata.annotations[${annotation}]`, annotations[annotation], message))
  if (errors.length > 0) throw invalid(request.definition, request.object?.metadata.name || request.name, errors)
}

const textOf = ({ annotation, message }: AnnotationProblem): string => `${annotation}: ${message}`

function problemsOf({ metadata = {}, spec }: PodLike): AnnotationProblem[] {
  const pod = { metadata, spec }
  return [...notifyWishes(pod).problems, ...timeoutWishes(pod).problems, ...preStartWishes(pod).problems]
}

/** Hooks come after the pod's own init containers, in the order of their containers. */
function compile({ metadata = {}, spec }: PodLike): void {
  const { hooks } = preStartWishes({ metadata, spec })
  if (!spec || hooks.length === 0) return
  const present = new Set(spec.initContainers?.map(({ name }) => name))
  const made = spec.containers.flatMap((container) => {
    const hook = hooks.find((one) => one.container === container.name)
    return hook && !present.has(preStartName(container.name)) ? [hookContainer(container, hook)] : []
  })
  spec.initContainers = [...(spec.initContainers ?? []), ...made]
}

/** All that belongs to where a process runs, and nothing that belongs to a service: no ports, probes or hooks. */
function hookContainer(container: Container, { command }: PreStart): Container {
  const { image, imagePullPolicy, env, envFrom, volumeMounts, volumeDevices, workingDir, securityContext, resources } = container
  const copied = { image, imagePullPolicy, env, envFrom, volumeMounts, volumeDevices, workingDir, securityContext, resources }
  const given = Object.fromEntries(Object.entries(copied).filter(([, value]) => value !== undefined))
  return { name: preStartName(container.name), ...structuredClone(given), command: [...command] }
}
