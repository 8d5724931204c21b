/** Where an object keeps its pod template: at the known place of Kubernetes' own kinds, wherever it stands in a custom resource. */
import type { KubeObject } from '../api/object.ts'
import type { PodTemplateSpec } from '../api/types.ts'
import { isBuiltIn } from './names/candidate.ts'

/** Names of the fields on the way to the object that has the pod's `metadata` and `spec`; empty for a pod itself. */
export type TemplatePath = readonly string[]

const KNOWN: Record<string, TemplatePath> = {
  Pod: [],
  PodTemplate: ['template'],
  ReplicationController: ['spec', 'template'],
  Deployment: ['spec', 'template'],
  ReplicaSet: ['spec', 'template'],
  StatefulSet: ['spec', 'template'],
  DaemonSet: ['spec', 'template'],
  Job: ['spec', 'template'],
  CronJob: ['spec', 'jobTemplate', 'spec', 'template'],
}
/** A custom resource may nest its templates; deeper than this is no template but data. */
const MAX_DEPTH = 6

/** None when the object has no pod template; several when a custom resource has several. */
export function templatePathsOf(object: KubeObject, group: string): TemplatePath[] {
  const known = isBuiltIn(group) ? KNOWN[object.kind ?? ''] : undefined
  if (known) return templateAt(object, known) ? [known] : []
  if (isBuiltIn(group)) return []
  const found: TemplatePath[] = []
  search(object.spec, ['spec'], found)
  return found
}

export function templateAt(object: KubeObject, path: TemplatePath): PodTemplateSpec | undefined {
  let value: unknown = object
  for (const name of path) value = (value as Record<string, unknown> | undefined)?.[name]
  return value as PodTemplateSpec | undefined
}

/** A patch that puts `change` where the template is. */
export function patchAt(path: TemplatePath, change: object): object {
  return path.reduceRight<object>((inner, name) => ({ [name]: inner }), change)
}

/** What is inside a template is part of it. Lists are data: a template in one cannot be patched by its place. */
function search(value: unknown, path: string[], found: TemplatePath[]): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || path.length > MAX_DEPTH) return
  if (isTemplate(value)) {
    found.push(path)
    return
  }
  for (const [name, member] of Object.entries(value)) search(member, [...path, name], found)
}

function isTemplate(value: object): boolean {
  const containers = (value as { spec?: { containers?: unknown } }).spec?.containers
  return Array.isArray(containers) && containers.every((one) => typeof one?.name === 'string')
}
