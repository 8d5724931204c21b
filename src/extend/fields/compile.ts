/**
 * Compiles the field paths of a pod or a pod template to stock references, in place: `fieldRef`s of variables and files to
 * references to annotations, `$(pod:…)` and its like to generated variables. What has been compiled before comes out as it was.
 * Pure; values are `values.ts`'s business.
 */
import {
  annotationOf,
  FIELD_PREFIX,
  keyOfReference,
  keyOfSource,
  MAX_SOURCES,
  referenceTo,
  SOURCES_ANNOTATION,
  sourceTexts,
  writeSources,
} from '../../api/downward/annotations.ts'
import { checkSource, type OwnerKind } from '../../api/downward/check.ts'
import { parseFieldSource } from '../../api/downward/parse.ts'
import { FieldPathError, type FieldSource } from '../../api/downward/source.ts'
import { asStockPath, isStockPath, type Use } from '../../api/downward/stock.ts'
import { timingOf } from '../../api/downward/timing.ts'
import { invalid, tooMany } from '../../api/field-errors.ts'
import type { FieldError } from '../../api/status.ts'
import type { ObjectFieldSelector, PodSpec } from '../../api/types.ts'
import { compileTexts } from './compile-texts.ts'
import { mentionsField } from './mentions.ts'

type Annotations = Record<string, string>

/** A pod, or the template of one. */
export interface FieldsTarget {
  metadata?: { annotations?: Annotations | undefined } | undefined
  spec?: PodSpec | undefined
}

export interface CompileOptions {
  /** Where the target stands in its object: empty for a pod, `spec.template` for most templates. */
  readonly at: string
  /** The kind of the pod's controller, where that is known. */
  readonly owner: OwnerKind | undefined
  /** Of the stored target, which an update may have left out. */
  readonly annotationsBefore?: Readonly<Annotations> | undefined
}

export interface Compiled {
  /** By key. */
  readonly sources: Map<string, FieldSource>
  /** Where each key is used first, as errors name it. */
  readonly places: Map<string, string>
  readonly errors: FieldError[]
}

/** What one compilation collects. */
export interface Compilation extends Compiled {
  /** The stock path for a source that has been read, which is noted. Undefined when it cannot be used here; the error is noted then. */
  referTo(source: FieldSource, use: Use, at: string, shown: string): string | undefined
}

/** Whether there is anything to compile, or a trace of an earlier time. Cheap: most pods have neither. */
export function hasFields({ metadata, spec }: FieldsTarget): boolean {
  for (const key in metadata?.annotations) if (key.startsWith(FIELD_PREFIX) || key === SOURCES_ANNOTATION) return true
  return spec !== undefined && mentionsField(spec)
}

export function compileFields(target: FieldsTarget, options: CompileOptions): Compiled {
  const compilation = begin(options)
  const texts = new Map([...sourceTexts(options.annotationsBefore), ...sourceTexts(target.metadata?.annotations)])
  const at = options.at ? `${options.at}.spec` : 'spec'
  const { spec } = target
  if (spec) {
    compileTexts(spec, at, compilation)
    for (const { reference, use, path } of fieldReferences(spec, at)) compileReference(reference, use, path, texts, compilation)
  }
  const { sources, errors } = compilation
  if (sources.size > MAX_SOURCES) errors.push(tooMany(at, sources.size, MAX_SOURCES))
  noteSources(target, sources)
  return compilation
}

function begin({ owner, annotationsBefore }: CompileOptions): Compilation {
  // Checked when it came in; the owner may be another since.
  const accepted = new Set(sourceTexts(annotationsBefore).values())
  const sources = new Map<string, FieldSource>()
  const places = new Map<string, string>()
  const errors: FieldError[] = []
  return {
    sources,
    places,
    errors,
    referTo(source, use, at, shown) {
      try {
        if (!accepted.has(source.text)) checkSource(source, owner)
      } catch (error) {
        if (!(error instanceof FieldPathError)) throw error
        errors.push(invalid(at, shown, error.message))
        return undefined
      }
      const stock = asStockPath(source, use)
      if (stock !== undefined) return stock
      if (use === 'env' && timingOf(source) === 'running') {
        errors.push(invalid(at, shown, ONLY_RUNNING))
        return undefined
      }
      const key = keyOfSource(source, use)
      sources.set(key, source)
      if (!places.has(key)) places.set(key, at)
      return referenceTo(key)
    },
  }
}

