/** Versions and schemas as Kubernetes' own form has them, with Go's names for their fields: messages about definitions show them so. */
import { equal } from '../equal.ts'
import type { CustomResourceDefinitionVersion, JSONSchemaProps } from '../types.ts'

/** What versions may have in common. What all of them say alike is kept, and reported, once for all. */
export const SHARED = ['schema', 'subresources', 'additionalPrinterColumns', 'selectableFields'] as const
export type SharedField = (typeof SHARED)[number]

/** The fields that all versions say alike, which is also when none of them says anything. */
export function sharedFields(versions: readonly CustomResourceDefinitionVersion[]): ReadonlySet<SharedField> {
  const [first] = versions
  if (!first) return new Set()
  return new Set(SHARED.filter((field) => versions.every((version) => equal(said(version[field]), said(first[field])))))
}

/** An empty list says as much as none. */
function said(value: unknown): unknown {
  return Array.isArray(value) && value.length === 0 ? undefined : value
}

export function goVersions(versions: readonly CustomResourceDefinitionVersion[]): readonly object[] | null {
  const shared = sharedFields(versions)
  return versions.length > 0 ? versions.map((version) => goVersion(version, shared)) : null
}

function goVersion(version: CustomResourceDefinitionVersion, shared: ReadonlySet<SharedField>): object {
  const own = <F extends SharedField>(field: F) => (shared.has(field) ? undefined : version[field])
  const { status, scale } = own('subresources') ?? {}
  const { specReplicasPath, statusReplicasPath, labelSelectorPath = null } = scale ?? {}
  const paths = {
    SpecReplicasPath: specReplicasPath,
    StatusReplicasPath: statusReplicasPath,
    LabelSelectorPath: labelSelectorPath,
  }
  const schema = own('schema')
  return {
    Name: version.name,
    Served: version.served,
    Storage: version.storage,
    Deprecated: version.deprecated ?? false,
    DeprecationWarning: version.deprecationWarning ?? null,
    Schema: schema ? { OpenAPIV3Schema: schema.openAPIV3Schema ? goSchema(schema.openAPIV3Schema) : null } : null,
    Subresources: own('subresources') ? { Status: status ? {} : null, Scale: scale ? paths : null } : null,
    AdditionalPrinterColumns:
      own('additionalPrinterColumns')?.map((column) => ({
        ...{ Name: column.name, Type: column.type, Format: column.format ?? '', Description: column.description ?? '' },
        ...{ Priority: column.priority ?? 0, JSONPath: column.jsonPath },
      })) ?? null,
    SelectableFields: own('selectableFields')?.map(({ jsonPath }) => ({ JSONPath: jsonPath })) ?? null,
  }
}

const schemas = (map: Record<string, JSONSchemaProps> | undefined) =>
  map ? Object.fromEntries(Object.entries(map).map(([name, schema]) => [name, goSchema(schema)])) : null
const schemaList = (list: JSONSchemaProps[] | undefined) => list?.map(goSchema) ?? null
const schemaOrBool = (value: JSONSchemaProps | boolean | undefined) =>
  value === undefined ? null : { Allows: value !== false, Schema: typeof value === 'object' ? goSchema(value) : null }

export function goSchema(schema: JSONSchemaProps): object {
  const { items, not, externalDocs } = schema
  return {
    ...{ ID: schema.id ?? '', Schema: schema.$schema ?? '', Ref: schema.$ref ?? null, Description: schema.description ?? '' },
    ...{ Type: schema.type ?? '', Nullable: schema.nullable ?? false, Format: schema.format ?? '', Title: schema.title ?? '' },
    Default: schema.default ?? null,
    ...{ Maximum: schema.maximum ?? null, ExclusiveMaximum: schema.exclusiveMaximum ?? false },
    ...{ Minimum: schema.minimum ?? null, ExclusiveMinimum: schema.exclusiveMinimum ?? false },
    ...{ MaxLength: schema.maxLength ?? null, MinLength: schema.minLength ?? null, Pattern: schema.pattern ?? '' },
    ...{ MaxItems: schema.maxItems ?? null, MinItems: schema.minItems ?? null, UniqueItems: schema.uniqueItems ?? false },
    ...{ MultipleOf: schema.multipleOf ?? null, Enum: schema.enum ?? null },
    ...{ MaxProperties: schema.maxProperties ?? null, MinProperties: schema.minProperties ?? null },
    Required: schema.required ?? null,
    Items: items
      ? { Schema: Array.isArray(items) ? null : goSchema(items), JSONSchemas: Array.isArray(items) ? schemaList(items) : null }
      : null,
    ...{ AllOf: schemaList(schema.allOf), OneOf: schemaList(schema.oneOf), AnyOf: schemaList(schema.anyOf) },
    Not: not ? goSchema(not) : null,
    Properties: schemas(schema.properties),
    AdditionalProperties: schemaOrBool(schema.additionalProperties),
    PatternProperties: schemas(schema.patternProperties),
    Dependencies: schema.dependencies ?? null,
    AdditionalItems: schemaOrBool(schema.additionalItems),
    Definitions: schemas(schema.definitions),
    ExternalDocs: externalDocs ? { Description: externalDocs.description ?? '', URL: externalDocs.url ?? '' } : null,
    Example: schema.example ?? null,
    ...goExtensions(schema),
  }
}

function goExtensions(schema: JSONSchemaProps): object {
  return {
    XPreserveUnknownFields: schema['x-kubernetes-preserve-unknown-fields'] ?? null,
    XEmbeddedResource: schema['x-kubernetes-embedded-resource'] ?? false,
    XIntOrString: schema['x-kubernetes-int-or-string'] ?? false,
    XListMapKeys: schema['x-kubernetes-list-map-keys'] ?? null,
    XListType: schema['x-kubernetes-list-type'] ?? null,
    XMapType: schema['x-kubernetes-map-type'] ?? null,
    XValidations:
      schema['x-kubernetes-validations']?.map((rule) => ({
        ...{ Rule: rule.rule, Message: rule.message ?? '', MessageExpression: rule.messageExpression ?? '' },
        ...{ Reason: rule.reason ?? null, FieldPath: rule.fieldPath ?? '', OptionalOldSelf: rule.optionalOldSelf ?? null },
      })) ?? null,
  }
}
