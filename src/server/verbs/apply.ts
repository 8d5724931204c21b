/** PATCH with a configuration: server-side apply. Creates what is not there. */
import type { KubeObject } from '../../api/object.ts'
import { DecodeError, decode } from '../../api/schema/decode.ts'
import { zeroOf } from '../../api/schema/walk.ts'
import { badRequest, custom, isAlreadyExists, notFound, type StatusError } from '../../api/status.ts'
import type { Entry } from '../../store/store.ts'
import { type Applied, applyConfiguration, type Conflict } from '../apply/apply.ts'
import { findConfigurationError } from '../apply/check.ts'
import { readConfiguration } from '../apply/configuration.ts'
import { beforeFirstApply, identityOf, ignoredFields, type Manager, readManagers, writeManagers } from '../fields/managers.ts'
import { setDefaults } from '../objects/defaults.ts'
import { copyJson, isRecord } from '../objects/json.ts'
import { keyOf } from '../objects/keys.ts'
import { schemaOf } from '../objects/schema.ts'
import { splitApiVersion } from '../request/body.ts'
import type { ObjectAnswer } from '../request/request.ts'
import type { View } from '../views/view.ts'
import type { WriteCall } from '../write/call.ts'
import { createObject } from '../write/create.ts'
import { rulesOf } from '../write/subresource-rules.ts'
import { updateObject } from '../write/update.ts'
import { entryAnswer } from './get.ts'
import { checkName } from './update.ts'

/** Throws 400 for what is no configuration of this object, 409 with every conflict, 500 for one that does not fit the schema. */
export async function apply(call: WriteCall, view: View): Promise<ObjectAnswer> {
  const { core, resource } = call
  const configuration = await readOwn(call)
  if (!core.store.get(keyOf(resource, call.namespace, call.name))) {
    if (call.subresource !== '') throw notFound(resource.name, call.name)
    const created = await tryCreate(call, configuration)
    if (created) return entryAnswer(201, resource, created, view)
  }
  const rules = rulesOf(call)
  const next = (old: KubeObject) => applied(call, configuration, old)
  const { entry } = await updateObject(call, { next, managed: true, ...(rules && { rules }) })
  return entryAnswer(200, resource, entry, view)
}

/** Undefined when somebody else was faster: then there is something to apply to. */
async function tryCreate(call: WriteCall, configuration: KubeObject): Promise<Entry | undefined> {
  const object = applied(call, configuration, undefined)
  delete object.metadata.resourceVersion
  try {
    return await createObject({ ...call, name: '' }, object, false)
  } catch (error) {
    if (isAlreadyExists(error)) return undefined
    throw error
  }
}

async function readOwn(call: WriteCall): Promise<KubeObject> {
  const { resource, request } = call
  const given = await readConfiguration(request)
  if (given !== null && given !== undefined && !isRecord(given))
    throw badRequest('error decoding YAML: the configuration must be a map')
  const configuration = (given ?? {}) as unknown as KubeObject
  const { apiVersion = '', kind = '' } = configuration
  const [group, version] = splitApiVersion(String(apiVersion))
  if (apiVersion !== resource.apiVersion || kind !== resource.definition.kind) {
    throw badRequest(`invalid object type: ${group}/${version}, Kind=${kind}`)
  }
  if (configuration.metadata === undefined || configuration.metadata === null) configuration.metadata = {}
  if ((configuration.metadata.managedFields ?? []).length > 0) throw badRequest('metadata.managedFields must be nil')
  checkName(call, configuration)
  return configuration
}

/** The object that the configuration makes of the stored one, decoded and with defaults, its owners included. */
function applied(call: WriteCall, configuration: KubeObject, old: KubeObject | undefined): KubeObject {
  const { resource } = call
  const schema = schemaOf(resource)
  const problem = findConfigurationError(schema, configuration)
  if (problem !== undefined) throw untyped(call, configuration, problem)
  const managers = managersOf(call, old)
  const { managedFields: _, ...metadata } = old?.metadata ?? {}
  const live = old ? { ...old, metadata } : (zeroOf(schema) as KubeObject)
  const result = applyConfiguration({
    ...{ schema, live, configuration, managers, force: call.force, now: call.now },
    self: identityOf(call, 'Apply'),
    ignored: ignoredFields(call),
  })
  if (result.conflicts.length > 0) throw conflictsError(result.conflicts)
  return finished(call, result)
}

function managersOf(call: WriteCall, old: KubeObject | undefined): readonly Manager[] {
  const managers = readManagers(old?.metadata.managedFields)
  return old && managers.length === 0 ? beforeFirstApply(call, old) : managers
}

function finished(call: WriteCall, { object, managers }: Applied): KubeObject {
  const { resource } = call
  try {
    const { value } = decode<KubeObject>(schemaOf(resource), copyJson(object))
    value.kind = resource.definition.kind
    value.apiVersion = resource.apiVersion
    setDefaults(resource, value)
    const entries = writeManagers(managers)
    if (entries) value.metadata.managedFields = entries
    return value
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    throw plain(`failed to convert merged object to last applied version: ${error.message}`)
  }
}

function untyped(call: WriteCall, { metadata }: KubeObject, problem: string): StatusError {
  const { group, version, kind } = call.resource.definition
  const name = `${metadata.namespace ?? ''}/${metadata.name ?? ''}`
  return plain(`failed to create typed patch object (${name}; ${group}/${version}, Kind=${kind}): ${problem}`)
}

function plain(message: string): StatusError {
  const error = custom(500, '', message)
  delete error.status.reason
  return error
}

function conflictsError(conflicts: readonly Conflict[]): StatusError {
  const causes = conflicts.map(({ with: manager, path }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${describe(manager)}`,
    field: path,
  }))
  return custom(409, 'Conflict', conflictMessage(conflicts), { causes })
}

function conflictMessage(conflicts: readonly Conflict[]): string {
  const [first] = conflicts
  if (conflicts.length === 1 && first) return `Apply failed with 1 conflict: conflict with ${describe(first.with)}: ${first.path}`
  const byManager = new Map<string, string[]>()
  for (const { with: manager, path } of conflicts) {
    const name = describe(manager)
    byManager.set(name, [...(byManager.get(name) ?? []), path])
  }
  const parts = [...byManager].sort(([a], [b]) => (a < b ? -1 : 1))
  const lines = parts.flatMap(([name, paths]) => [`conflicts with ${name}:`, ...paths.map((path) => `- ${path}`)])
  return `Apply failed with ${conflicts.length} conflicts: ${lines.join('\n')}`
}

function describe({ manager, subresource, operation, apiVersion }: Manager): string {
  const through = subresource ? ` with subresource ${JSON.stringify(subresource)}` : ''
  return `${JSON.stringify(manager)}${through}${operation === 'Update' ? ` using ${apiVersion}` : ''}`
}
