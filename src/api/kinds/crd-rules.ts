/** Rules for CustomResourceDefinitions: names, versions, columns, conversion. Rules for the schemas are in crd-schema-rules.ts. */
import { APPROVED, protectedGroup } from '../custom/approval.ts'
import { equal } from '../equal.ts'
import { duplicate, type Errors, forbidden, invalid, notSupported, required, tooMany } from '../field-errors.ts'
import { type Complaints, dnsLabel1035, dnsSubdomain } from '../names.ts'
import type {
  CustomResourceColumnDefinition,
  CustomResourceDefinition,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionSpec,
  CustomResourceDefinitionVersion,
  JSONSchemaProps,
  WebhookConversion,
} from '../types.ts'
import { goSchema, goVersions, type SharedField, sharedFields } from './crd-go-form.ts'
import { checkStructural } from './crd-schema-rules.ts'
import { checkImmutable } from './rules.ts'
import { checkClient, checkReviewVersions } from './webhook-rules.ts'

const COLUMN_TYPES = ['boolean', 'date', 'integer', 'number', 'string']
const COLUMN_FORMATS = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password']

export function checkCustomResourceDefinition(crd: CustomResourceDefinition, errors: Errors): void {
  const { spec } = crd
  if (crd.metadata.name !== `${spec.names?.plural ?? ''}.${spec.group ?? ''}`) {
    errors.push(invalid('metadata.name', crd.metadata.name ?? '', 'must be spec.names.plural+"."+spec.group'))
  }
  checkSpec(spec, errors)
  checkStored(crd.status?.storedVersions, spec, errors)
  checkApproval(crd, errors)
  checkPruning(spec, undefined, errors)
}

function checkPruning(spec: CustomResourceDefinitionSpec, old: CustomResourceDefinitionSpec | undefined, errors: Errors): void {
  if (!spec.preserveUnknownFields || old?.preserveUnknownFields) return
  const detail = 'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead'
  errors.push(invalid('spec.preserveUnknownFields', true, detail))
}

const APPROVAL = `protected groups must have approval annotation "${APPROVED}"`
const APPROVAL_PAGE = 'see https://github.com/kubernetes/enhancements/pull/1111'

/** Groups of the Kubernetes project need a link to where it approved them, or a word that it did not. */
function checkApproval({ metadata, spec }: CustomResourceDefinition, errors: Errors): void {
  if (!protectedGroup(spec.group ?? '')) return
  const path = `metadata.annotations[${APPROVED}]`
  const value = metadata.annotations?.[APPROVED] ?? ''
  if (value === '') errors.push(required(path, `${APPROVAL}, ${APPROVAL_PAGE}`))
  else if (!value.startsWith('unapproved') && !isAddress(value))
    errors.push(invalid(path, value, `${APPROVAL} with either a URL or a reason starting with "unapproved", ${APPROVAL_PAGE}`))
}

function isAddress(text: string): boolean {
  return URL.canParse(text) && new URL(text).host !== ''
}

function checkStored(
  stored: readonly string[] | null | undefined,
  { versions = [] }: CustomResourceDefinitionSpec,
  errors: Errors,
): void {
  const path = 'status.storedVersions'
  if (!stored?.length) return void errors.push(invalid(path, stored, 'must have at least one stored version'))
  for (const { name, storage } of versions ?? []) {
    if (storage && !stored.includes(name)) errors.push(invalid(path, stored, `must have the storage version ${name}`))
  }
  stored.forEach((version, index) => {
    if (!versions?.some(({ name }) => name === version)) errors.push(invalid(`${path}[${index}]`, version, gone(version)))
  })
}

const gone = (version: string) =>
  `missing from spec.versions; ${version} was previously a storage version, and must remain in spec.versions until a storage migration ` +
  `ensures no data remains persisted in ${version} and removes ${version} from status.storedVersions`

function checkSpec(spec: CustomResourceDefinitionSpec, errors: Errors): void {
  checkGroup(spec.group, errors)
  if (!spec.scope) errors.push(required('spec.scope'))
  else if (spec.scope !== 'Cluster' && spec.scope !== 'Namespaced') {
    errors.push(notSupported('spec.scope', spec.scope, ['Cluster', 'Namespaced']))
  }
  const versions = spec.versions ?? []
  const shared = sharedFields(versions)
  checkVersions(versions, shared, errors)
  checkNames(spec.names ?? { plural: '', kind: '' }, errors)
  if (versions[0]) checkShared(versions[0], versions, shared, errors)
  checkConversion(spec, errors)
}

