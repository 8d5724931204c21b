/**
 * The admission of preconditions. A pod that requires something gets the scheduling gate and, as one annotation, everything that
 * holds it; templates are checked, so that errors show early, and take over what the object around them requires.
 */
import type { AdmissionPlugin, AdmissionRequest } from '../../api/admission.ts'
import { sourceTexts } from '../../api/downward/annotations.ts'
import { timeoutWishes } from '../../api/extensions/stage-timeouts.ts'
import { invalid as invalidField } from '../../api/field-errors.ts'
import type { KubeObject } from '../../api/object.ts'
import { inferRequirements } from '../../api/requires/infer.ts'
import { FROM_OWNER, INFER_REQUIRES, MAX_REQUIREMENTS, REQUIRES, REQUIRES_GATE, RESOLVED } from '../../api/requires/names.ts'
import type { Requirement } from '../../api/requires/requirement.ts'
import { type FieldError, invalid } from '../../api/status.ts'
import { namespaces } from '../../client/resources.ts'
import type { ExtensionContext } from '../extension.ts'
import type { FieldsTarget } from '../fields/compile.ts'
import { type TemplatePlace, templatePlace, writesPods } from '../fields/templates.ts'
import { cycleThrough } from './cycles.ts'
import { requiresReader } from './reader.ts'
import { refuseStrangers } from './rights.ts'
import { idOf, labelsOf, Waiters } from './waiters.ts'

interface Admitting extends ExtensionContext {
  waiters: Waiters
}

export function requiresAdmission(extension: ExtensionContext): AdmissionPlugin {
  const context = { ...extension, waiters: new Waiters(extension) }
  return {
    name: 'Requires',
    handles: writesPods,
    mutate(request) {
      const place = templatePlace(request.definition.group, request.definition.plural)
      if (place) return admitTemplate(request, place, context)
      if (request.operation === 'CREATE') return admitPod(request, context)
      return keepResolved(request)
    },
  }
}

/** Nobody but the admission writes what holds a pod, and that once. */
function keepResolved({ object, old }: AdmissionRequest): void {
  const before = old?.metadata.annotations?.[RESOLVED]
  const now = object?.metadata.annotations?.[RESOLVED]
  if (!object || before === now) return
  const { [RESOLVED]: _, ...others } = object.metadata.annotations ?? {}
  object.metadata.annotations = before === undefined ? others : { ...others, [RESOLVED]: before }
}

async function admitPod(request: AdmissionRequest, context: Admitting): Promise<void> {
  const pod = request.object
  if (!pod) return
  const annotations = pod.metadata.annotations
  if (annotations?.[RESOLVED] !== undefined) delete annotations[RESOLVED]
  const text = annotations?.[REQUIRES]
  const infers = infersFor(pod, request.namespace, context)
  if (text === undefined && !infers) return
  const written = text === undefined ? [] : await read(request, text, `metadata.annotations[${REQUIRES}]`)
  const found = infers ? inferRequirements(pod.spec, sourceTexts(annotations).values()) : []
  const named = new Set(written.map((requirement) => requirement.text))
  const all = [...written, ...found.filter((requirement) => !named.has(requirement.text))]
  if (all.length === 0) return
  const errors = [...refusedFor(pod, all), ...(await refuseStrangers(request, written, context))]
  if (errors.length > 0) throw invalid(request.definition, pod.metadata.name ?? request.name, errors)
  await refuseCycle(request, pod, written, context)
  const limit = timeoutWishes(pod).pod.requires
  pod.metadata.annotations = { ...annotations, [RESOLVED]: JSON.stringify(limited(all, limit)) }
  pod.spec.schedulingGates ??= []
  const gates: { name: string }[] = pod.spec.schedulingGates
  if (!gates.some(({ name }) => name === REQUIRES_GATE)) gates.push({ name: REQUIRES_GATE })
}

/** The stage's timeout holds for what has none of its own. */
function limited(all: readonly Requirement[], timeoutMs: number | undefined): readonly Requirement[] {
  if (timeoutMs === undefined) return all
  return all.map((one) => (one.timeoutMs === undefined ? { ...one, timeoutMs, onTimeout: 'Fail', byStage: true } : one))
}

