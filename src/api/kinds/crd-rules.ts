/** Rules for CustomResourceDefinitions: names, versions, columns, conversion. Rules for the schemas are in crd-schema-rules.ts. */
import { APPROVED, protectedGroup } from '../custom/approval.ts'
import { equal } from '../equal.ts'
import { duplicate, type Errors, forbidden, immutable, invalid, notSupported, required, tooMany } from '../field-errors.ts'
import { dnsLabel1035, dnsSubdomain } from '../names.ts'
import type {
  CustomResourceColumnDefinition,
  CustomResourceDefinition,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionSpec,
  CustomResourceDefinitionVersion,
  CustomResourceSubresources,
  JSONSchemaProps,
  WebhookConversion,
} from '../types.ts'
import { checkStructural } from './crd-schema-rules.ts'
import { obey, requireName } from './rules.ts'
import { checkClient, checkReviewVersions } from './webhook-rules.ts'

const COLUMN_TYPES = ['boolean', 'date', 'integer', 'number', 'string']

export function checkCustomResourceDefinition(crd: CustomResourceDefinition, errors: Errors): void {
  const { spec } = crd
  if (crd.metadata.name !== `${spec.names?.plural ?? ''}.${spec.group ?? ''}`) {
    errors.push(invalid('metadata.name', crd.metadata.name ?? '', 'must be spec.names.plural+"."+spec.group'))
  }
  checkSpec(spec, errors)
  checkApproval(crd, errors)
  const stored: string[] | null | undefined = crd.status?.storedVersions
  if (!stored?.length) errors.push(invalid('status.storedVersions', stored, 'must have at least one stored version'))
  else checkStored(stored, spec, errors)
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

function checkStored(stored: readonly string[], spec: CustomResourceDefinitionSpec, errors: Errors): void {
  const names = new Set((spec.versions ?? []).map((version) => version.name))
  stored.forEach((version, index) => {
    if (!names.has(version))
      errors.push(invalid(`status.storedVersions[${index}]`, version, 'missing from spec.versions; must appear in spec.versions'))
  })
}

function checkSpec(spec: CustomResourceDefinitionSpec, errors: Errors): void {
  checkGroup(spec.group, errors)
  if (!spec.scope) errors.push(required('spec.scope'))
  else if (spec.scope !== 'Cluster' && spec.scope !== 'Namespaced') {
    errors.push(notSupported('spec.scope', spec.scope, ['Cluster', 'Namespaced']))
  }
  if (spec.preserveUnknownFields) {
    const detail = 'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead'
    errors.push(invalid('spec.preserveUnknownFields', true, detail))
  }
  checkNames(spec.names ?? { plural: '', kind: '' }, errors)
  checkVersions(spec, errors)
  checkConversion(spec, errors)
}

function checkGroup(group: string | undefined, errors: Errors): void {
  if (!group) return void errors.push(required('spec.group'))
  if (!group.includes('.')) errors.push(invalid('spec.group', group, 'should be a domain with at least one dot'))
  else obey(group, dnsSubdomain, 'spec.group', errors)
}

function checkNames(names: CustomResourceDefinitionNames, errors: Errors): void {
  requireName(names.plural, dnsLabel1035, 'spec.names.plural', errors)
  requireName(names.singular, dnsLabel1035, 'spec.names.singular', errors)
  checkKindName(names.kind, 'spec.names.kind', errors)
  checkKindName(names.listKind, 'spec.names.listKind', errors)
  names.shortNames?.forEach((name, index) => {
    obey(name, dnsLabel1035, `spec.names.shortNames[${index}]`, errors)
  })
  names.categories?.forEach((name, index) => {
    obey(name, dnsLabel1035, `spec.names.categories[${index}]`, errors)
  })
  if (names.kind && names.kind === names.listKind) {
    errors.push(invalid('spec.names.listKind', names.listKind, 'kind and listKind may not be the same'))
  }
}

function checkKindName(name: string | undefined, path: string, errors: Errors): void {
  if (!name) return void errors.push(required(path))
  for (const complaint of dnsLabel1035(name.toLowerCase())) {
    errors.push(invalid(path, name, `may have mixed case, but should otherwise match: ${complaint}`))
  }
}

function checkVersions(spec: CustomResourceDefinitionSpec, errors: Errors): void {
  const versions = spec.versions ?? []
  const names = new Set<string>()
  versions.forEach((version, index) => {
    const path = `spec.versions[${index}].name`
    obey(version.name ?? '', dnsLabel1035, path, errors)
    if (names.has(version.name)) errors.push(duplicate(path, version.name))
    names.add(version.name)
    if (!version.schema?.openAPIV3Schema) errors.push(required(`spec.versions[${index}].schema.openAPIV3Schema`))
    checkDeprecation(version, `spec.versions[${index}].deprecationWarning`, errors)
  })
  // An older field says the first version again, and complains with it.
  const [first] = versions
  if (first) obey(first.name ?? '', dnsLabel1035, 'spec.version', errors)
  if (versions.filter((version) => version.storage).length !== 1) {
    const detail = 'must have exactly one version marked as storage version'
    errors.push(invalid('spec.versions', versions.length > 0 ? versions.map(asGo) : null, detail))
  }
  checkPerVersion(
    versions,
    (v) => v.schema,
    'schema',
    'spec.validation',
    (version, path) => {
      const schema = version.schema?.openAPIV3Schema
      if (schema) checkStructural(schema, `${path}.openAPIV3Schema`, errors)
    },
  )
  checkPerVersion(
    versions,
    (v) => v.subresources,
    'subresources',
    'spec.subresources',
    (version, path) => {
      if (version.subresources) checkSubresources(version.subresources, path, errors)
    },
  )
  checkPerVersion(
    versions,
    (v) => v.additionalPrinterColumns,
    'additionalPrinterColumns',
    'spec.additionalPrinterColumns',
    (version, path) => {
      version.additionalPrinterColumns?.forEach((column, index) => {
        checkColumn(column, `${path}[${index}]`, errors)
      })
    },
  )
  checkPerVersion(
    versions,
    (v) => v.selectableFields,
    'selectableFields',
    'spec.selectableFields',
    (version, path) => checkSelectable(version, path, errors),
  )
}

const MAX_WARNING = 256

function checkDeprecation(
  { deprecated, deprecationWarning }: CustomResourceDefinitionVersion,
  path: string,
  errors: Errors,
): void {
  if (deprecationWarning === undefined) return
  if (!deprecated) errors.push(invalid(path, deprecationWarning, 'can only be set for deprecated versions'))
  if (deprecationWarning === '') errors.push(invalid(path, deprecationWarning, 'must not be an empty string'))
  if (deprecationWarning.length > MAX_WARNING)
    errors.push(invalid(path, deprecationWarning, `must be <= ${MAX_WARNING} characters long`))
  if (/\p{C}/u.test(deprecationWarning))
    errors.push(invalid(path, deprecationWarning, 'must only contain printable UTF-8 characters; non-printable characters found'))
}

const SELECTABLE = new Set(['string', 'boolean', 'integer'])
const MAX_SELECTABLE = 8

function checkSelectable(version: CustomResourceDefinitionVersion, path: string, errors: Errors): void {
  const seen = new Set<string>()
  for (const [index, { jsonPath }] of (version.selectableFields ?? []).entries()) {
    const at = `${path}[${index}].jsonPath`
    const found = jsonPath ? followPath(jsonPath, version.schema?.openAPIV3Schema) : undefined
    if (!found) errors.push(required(at))
    else if (typeof found === 'string') errors.push(invalid(at, jsonPath, `is an invalid path: ${found}`))
    if (!found || typeof found === 'string') continue
    if (jsonPath.startsWith('.metadata')) errors.push(invalid(at, jsonPath, 'must not point to fields in metadata'))
    if (!SELECTABLE.has(found.type ?? ''))
      errors.push(
        invalid(
          at,
          jsonPath,
          'must point to a field of type string, boolean or integer. Enum string fields and strings with allowed formats are allowed.',
        ),
      )
    if (seen.has(jsonPath)) errors.push(duplicate(at, jsonPath))
    seen.add(jsonPath)
  }
  if (seen.size > MAX_SELECTABLE) errors.push(tooMany(path, seen.size, MAX_SELECTABLE))
}

/** The schema at the end of a path such as `.spec.color`, or why there is none. */
function followPath(path: string, schema: JSONSchemaProps | undefined): JSONSchemaProps | string {
  let at = schema
  let rest = path
  while (rest !== '') {
    const step = /^\.([a-zA-Z_][\w-]*)/.exec(rest)
    if (!step) return `expected [ or . but got: ${rest}`
    at = at?.properties?.[step[1]!]
    if (!at) return 'does not refer to a valid field'
    rest = rest.slice(step[0].length)
  }
  return at ?? 'does not refer to a valid field'
}

/** A version as Kubernetes' own form has it, which messages show. */
function asGo(version: CustomResourceDefinitionVersion): object {
  return {
    Name: version.name,
    Served: version.served,
    Storage: version.storage,
    Deprecated: version.deprecated ?? false,
    DeprecationWarning: version.deprecationWarning ?? null,
    Schema: null,
    Subresources: null,
    AdditionalPrinterColumns: null,
    SelectableFields: null,
  }
}

/** What all versions have in common is reported once, at the top: the place it had before versions. */
function checkPerVersion(
  versions: readonly CustomResourceDefinitionVersion[],
  read: (version: CustomResourceDefinitionVersion) => unknown,
  field: string,
  top: string,
  check: (version: CustomResourceDefinitionVersion, path: string) => void,
): void {
  const [first] = versions
  if (first && versions.every((version) => equal(read(version), read(first)))) check(first, top)
  else {
    for (const [index, version] of versions.entries()) check(version, `spec.versions[${index}].${field}`)
  }
}

function checkSubresources({ scale }: CustomResourceSubresources, path: string, errors: Errors): void {
  if (!scale) return
  checkScalePath(scale.specReplicasPath, '.spec', `${path}.scale.specReplicasPath`, errors)
  checkScalePath(scale.statusReplicasPath, '.status', `${path}.scale.statusReplicasPath`, errors)
  const selector = scale.labelSelectorPath
  if (selector && !selector.startsWith('.spec.') && !selector.startsWith('.status.')) {
    errors.push(invalid(`${path}.scale.labelSelectorPath`, selector, 'should be a json path under either .spec or .status'))
  }
}

function checkScalePath(value: string | undefined, under: string, path: string, errors: Errors): void {
  if (!value) errors.push(required(path))
  else if (!value.startsWith(`${under}.`)) errors.push(invalid(path, value, `should be a json path under ${under}`))
}

function checkColumn(column: CustomResourceColumnDefinition, path: string, errors: Errors): void {
  if (!column.name) errors.push(required(`${path}.name`))
  if (!column.type) errors.push(required(`${path}.type`, `must be one of ${COLUMN_TYPES.join(',')}`))
  else if (!COLUMN_TYPES.includes(column.type)) {
    errors.push(invalid(`${path}.type`, column.type, `must be one of ${COLUMN_TYPES.join(',')}`))
  }
  if (!column.jsonPath) errors.push(required(`${path}.JSONPath`))
  else if (!column.jsonPath.startsWith('.')) {
    errors.push(invalid(`${path}.JSONPath`, column.jsonPath, 'must be a simple json path starting with .'))
  }
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

export function checkCustomResourceDefinitionUpdate(
  crd: CustomResourceDefinition,
  old: CustomResourceDefinition,
  errors: Errors,
): void {
  checkCustomResourceDefinition(crd, errors)
  const established = old.status?.conditions?.some((c) => c.type === 'Established' && c.status === 'True')
  if (!established) return
  for (const field of ['group', 'scope'] as const) {
    if (crd.spec[field] !== old.spec[field]) errors.push(immutable(`spec.${field}`, crd.spec[field]))
  }
  for (const field of ['plural', 'kind'] as const) {
    if (crd.spec.names[field] !== old.spec.names[field]) errors.push(immutable(`spec.names.${field}`, crd.spec.names[field]))
  }
}