function checkGroup(group: string | undefined, errors: Errors): void {
  if (!group) return void errors.push(required('spec.group'))
  const before = errors.length
  obeyAtOnce(group, dnsSubdomain, 'spec.group', errors)
  if (errors.length === before && !group.includes('.')) {
    errors.push(invalid('spec.group', group, 'should be a domain with at least one dot'))
  }
}

/** All complaints about a value as one. */
function obeyAtOnce(value: string, rule: (value: string) => Complaints, path: string, errors: Errors, intro = ''): void {
  const complaints = rule(value)
  if (complaints.length > 0) errors.push(invalid(path, value, intro + complaints.join(',')))
}

const MIXED_CASE = 'may have mixed case, but should otherwise match: '

function checkNames(names: CustomResourceDefinitionNames, errors: Errors): void {
  for (const field of ['plural', 'singular', 'kind', 'listKind'] as const) {
    if (!names[field]) errors.push(required(`spec.names.${field}`))
  }
  for (const field of ['plural', 'singular'] as const) {
    if (names[field]) obeyAtOnce(names[field], dnsLabel1035, `spec.names.${field}`, errors)
  }
  for (const field of ['kind', 'listKind'] as const) {
    const mixed = (value: string) => dnsLabel1035(value.toLowerCase())
    if (names[field]) obeyAtOnce(names[field], mixed, `spec.names.${field}`, errors, MIXED_CASE)
  }
  names.shortNames?.forEach((name, index) => {
    obeyAtOnce(name, dnsLabel1035, `spec.names.shortNames[${index}]`, errors)
  })
  if (names.kind && names.kind === names.listKind) {
    errors.push(invalid('spec.names.listKind', names.listKind, 'kind and listKind may not be the same'))
  }
  names.categories?.forEach((name, index) => {
    obeyAtOnce(name, dnsLabel1035, `spec.names.categories[${index}]`, errors)
  })
}

function checkVersions(
  versions: readonly CustomResourceDefinitionVersion[],
  shared: ReadonlySet<SharedField>,
  errors: Errors,
): void {
  versions.forEach((version, index) => {
    if (!version.schema?.openAPIV3Schema) errors.push(required(`spec.versions[${index}].schema.openAPIV3Schema`))
  })
  for (const [index, version] of versions.entries()) {
    const path = `spec.versions[${index}]`
    obeyAtOnce(version.name ?? '', dnsLabel1035, `${path}.name`, errors)
    checkDeprecation(version, `${path}.deprecationWarning`, errors)
    const hasStatus = version.subresources?.status !== undefined
    if (!shared.has('schema')) checkSchema(version, hasStatus, `${path}.schema`, errors)
    if (!shared.has('subresources')) checkSubresources(version, `${path}.subresources`, errors)
    if (!shared.has('additionalPrinterColumns')) checkColumns(version, `${path}.additionalPrinterColumns`, errors)
    if (!shared.has('selectableFields')) checkSelectable(version, `${path}.selectableFields`, errors)
  }
  const refuse = (detail: string) => errors.push(invalid('spec.versions', goVersions(versions), detail))
  if (new Set(versions.map(({ name }) => name)).size < versions.length) refuse('must contain unique version names')
  if (versions.filter(({ storage }) => storage).length !== 1) refuse('must have exactly one version marked as storage version')
  // An older field says the first version again, and complains with it.
  const [first] = versions
  if (first?.name) obeyAtOnce(first.name, dnsLabel1035, 'spec.version', errors)
}

/** What all versions have in common is reported once, at the place it had before versions. */
function checkShared(
  first: CustomResourceDefinitionVersion,
  versions: readonly CustomResourceDefinitionVersion[],
  shared: ReadonlySet<SharedField>,
  errors: Errors,
): void {
  const anyStatus = versions.some(({ subresources }) => subresources?.status !== undefined)
  if (shared.has('schema')) checkSchema(first, anyStatus, 'spec.validation', errors)
  if (shared.has('subresources')) checkSubresources(first, 'spec.subresources', errors)
  if (shared.has('additionalPrinterColumns')) checkColumns(first, 'spec.additionalPrinterColumns', errors)
  if (shared.has('selectableFields')) checkSelectable(first, 'spec.selectableFields', errors)
}

function checkSchema({ schema }: CustomResourceDefinitionVersion, hasStatus: boolean, path: string, errors: Errors): void {
  if (!schema?.openAPIV3Schema) return
  const at = `${path}.openAPIV3Schema`
  if (hasStatus) checkRoot(schema.openAPIV3Schema, at, errors)
  if (schema.openAPIV3Schema.nullable) errors.push(forbidden(`${at}.nullable`, 'nullable cannot be true at the root'))
  checkStructural(schema.openAPIV3Schema, at, errors)
}

