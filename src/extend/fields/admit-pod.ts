/** A pod's own writes: its paths are compiled and filled in as it is created and bound, and kept from everybody's hands after. */
import type { AdmissionRequest } from '../../api/admission.ts'
import { annotationOf, FIELD_PREFIX, FIELDS_GATE, readSources, SOURCES_ANNOTATION } from '../../api/downward/annotations.ts'
import type { FieldSource } from '../../api/downward/source.ts'
import { timingOf } from '../../api/downward/timing.ts'
import { controllerOf, fieldValueOf } from '../../api/downward/value.ts'
import { equal } from '../../api/equal.ts'
import { invalid as invalidField } from '../../api/field-errors.ts'
import type { KubeObject } from '../../api/object.ts'
import { invalid } from '../../api/status.ts'
import type { Pod } from '../../api/types.ts'
import { annotationsOf, type Compiled, compileFields, hasFields, removeValues } from './compile.ts'
import { mayChange } from './keep-values.ts'
import { checkOnChange, ON_CHANGE_PREFIX } from './on-change.ts'
import { checkRights, type NewSource, type Rights, refusal } from './rights.ts'
import { valuesAt } from './values.ts'

export async function admitCreate(request: AdmissionRequest, rights: Rights): Promise<void> {
  const pod = request.object
  if (!pod || !(hasFields(pod) || asksOnChange(pod))) return
  const compiled = compilePod(request, pod, undefined)
  removeValues(pod.metadata.annotations)
  if (compiled.sources.size === 0) return
  await checkRights(request, allNew(compiled), ownerKind(pod), rights)
  const bound = Boolean(pod.spec?.nodeName)
  const seen = withNamespace(pod, request.namespace)
  const { known, missing } = await valuesAt(bound ? 'binding' : 'creation', compiled.sources, seen, rights.related)
  pod.metadata.annotations = { ...pod.metadata.annotations, ...known }
  if (missing.size === 0) return
  if (bound) refuseUnready(pod, compiled, missing)
  pod.spec.schedulingGates ??= []
  const gates: { name: string }[] = pod.spec.schedulingGates
  if (!gates.some(({ name }) => name === FIELDS_GATE)) gates.push({ name: FIELDS_GATE })
}

/** A pod that names its node itself is started at once, and cannot wait for a value. */
function refuseUnready(pod: KubeObject, { places }: Compiled, missing: ReadonlyMap<string, string>): never {
  const why = 'and a pod whose spec.nodeName is given cannot wait for it: leave that away, or give a default (?? "…")'
  const errors = [...missing].map(([key, reason]) => invalidField(places.get(key) ?? 'spec', reason, why))
  throw invalid({ group: '', kind: 'Pod' }, pod.metadata.name ?? '', errors)
}

export async function admitUpdate(request: AdmissionRequest, rights: Rights): Promise<void> {
  const { object: pod, old } = request
  if (!pod || !old || !(hasFields(pod) || hasFields(old) || asksOnChange(pod))) return
  // What has not changed has been admitted, or is from where there is no such admission: it must not stand in the way of others.
  const sources = isSame(pod, old) ? readSources(old.metadata.annotations) : compilePod(request, pod, old).sources
  await checkNewOwner(request, pod, old, sources, rights)
  removeValues(pod.metadata.annotations, annotationsOf(sources.keys()))
  for (const [key, source] of sources) {
    const name = annotationOf(key)
    const before = old.metadata.annotations?.[name]
    const now = pod.metadata.annotations?.[name]
    if (before === now) continue
    if (now === undefined) {
      // Left out by a writer who knows nothing of it.
      pod.metadata.annotations = { ...pod.metadata.annotations, [name]: before! }
      continue
    }
    const { value } = await fieldValueOf(source, pod, rights.related)
    if (value === now && mayChange(key, before, pod)) continue
    const why = `the annotation ${name} holds what ${JSON.stringify(source.text)} says, and is not written by hand`
    throw refusal(
      request,
      before === undefined || value !== now ? why : `${why}: variables keep their value until the container restarts`,
    )
  }
  keepGate(request, pod, old, sources)
}

/** Whether an update leaves the paths alone, and what is asked for when they change. */
function isSame(pod: KubeObject, old: KubeObject): boolean {
  const asked = ({ metadata }: KubeObject) =>
    Object.entries(metadata.annotations ?? {}).filter(
      ([name]) => name === SOURCES_ANNOTATION || name.startsWith(ON_CHANGE_PREFIX),
    )
  return equal(pod.spec, old.spec) && equal(Object.fromEntries(asked(pod)), Object.fromEntries(asked(old)))
}

