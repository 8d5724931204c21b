/** Whether an object is as a requirement wants it. Pure; what is usual for a kind is what its users mean by "it is up". */
import { evaluateSteps } from '../json-path.ts'
import { parsePath } from '../json-path-text.ts'
import type { KubeObject } from '../object.ts'

export interface Verdict {
  met: boolean
  /** Why not, without the object's name: `0 of 3 replicas are ready`. Empty when it is met. */
  why: string
}

export const MET: Verdict = { met: true, why: '' }
const EXISTS = 'Exists'
const not = (why: string): Verdict => ({ met: false, why })

/** A condition that kinds have without saying so by name. */
const USUAL: Readonly<Record<string, (object: KubeObject) => Verdict>> = {
  Pod: (object) => ofType(object, 'Ready'),
  Node: (object) => ofType(object, 'Ready'),
  Deployment: (object) => ofType(object, 'Available'),
  Job: (object) => ofType(object, 'Complete'),
  APIService: (object) => ofType(object, 'Available'),
  CustomResourceDefinition: (object) => ofType(object, 'Established'),
  StatefulSet: allReady,
  ReplicaSet: allReady,
  ReplicationController: allReady,
  DaemonSet: ({ status }) => counted(status?.numberReady ?? 0, status?.desiredNumberScheduled ?? 0),
  PersistentVolumeClaim: (object) => phase(object, 'Bound'),
  Namespace: (object) => phase(object, 'Active'),
}

/** `condition` absent: what is usual for the kind, or that it exists. An object that goes away does not hold. */
export function verdictOf(object: KubeObject, condition: string | undefined): Verdict {
  if (object.metadata.deletionTimestamp !== undefined) return not('it is being deleted')
  if (condition === undefined) return USUAL[object.kind ?? '']?.(object) ?? MET
  if (condition === EXISTS) return MET
  const path = /^jsonpath=\{(.*?)\}(?:=(.*))?$/s.exec(condition)
  if (path) return atPath(object, path[1] ?? '', path[2])
  if (condition === 'Ready' && !hasCondition(object, 'Ready') && USUAL[object.kind ?? ''])
    return USUAL[object.kind ?? '']!(object)
  return ofType(object, condition)
}

function hasCondition({ status }: KubeObject, type: string): boolean {
  return ((status?.conditions ?? []) as { type: string }[]).some((condition) => condition.type === type)
}

function ofType({ status, metadata }: KubeObject, type: string): Verdict {
  const conditions = (status?.conditions ?? []) as { type: string; status: string; reason?: string; message?: string }[]
  if (metadata.generation !== undefined && status?.observedGeneration !== undefined) {
    if (status.observedGeneration < metadata.generation) return not('its controller has not seen its latest change')
  }
  const found = conditions.find((condition) => condition.type === type)
  if (found?.status === 'True') return MET
  const failed = conditions.find((condition) => condition.type === 'Failed' && condition.status === 'True')
  if (failed) return not(`it failed${failed.message ? `: ${failed.message}` : ''}`)
  if (!found) return not(`not ${type} yet`)
  return not(`not ${type}${found.message || found.reason ? `: ${found.message || found.reason}` : ''}`)
}

function allReady({ spec, status, metadata }: KubeObject): Verdict {
  if ((status?.observedGeneration ?? 0) < (metadata.generation ?? 0)) return not('its controller has not seen its latest change')
  return counted(status?.readyReplicas ?? 0, spec?.replicas ?? 1)
}

function counted(ready: number, wanted: number): Verdict {
  if (wanted === 0) return not('it is scaled to zero')
  return ready >= wanted ? MET : not(`${ready} of ${wanted} are ready`)
}

function phase({ status }: KubeObject, wanted: string): Verdict {
  return status?.phase === wanted ? MET : not(`its phase is ${status?.phase ?? 'not set'}, not ${wanted}`)
}

function atPath(object: KubeObject, path: string, wanted: string | undefined): Verdict {
  const found = evaluateSteps(parsePath(path), object).map((value) => (typeof value === 'string' ? value : JSON.stringify(value)))
  if (wanted === undefined) return found.length > 0 ? MET : not(`{${path}} has no value`)
  if (found.includes(wanted)) return MET
  return not(`{${path}} is ${found.length > 0 ? found.join(',') : 'not set'}, not ${wanted}`)
}