function infersFor(pod: KubeObject, namespace: string, { informers }: ExtensionContext): boolean {
  const own = pod.metadata.annotations?.[INFER_REQUIRES]
  if (own !== undefined) return own === 'true'
  const around = informers.get(namespaces).store.get(namespace)?.metadata
  return around?.labels?.[INFER_REQUIRES] === 'true' || around?.annotations?.[INFER_REQUIRES] === 'true'
}

/** What this pod in particular cannot have. */
function refusedFor(pod: KubeObject, all: readonly Requirement[]): FieldError[] {
  const at = `metadata.annotations[${REQUIRES}]`
  const errors: FieldError[] = []
  if (all.length > MAX_REQUIREMENTS)
    errors.push(invalidField(at, all.length, `at most ${MAX_REQUIREMENTS} requirements are possible`))
  if (pod.spec?.nodeName)
    errors.push(
      invalidField(
        'spec.nodeName',
        pod.spec.nodeName,
        'a pod that names its node is started at once and cannot wait; leave it away',
      ),
    )
  const owned = pod.metadata.ownerReferences?.some(({ controller }) => controller)
  const restarts = all.find(({ onLoss }) => onLoss === 'restart')
  if (restarts && !owned)
    errors.push(
      invalidField(
        at,
        restarts.text,
        'onLoss: restart needs a controller that makes the pod anew; use a Deployment, or onLoss: stop',
      ),
    )
  return errors
}

async function admitTemplate(request: AdmissionRequest, place: TemplatePlace, context: Admitting): Promise<void> {
  const { object, definition } = request
  const template = object && place.of(object)
  if (!object || !template) return
  takeOver(object, template, definition.kind)
  const text = template.metadata?.annotations?.[REQUIRES]
  if (text === undefined || text === beforeOf(request, place)) return
  const requirements = await read(request, text, `${place.at}.metadata.annotations[${REQUIRES}]`)
  const errors = await refuseStrangers(request, requirements, context)
  if (errors.length > 0) throw invalid(definition, object.metadata.name ?? request.name, errors)
  await refuseCycle(request, object, requirements, context)
}

function beforeOf({ old }: AdmissionRequest, place: TemplatePlace): string | undefined {
  return old && place.of(old)?.metadata?.annotations?.[REQUIRES]
}

/**
 * What the object requires is its pods' affair: it goes into the template, and out of it when the object no longer says so. What a
 * template has from an owner of another kind came with it, from a Deployment or CronJob, and must stay as that wrote it.
 */
function takeOver(object: KubeObject, template: FieldsTarget, kind: string): void {
  const own = object.metadata.annotations?.[REQUIRES]
  const annotations = template.metadata?.annotations
  const from = annotations?.[FROM_OWNER]
  if (from === undefined ? own === undefined || annotations?.[REQUIRES] !== undefined : from !== kind) return
  const { [REQUIRES]: _, [FROM_OWNER]: __, ...others } = annotations ?? {}
  template.metadata ??= {}
  template.metadata.annotations = own === undefined ? others : { ...others, [REQUIRES]: own, [FROM_OWNER]: kind }
}

/** Throws a 422 with a cause for each problem. */
async function read(request: AdmissionRequest, text: string, at: string): Promise<Requirement[]> {
  const { parseRequires } = await requiresReader()
  const { requirements, problems } = parseRequires(text)
  if (problems.length === 0) return requirements
  const lines = text.split('\n')
  const errors = problems.map(({ line, message }) => invalidField(at, lines[line - 1]?.trim() ?? '', `line ${line}: ${message}`))
  throw invalid(request.definition, request.object?.metadata.name ?? request.name, errors)
}

/** Throws a 422 with the path. */
async function refuseCycle(
  request: AdmissionRequest,
  object: KubeObject,
  requirements: readonly Requirement[],
  { waiters }: Admitting,
): Promise<void> {
  if (requirements.length === 0) return
  await waiters.whenReady(requiresReader)
  const { kind } = request.definition
  const self = { id: idOf(object, kind), labels: labelsOf(object, kind), requirements }
  const path = await cycleThrough(self, request.namespace, waiters)
  if (!path) {
    if (!request.dryRun) waiters.remember(request.namespace, self)
    return
  }
  const why = `it would wait for itself: ${path.join(' → ')}`
  const at = `metadata.annotations[${REQUIRES}]`
  throw invalid(request.definition, object.metadata.name ?? request.name, [invalidField(at, path[0], why)])
}
