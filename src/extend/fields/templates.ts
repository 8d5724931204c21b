/** Where the kinds that make pods have their template, and which kind their pods belong to then. */
import type { AdmissionRequest } from '../../api/admission.ts'
import type { OwnerKind } from '../../api/downward/check.ts'
import type { KubeObject } from '../../api/object.ts'
import type { FieldsTarget } from './compile.ts'

export interface TemplatePlace {
  /** As errors name it. */
  readonly at: string
  readonly owner: OwnerKind | undefined
  of(object: KubeObject): FieldsTarget | undefined
}

const apps = (kind: string): TemplatePlace => inSpec({ apiVersion: 'apps/v1', kind })

function inSpec(owner: OwnerKind): TemplatePlace {
  return { at: 'spec.template', owner, of: (object) => object.spec?.template }
}

/** By `group/plural`. */
const PLACES: ReadonlyMap<string, TemplatePlace> = new Map([
  ['apps/deployments', apps('ReplicaSet')],
  ['apps/replicasets', apps('ReplicaSet')],
  ['apps/statefulsets', apps('StatefulSet')],
  ['apps/daemonsets', apps('DaemonSet')],
  ['batch/jobs', inSpec({ apiVersion: 'batch/v1', kind: 'Job' })],
  [
    'batch/cronjobs',
    {
      at: 'spec.jobTemplate.spec.template',
      owner: { apiVersion: 'batch/v1', kind: 'Job' },
      of: (object) => object.spec?.jobTemplate?.spec?.template,
    },
  ],
  ['/replicationcontrollers', inSpec({ apiVersion: 'v1', kind: 'ReplicationController' })],
  ['/podtemplates', { at: 'template', owner: undefined, of: (object) => object.template }],
])

export function templatePlace(group: string, plural: string): TemplatePlace | undefined {
  return PLACES.get(`${group}/${plural}`)
}

/** Whether a write makes or changes a pod, or an object that has a template for pods. Writes to subresources are other affairs. */
export function writesPods({ operation, definition: { group, plural }, subresource }: AdmissionRequest): boolean {
  if ((operation !== 'CREATE' && operation !== 'UPDATE') || subresource !== '') return false
  return isPods(group, plural) || templatePlace(group, plural) !== undefined
}

export function isPods(group: string, plural: string): boolean {
  return plural === 'pods' && group === ''
}

/** The template of an object of any kind that has one, by its apiVersion and kind. */
export function templateOf(object: KubeObject): FieldsTarget | undefined {
  return object.spec?.jobTemplate?.spec?.template ?? object.spec?.template ?? object.template
}