/** Whoever gives a pod another owner shows it that owner. */
async function checkNewOwner(
  request: AdmissionRequest,
  pod: KubeObject,
  old: KubeObject,
  sources: ReadonlyMap<string, FieldSource>,
  rights: Rights,
): Promise<void> {
  const owner = ownerKind(pod)
  if (!owner || controllerOf(pod)?.uid === controllerOf(old)?.uid) return
  const shown = [...sources.values()].filter(({ origin }) => origin.from === 'owner')
  const at = 'metadata.ownerReferences'
  await checkRights(
    request,
    shown.map((source) => ({ source, at })),
    owner,
    rights,
  )
}

/** The gate goes when every value is there that a pod has before it is bound. */
function keepGate(request: AdmissionRequest, pod: KubeObject, old: KubeObject, sources: ReadonlyMap<string, FieldSource>): void {
  if (!isGated(old) || isGated(pod)) return
  for (const [key, source] of sources) {
    if (timingOf(source) !== 'creation' || pod.metadata.annotations?.[annotationOf(key)] !== undefined) continue
    throw refusal(request, `the scheduling gate ${FIELDS_GATE} stays until ${JSON.stringify(source.text)} has a value`)
  }
}

export function isGated(pod: KubeObject): boolean {
  return ((pod.spec?.schedulingGates ?? []) as { name: string }[]).some(({ name }) => name === FIELDS_GATE)
}

/** Writes of the pod's subresources leave these annotations alone. */
export function keepAnnotations({ object, old }: AdmissionRequest): void {
  const before = old?.metadata.annotations
  if (!object || before?.[SOURCES_ANNOTATION] === undefined) return
  const annotations = { ...object.metadata.annotations }
  for (const name of new Set([...Object.keys(before), ...Object.keys(annotations)])) {
    if (name !== SOURCES_ANNOTATION && !name.startsWith(FIELD_PREFIX)) continue
    if (before[name] === undefined) delete annotations[name]
    else annotations[name] = before[name]
  }
  object.metadata.annotations = annotations
}

/** Puts every value into the binding, which the server merges into the pod: the last word before the pod starts. */
export async function admitBinding(
  request: AdmissionRequest,
  rights: Rights,
  podOf: (namespace: string, name: string, uid: string | undefined) => Promise<Pod | undefined>,
): Promise<void> {
  const binding = request.object
  if (!binding) return
  removeValues(binding.metadata.annotations)
  if (binding.metadata.annotations) delete binding.metadata.annotations[SOURCES_ANNOTATION]
  const { name = request.name, uid } = binding.metadata
  const pod = await podOf(request.namespace, name, uid)
  const sources = readSources(pod?.metadata.annotations)
  // The server says what is wrong with a binding that has no pod or no node.
  if (!pod || sources.size === 0 || !binding.target?.name) return
  const placed = { ...pod, spec: { ...pod.spec, nodeName: binding.target.name } }
  const { known, missing } = await valuesAt('binding', sources, placed, rights.related)
  if (missing.size > 0) {
    throw refusal(request, `the pod cannot start on the node ${binding.target.name}: ${[...missing.values()].join('; ')}`)
  }
  binding.metadata.annotations = { ...binding.metadata.annotations, ...known }
}

function compilePod(request: AdmissionRequest, pod: KubeObject, old: KubeObject | undefined): Compiled {
  const owner = ownerKind(pod)
  const compiled = compileFields(pod, { at: '', owner, annotationsBefore: old?.metadata.annotations })
  const errors = [...compiled.errors, ...checkOnChange(pod.spec, pod.metadata.annotations, '')]
  if (errors.length > 0) throw invalid(request.definition, pod.metadata.name ?? request.name, errors)
  return compiled
}

function allNew({ sources, places }: Compiled): NewSource[] {
  return [...sources].map(([key, source]) => ({ source, at: places.get(key) ?? 'spec' }))
}

function ownerKind(pod: KubeObject): { apiVersion: string; kind: string } | undefined {
  return controllerOf(pod)
}

function asksOnChange({ metadata }: KubeObject): boolean {
  for (const name in metadata.annotations) if (name.startsWith(ON_CHANGE_PREFIX)) return true
  return false
}

function withNamespace(pod: KubeObject, namespace: string): KubeObject {
  return pod.metadata.namespace ? pod : { ...pod, metadata: { ...pod.metadata, namespace } }
}