const ONLY_RUNNING =
  'is known only while the pod runs: show it in a file of a downwardAPI volume; ' +
  'variables may have status.podIP, status.podIPs, status.hostIP, status.hostIPs and status.qosClass, without a default'

function compileReference(
  reference: ObjectFieldSelector,
  use: Use,
  at: string,
  texts: ReadonlyMap<string, string>,
  compilation: Compilation,
): void {
  const { fieldPath } = reference
  if (!fieldPath) return
  const key = keyOfReference(fieldPath)
  if (key === undefined && isStockPath(fieldPath, use)) return
  const text = key === undefined ? fieldPath : (compilation.sources.get(key)?.text ?? texts.get(key))
  if (text === undefined) {
    const why = `has no line in the annotation ${SOURCES_ANNOTATION}: write the path itself here`
    compilation.errors.push(invalid(at, fieldPath, why))
    return
  }
  try {
    const source = parseFieldSource(text)
    const compiled = compilation.referTo(source, use, at, text)
    if (key !== undefined && compiled !== undefined && compiled !== fieldPath) {
      compilation.errors.push(invalid(at, fieldPath, `is not how ${text} is referred to here: write the path itself`))
    } else if (compiled !== undefined) reference.fieldPath = compiled
  } catch (error) {
    if (!(error instanceof FieldPathError)) throw error
    compilation.errors.push(invalid(at, text, error.message))
  }
}

interface PlacedReference {
  reference: ObjectFieldSelector
  use: Use
  path: string
}

function* fieldReferences(spec: PodSpec, at: string): Generator<PlacedReference> {
  for (const list of ['initContainers', 'containers'] as const) {
    for (const [i, container] of (spec[list] ?? []).entries()) {
      for (const [j, variable] of (container.env ?? []).entries()) {
        const reference = variable.valueFrom?.fieldRef
        if (reference) yield { reference, use: 'env', path: `${at}.${list}[${i}].env[${j}].valueFrom.fieldRef.fieldPath` }
      }
    }
  }
  for (const [i, volume] of (spec.volumes ?? []).entries()) {
    yield* fileReferences(volume.downwardAPI?.items, `${at}.volumes[${i}].downwardAPI`)
    for (const [j, { downwardAPI }] of (volume.projected?.sources ?? []).entries()) {
      yield* fileReferences(downwardAPI?.items, `${at}.volumes[${i}].projected.sources[${j}].downwardAPI`)
    }
  }
}

function* fileReferences(
  items: readonly { fieldRef?: ObjectFieldSelector | undefined }[] | undefined,
  at: string,
): Generator<PlacedReference> {
  for (const [i, { fieldRef }] of (items ?? []).entries()) {
    if (fieldRef) yield { reference: fieldRef, use: 'file', path: `${at}.items[${i}].fieldRef.fieldPath` }
  }
}

/** The annotation that says what the references mean; only with references. */
function noteSources(target: FieldsTarget, sources: ReadonlyMap<string, FieldSource>): void {
  if (sources.size > 0) {
    target.metadata ??= {}
    target.metadata.annotations = { ...target.metadata.annotations, [SOURCES_ANNOTATION]: writeSources(sources) }
  } else if (target.metadata?.annotations) delete target.metadata.annotations[SOURCES_ANNOTATION]
}

/** Takes out values that nobody but this extension may write. */
export function removeValues(annotations: Annotations | undefined, kept: ReadonlySet<string> = new Set()): void {
  for (const key in annotations) if (key.startsWith(FIELD_PREFIX) && !kept.has(key)) delete annotations[key]
}

/** The annotations of these keys. */
export function annotationsOf(keys: Iterable<string>): Set<string> {
  return new Set([...keys].map(annotationOf))
}