/** What the root may say when the status is judged apart from it. */
const AT_ROOT = [
  ...['Description', 'Type', 'Format', 'Title', 'Maximum', 'ExclusiveMaximum', 'Minimum', 'ExclusiveMinimum', 'MaxLength'],
  ...['MinLength', 'Pattern', 'MaxItems', 'MinItems', 'UniqueItems', 'MultipleOf', 'Required', 'Items', 'Properties'],
  ...['ExternalDocs', 'Example', 'XPreserveUnknownFields', 'XValidations'],
]

function checkRoot(schema: JSONSchemaProps, path: string, errors: Errors): void {
  const whole = goSchema(schema)
  const given = Object.entries(whole).filter(([, value]) => value !== null && value !== '' && value !== false)
  for (const [field] of given) {
    if (field === 'Type' && schema.type !== 'object') {
      const detail = 'only "object" is allowed as the type at the root of the schema if the status subresource is enabled'
      return void errors.push(invalid(`${path}.type`, schema.type, detail))
    }
    if (AT_ROOT.includes(field)) continue
    const detail = `only [${AT_ROOT.join(' ')}] fields are allowed at the root of the schema if the status subresource is enabled`
    return void errors.push(invalid(path, whole, detail))
  }
}

const MAX_WARNING = 256

function checkDeprecation(
  { deprecated, deprecationWarning }: CustomResourceDefinitionVersion,
  path: string,
  errors: Errors,
): void {
  if (deprecationWarning === undefined) return
  const refuse = (detail: string) => errors.push(invalid(path, deprecationWarning, detail))
  if (!deprecated) return void refuse('can only be set for deprecated versions')
  if (Buffer.byteLength(deprecationWarning) > MAX_WARNING) refuse(`must be <= ${MAX_WARNING} characters long`)
  if (deprecationWarning === '') refuse('must not be an empty string')
  const strange = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.exec(deprecationWarning)
  if (!strange) return
  const place = Buffer.byteLength(deprecationWarning.slice(0, strange.index))
  refuse(`must only contain printable UTF-8 characters; non-printable character found at index ${place}`)
}

const SELECTABLE = new Set(['string', 'boolean', 'integer'])
const MAX_SELECTABLE = 8

function checkSelectable(version: CustomResourceDefinitionVersion, path: string, errors: Errors): void {
  const fields = version.selectableFields ?? []
  const schema = version.schema?.openAPIV3Schema
  if (fields.length === 0) return
  if (!schema) return void errors.push(invalid(path, '', NO_SCHEMA))
  const seen = new Set<string>()
  for (const [index, { jsonPath }] of fields.entries()) {
    const at = `${path}[${index}].jsonPath`
    const found = jsonPath ? followPath(jsonPath, schema) : undefined
    if (!found) errors.push(required(at))
    else if (typeof found === 'string') errors.push(invalid(at, jsonPath, `is an invalid path: ${found}`))
    if (!found || typeof found === 'string') continue
    if (/^\.metadata(\.|$)/.test(jsonPath)) errors.push(invalid(at, jsonPath, 'must not point to fields in metadata'))
    if (!SELECTABLE.has(found.type ?? '')) errors.push(invalid(at, jsonPath, SELECTABLE_TYPES))
    if (seen.has(jsonPath)) errors.push(duplicate(at, jsonPath))
    seen.add(jsonPath)
  }
  if (seen.size > MAX_SELECTABLE) errors.push(tooMany(path, seen.size, MAX_SELECTABLE))
}

const NO_SCHEMA = 'may only be set when validations.schema is included'
const SELECTABLE_TYPES =
  'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.'

function stepInto({ properties, additionalProperties: rest }: JSONSchemaProps, name: string): JSONSchemaProps | undefined {
  if (properties) return properties[name]
  return typeof rest === 'object' ? rest : undefined
}

/** The schema at the end of a path such as `.spec.color`, or why there is none. */
function followPath(path: string, schema: JSONSchemaProps): JSONSchemaProps | string {
  let at: JSONSchemaProps | undefined = schema
  const tokens = path.match(/[.[\]]|[^.[\]]+/g) ?? []
  for (let i = 0; i < tokens.length; i += 2) {
    const name = tokens[i + 1]
    if (tokens[i] === '[') return 'array notation is not allowed'
    if (tokens[i] !== '.') return `expected [ or . but got: ${tokens[i]}`
    if (name === undefined) return 'unexpected end of JSON path'
    at = stepInto(at, name)
    if (!at) return 'does not refer to a valid field'
  }
  return at
}

