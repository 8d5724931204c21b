/** What must hold for the metadata of every object (apimachinery `api/validation/objectmeta.go`), whatever its kind. */
import type { ResourceDefinition } from './definition.ts'
import { forbidden, immutable, invalid, required, tooLong } from './field-errors.ts'
import { dnsLabel, dnsLabel1035, dnsSubdomain, labelValue, pathSegment, qualifiedName } from './names.ts'
import type { KubeObject, Metadata, OwnerReference } from './object.ts'
import type { FieldError } from './status.ts'

const MAX_ANNOTATIONS_BYTES = 256 * 1024
const STANDARD_FINALIZERS = new Set(['foregroundDeletion', 'orphan', 'kubernetes'])
const NAME_RULES = { subdomain: dnsSubdomain, label: dnsLabel, label1035: dnsLabel1035, path: pathSegment, none: () => [] }

/** What is particular to the kind, and where the metadata stands. */
interface Place {
  readonly path: string
  readonly nameRule: keyof typeof NAME_RULES
  readonly namespaced: boolean
  /** Finalizers need no domain. */
  readonly lenient: boolean
}

/** Checks the metadata of an object that is about to be created or updated. */
export function validateMetadata({ metadata }: KubeObject, definition: ResourceDefinition): FieldError[] {
  const { namespaced, strategy } = definition
  const place = { path: 'metadata', namespaced, nameRule: strategy.nameRule ?? 'subdomain', lenient: isLenient(definition) }
  return check(metadata, place)
}

/** Checks that of an object within another one, of which nothing is known but what it says itself: it may have no name yet. */
export function validateEmbeddedMetadata(metadata: Metadata, path: string): FieldError[] {
  const named = metadata.name ? metadata : { ...metadata, name: 'unnamed' }
  return check(named, { path, namespaced: Boolean(metadata.namespace), nameRule: 'path', lenient: true })
}

function check(metadata: Metadata, place: Place): FieldError[] {
  const { path, lenient } = place
  const errors: FieldError[] = []
  checkName(metadata, place, errors)
  checkLabels(metadata.labels, `${path}.labels`, errors)
  checkAnnotations(metadata.annotations, `${path}.annotations`, errors)
  for (const owner of metadata.ownerReferences ?? []) checkOwner(owner, `${path}.ownerReferences`, errors)
  checkControllers(metadata.ownerReferences ?? [], `${path}.ownerReferences`, errors)
  for (const [index, finalizer] of (metadata.finalizers ?? []).entries()) {
    checkFinalizer(finalizer, `${path}.finalizers[${index}]`, lenient, errors)
  }
  return errors
}

/** Checks what an update may do to the metadata. */
export function validateMetadataUpdate(object: KubeObject, old: KubeObject): FieldError[] {
  const { metadata } = object
  const before = old.metadata
  const errors: FieldError[] = []
  for (const field of ['name', 'namespace', 'uid', 'creationTimestamp', 'deletionTimestamp'] as const) {
    if ((metadata[field] ?? '') !== (before[field] ?? '')) errors.push(immutable(`metadata.${field}`, metadata[field] ?? ''))
  }
  if ((metadata.deletionGracePeriodSeconds ?? null) !== (before.deletionGracePeriodSeconds ?? null)) {
    errors.push(immutable('metadata.deletionGracePeriodSeconds', metadata.deletionGracePeriodSeconds))
  }
  if (before.deletionTimestamp !== undefined) {
    const added = (metadata.finalizers ?? []).filter((finalizer) => !before.finalizers?.includes(finalizer))
    if (added.length > 0) {
      const list = `[]string{${added.map((finalizer) => JSON.stringify(finalizer)).join(', ')}}`
      const why = `no new finalizers can be added if the object is being deleted, found new finalizers ${list}`
      errors.push(forbidden('metadata.finalizers', why))
    }
  }
  return errors
}

function checkName(metadata: Metadata, { path, nameRule, namespaced }: Place, errors: FieldError[]): void {
  const { name = '', generateName = '', namespace = '' } = metadata
  const rule = NAME_RULES[nameRule]
  if (generateName !== '') {
    // A generated name ends in a letter or digit, so the prefix may end in what a name may not.
    for (const complaint of rule(generateName.replace(/[-.]+$/, '') || 'a'))
      errors.push(invalid(`${path}.generateName`, generateName, complaint))
  }
  if (name === '') errors.push(required(`${path}.name`, 'name or generateName is required'))
  else for (const complaint of rule(name)) errors.push(invalid(`${path}.name`, name, complaint))
  if (!namespaced) {
    if (namespace !== '') errors.push(forbidden(`${path}.namespace`, 'not allowed on this type'))
  } else if (namespace === '') errors.push(required(`${path}.namespace`))
  else for (const complaint of dnsLabel(namespace)) errors.push(invalid(`${path}.namespace`, namespace, complaint))
}

function checkLabels(labels: Metadata['labels'], path: string, errors: FieldError[]): void {
  for (const key in labels) {
    for (const complaint of qualifiedName(key)) errors.push(invalid(path, key, complaint))
    for (const complaint of labelValue(labels[key]!)) errors.push(invalid(path, labels[key], complaint))
  }
}

function checkAnnotations(annotations: Metadata['annotations'], path: string, errors: FieldError[]): void {
  let bytes = 0
  for (const key in annotations) {
    for (const complaint of qualifiedName(key.toLowerCase())) errors.push(invalid(path, key, complaint))
    bytes += Buffer.byteLength(key) + Buffer.byteLength(annotations[key]!)
  }
  if (bytes > MAX_ANNOTATIONS_BYTES) errors.push(tooLong(path, MAX_ANNOTATIONS_BYTES))
}

function checkOwner(owner: OwnerReference, path: string, errors: FieldError[]): void {
  const version = (owner.apiVersion ?? '').split('/', 2).at(-1)
  if (!version) errors.push(invalid(`${path}.apiVersion`, owner.apiVersion ?? '', 'version must not be empty'))
  if (!owner.kind) errors.push(invalid(`${path}.kind`, owner.kind ?? '', 'must not be empty'))
  if (!owner.name) errors.push(invalid(`${path}.name`, owner.name ?? '', 'must not be empty'))
  if (!owner.uid) errors.push(invalid(`${path}.uid`, owner.uid ?? '', 'must not be empty'))
  if (owner.apiVersion === 'v1' && owner.kind === 'Event') {
    errors.push(invalid(path, owner, `${owner.apiVersion}, Kind=${owner.kind} is disallowed from being an owner`))
  }
}

function checkControllers(owners: readonly OwnerReference[], path: string, errors: FieldError[]): void {
  const controllers = owners.filter((owner) => owner.controller === true)
  if (controllers.length < 2) return
  const [first, second] = controllers.map((owner) => owner.name)
  const why = `Only one reference can have Controller set to true. Found "true" in references for ${first} and ${second}`
  errors.push(invalid(path, owners, why))
}

/** The kinds of Kubernetes' libraries, and custom ones, may have finalizers without a domain's path. */
function isLenient({ group, schema }: ResourceDefinition): boolean {
  return typeof schema !== 'string' || group === 'apiextensions.k8s.io' || group === 'apiregistration.k8s.io'
}

function checkFinalizer(finalizer: string, path: string, lenient: boolean, errors: FieldError[]): void {
  for (const complaint of qualifiedName(finalizer)) errors.push(invalid(path, finalizer, complaint))
  if (!lenient && !finalizer.includes('/') && !STANDARD_FINALIZERS.has(finalizer)) {
    errors.push(invalid(path, finalizer, 'name is neither a standard finalizer name nor is it fully qualified'))
  }
}
