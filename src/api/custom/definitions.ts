/** A CustomResourceDefinition as what it defines: one ResourceDefinition for each of its versions, of the same type as the built-in ones. */
import type { Converter, ResourceDefinition, SubresourceDefinition, Verb } from '../definition.ts'
import type { KubeObject } from '../object.ts'
import type { JsonSchema, StructSchema } from '../schema/schema.ts'
import { compileStructural } from '../schema/structural.ts'
import type { CustomResourceDefinition, CustomResourceDefinitionVersion } from '../types.ts'
import { customColumns } from './columns.ts'
import { schemaHasRules } from './has-rules.ts'
import { readStored } from './stored.ts'
import { type CheckRules, customStrategy, valueAt } from './strategy.ts'
import { compareVersions } from './versions.ts'

const VERBS: readonly Verb[] = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']
const PART_VERBS: readonly Verb[] = ['get', 'patch', 'update']
/** Versions that look like Kubernetes' own come before others; among themselves they are sorted when they are registered. */
const PREFERENCES = 1_000

export interface DefinitionOptions {
  /** The revision from which on objects are written by these schemas. */
  readonly since: number
  /** Loads and compiles the rules of a schema. */
  readonly compileRules: (schema: JsonSchema) => Promise<CheckRules>
  /** For definitions whose versions a program elsewhere converts, one for each version. */
  readonly conversion?: ((apiVersion: string, storageVersion: string) => Conversion) | undefined
}

export interface Conversion extends Converter {
  /** The stored object in this version, when it was prepared. */
  converted(stored: KubeObject): KubeObject | undefined
}

/** The definition's names have been accepted. Versions that are neither served nor stored are left out; the preferred one is first. */
export function definitionsOf(crd: CustomResourceDefinition, options: DefinitionOptions): ResourceDefinition[] {
  const versions = [...crd.spec.versions].sort((a, b) => compareVersions(a.name, b.name))
  return versions
    .filter(({ served, storage }) => served || storage)
    .map((version, index) => definitionOf(crd, version, PREFERENCES - index, options))
}

function definitionOf(
  crd: CustomResourceDefinition,
  version: CustomResourceDefinitionVersion,
  preference: number,
  options: DefinitionOptions,
): ResourceDefinition {
  const { group, scope, preserveUnknownFields } = crd.spec
  const { plural, singular = '', kind, shortNames = [], categories = [] } = crd.status?.acceptedNames ?? crd.spec.names
  const source = version.schema?.openAPIV3Schema
  const schema = compileStructural(source, { preserveUnknownFields: preserveUnknownFields === true })
  const { subresources } = version
  const deprecation = version.deprecated ? (version.deprecationWarning ?? defaultDeprecation(crd, version.name)) : undefined
  const selectable = selectableFields(version)
  return {
    ...{ group, version: version.name, kind, plural, singular, shortNames, categories, preference, schema },
    namespaced: scope === 'Namespaced',
    verbs: VERBS,
    subresources: subresourcesOf(crd, version),
    columns: customColumns(version.additionalPrinterColumns),
    unknownField: (field) => `field label not supported: ${field}`,
    ...(selectable && { selectableFields: selectable }),
    ...(deprecation !== undefined && { deprecation }),
    ...(!version.storage && { storage: { group, plural } }),
    ...(!version.served && { unserved: true }),
    ...(isTerminating(crd) && { terminating: true }),
    ...reading(crd, version, schema, options),
    strategy: customStrategy({
      schema: source,
      hasStatus: subresources?.status !== undefined,
      scale: subresources?.scale,
      rules: source && schemaHasRules(source) ? onceLoaded(() => options.compileRules(source)) : undefined,
    }),
  }
}

/** How what is stored becomes what is shown. */
function reading(
  { spec }: CustomResourceDefinition,
  version: CustomResourceDefinitionVersion,
  schema: StructSchema,
  options: DefinitionOptions,
): Pick<ResourceDefinition, 'fromStorage' | 'converter'> {
  const apiVersion = `${spec.group}/${version.name}`
  const read = readStored(schema, apiVersion, options.since)
  const storage = spec.versions.find((one) => one.storage)?.name ?? version.name
  const conversion = options.conversion?.(apiVersion, `${spec.group}/${storage}`)
  if (!conversion) return { fromStorage: read }
  // What a webhook made is held to the schema every time.
  const readConverted = readStored(schema, apiVersion, Number.POSITIVE_INFINITY)
  const fromStorage = (stored: KubeObject) => {
    if (stored.apiVersion === apiVersion) return read(stored)
    const converted = conversion.converted(stored)
    if (!converted) throw new Error(`${stored.metadata.name} is to be shown as ${apiVersion}, and has not been converted`)
    return readConverted(converted)
  }
  return { fromStorage, converter: conversion }
}

export function isTerminating(crd: CustomResourceDefinition): boolean {
  return crd.status?.conditions?.some(({ type, status }) => type === 'Terminating' && status === 'True') ?? false
}

function subresourcesOf({ spec }: CustomResourceDefinition, version: CustomResourceDefinitionVersion): SubresourceDefinition[] {
  const { status, scale } = version.subresources ?? {}
  const found: SubresourceDefinition[] = []
  const path = (text: string) => text.replace(/^\./, '')
  if (status !== undefined)
    found.push({ name: 'status', kind: { group: spec.group, version: version.name, kind: spec.names.kind }, verbs: PART_VERBS })
  if (scale) {
    found.push({
      name: 'scale',
      kind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
      verbs: PART_VERBS,
      scale: {
        specReplicas: path(scale.specReplicasPath),
        statusReplicas: path(scale.statusReplicasPath),
        ...(scale.labelSelectorPath && { labelSelector: path(scale.labelSelectorPath) }),
      },
    })
  }
  return found
}

function selectableFields({ selectableFields: fields }: CustomResourceDefinitionVersion) {
  if (!fields?.length) return undefined
  const read = (path: string) => (object: KubeObject) => String(valueAt(object, path) ?? '')
  return Object.fromEntries(fields.map(({ jsonPath }) => [jsonPath.replace(/^\./, ''), read(jsonPath)]))
}

/** Names the best version that is served and not deprecated, when it is a better one. */
function defaultDeprecation({ spec }: CustomResourceDefinition, deprecated: string): string {
  const better = spec.versions
    .filter((version) => version.served && !version.deprecated && compareVersions(version.name, deprecated) < 0)
    .map(({ name }) => name)
    .sort(compareVersions)
  const says = `${spec.group}/${deprecated} ${spec.names.kind} is deprecated`
  return better[0] === undefined ? says : `${says}; use ${spec.group}/${better[0]} ${spec.names.kind}`
}

function onceLoaded<T>(load: () => Promise<T>): () => Promise<T> {
  let loaded: Promise<T> | undefined
  return () => {
    loaded ??= load()
    return loaded
  }
}