function checkSubresources({ subresources }: CustomResourceDefinitionVersion, path: string, errors: Errors): void {
  const scale = subresources?.scale
  if (!scale) return
  checkScalePath(scale.specReplicasPath, '.spec', `${path}.scale.specReplicasPath`, errors)
  checkScalePath(scale.statusReplicasPath, '.status', `${path}.scale.statusReplicasPath`, errors)
  const selector = scale.labelSelectorPath
  if (!selector) return
  const at = `${path}.scale.labelSelectorPath`
  if (!selector.startsWith('.')) errors.push(invalid(at, selector, NO_PATH))
  else if (!selector.startsWith('.spec.') && !selector.startsWith('.status.')) {
    errors.push(invalid(at, selector, 'should be a json path under either .spec or .status'))
  }
}

const NO_PATH = 'must be a simple json path starting with .'

function checkScalePath(value: string | undefined, under: string, path: string, errors: Errors): void {
  if (!value) errors.push(required(path))
  else if (!value.startsWith('.')) errors.push(invalid(path, value, NO_PATH))
  else if (!value.startsWith(`${under}.`)) errors.push(invalid(path, value, `should be a json path under ${under}`))
}

function checkColumns({ additionalPrinterColumns = [] }: CustomResourceDefinitionVersion, path: string, errors: Errors): void {
  additionalPrinterColumns.forEach((column, index) => {
    checkColumn(column, `${path}[${index}]`, errors)
  })
}

function checkColumn(column: CustomResourceColumnDefinition, path: string, errors: Errors): void {
  if (!column.name) errors.push(required(`${path}.name`))
  if (!column.type) errors.push(required(`${path}.type`, `must be one of ${COLUMN_TYPES.join(',')}`))
  else if (!COLUMN_TYPES.includes(column.type)) {
    errors.push(invalid(`${path}.type`, column.type, `must be one of ${COLUMN_TYPES.join(',')}`))
  }
  if (column.format && !COLUMN_FORMATS.includes(column.format)) {
    errors.push(invalid(`${path}.format`, column.format, `must be one of ${COLUMN_FORMATS.join(',')}`))
  }
  if (!column.jsonPath) errors.push(required(`${path}.JSONPath`))
  else if (!column.jsonPath.startsWith('.')) errors.push(invalid(`${path}.JSONPath`, column.jsonPath, NO_PATH))
}

function checkConversion(spec: CustomResourceDefinitionSpec, errors: Errors): void {
  const { conversion } = spec
  if (!conversion) return
  const path = 'spec.conversion'
  const { strategy, webhook } = conversion
  if (!strategy) errors.push(required(`${path}.strategy`))
  else if (strategy === 'Webhook') checkWebhook(webhook, path, errors)
  else if (strategy !== 'None') errors.push(notSupported(`${path}.strategy`, strategy, ['None', 'Webhook']))
  else if (webhook) {
    const detail = 'should not be set when strategy is not set to Webhook'
    if (webhook.clientConfig) errors.push(forbidden(`${path}.webhookClientConfig`, detail))
    if (webhook.conversionReviewVersions?.length) errors.push(forbidden(`${path}.conversionReviewVersions`, detail))
  }
}

function checkWebhook(webhook: WebhookConversion | undefined, path: string, errors: Errors): void {
  const versions = webhook?.conversionReviewVersions ?? []
  const client = webhook?.clientConfig
  if (!client) errors.push(required(`${path}.webhookClientConfig`, 'required when strategy is set to Webhook'))
  else checkClient(client, `${path}.webhookClientConfig`, errors)
  if (versions.length === 0) errors.push(required(`${path}.conversionReviewVersions`))
  else checkReviewVersions(versions, versions, `${path}.conversionReviewVersions`, errors)
}

/** What decides where objects lie stays, once there may be some. */
export function checkCustomResourceDefinitionUpdate(
  crd: CustomResourceDefinition,
  old: CustomResourceDefinition,
  errors: Errors,
): void {
  const { spec } = crd
  checkSpec(spec, errors)
  if (old.status?.conditions?.some((c) => c.type === 'Established' && c.status === 'True')) {
    checkImmutable(spec.scope, old.spec.scope, 'spec.scope', errors)
    checkImmutable(spec.names?.kind, old.spec.names.kind, 'spec.names.kind', errors)
  }
  checkImmutable(spec.group, old.spec.group, 'spec.group', errors)
  checkImmutable(spec.names?.plural, old.spec.names.plural, 'spec.names.plural', errors)
  checkStored(crd.status?.storedVersions, spec, errors)
  if (!equal(crd.metadata.annotations?.[APPROVED], old.metadata.annotations?.[APPROVED])) checkApproval(crd, errors)
  checkPruning(spec, old.spec, errors)
}
